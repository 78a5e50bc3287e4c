from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.pairs.duplicates import exact_groups, fingerprint, near_groups
from ircolor.pairs.index import find_pairs
from tests.tiny_pairs import DATA, real_data

Pixels = NDArray[np.uint8]


def picture(seed: int, height: int = 96, width: int = 128) -> Pixels:
    """Random structure of all sizes, with the spectrum of a photograph: (height, width, 3)."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.standard_normal((2**k, 2**k, 3)), (width, height), interpolation=cv2.INTER_CUBIC) / 2**k
        for k in range(1, 7)
    ]
    return np.asarray(np.clip(128 + 90 * np.sum(layers, axis=0), 0, 255), np.uint8)


def jpeg(pixels: Pixels) -> Pixels:
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 40])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "recompressed": jpeg,
    "half the size": lambda pixels: np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5), np.uint8),
    "larger": lambda pixels: np.asarray(cv2.resize(pixels, (300, 200), interpolation=cv2.INTER_CUBIC), np.uint8),
    "brighter": lambda pixels: np.clip(pixels * 1.1 + 8, 0, 255).astype(np.uint8),
    "darker": lambda pixels: (255 * (pixels / 255) ** 1.3).astype(np.uint8),
}


def test_the_same_pixels_are_found_whatever_else_is_there() -> None:
    prints = [fingerprint(picture(seed)) for seed in (3, 1, 3, 2, 1, 3)]
    assert exact_groups(prints) == [(0, 2, 5), (1, 4)]


def test_one_level_in_one_pixel_is_not_the_same_and_neither_is_another_shape() -> None:
    one = picture(0)
    other = one.copy()
    other[5, 5, 1] ^= 1
    flat = np.zeros((4, 6), np.uint8)
    assert exact_groups([fingerprint(pixels) for pixels in (one, other, flat, flat.T)]) == []


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("infrared", [False, True])
def test_changed_copies_are_nearly_the_same(change: str, infrared: bool) -> None:
    images = [picture(seed)[..., 1] if infrared else picture(seed) for seed in range(8)]
    prints = [fingerprint(pixels) for pixels in [*images, CHANGES[change](images[5])]]
    assert exact_groups(prints) == []
    assert near_groups(prints) == [(5, 8)]


def test_mirrored_copies_are_found_only_when_asked_for() -> None:
    images = [picture(seed) for seed in range(8)]
    prints = [fingerprint(pixels) for pixels in [*images, jpeg(np.ascontiguousarray(images[2][:, ::-1]))]]
    assert near_groups(prints) == []
    assert near_groups(prints, mirrored=True) == [(2, 8)]


def test_different_images_are_not_alike_also_over_many_blocks_of_memory() -> None:
    images = [picture(seed, 32, 32) for seed in range(600)]
    prints = [fingerprint(pixels) for pixels in [*images, CHANGES["darker"](images[10])]]
    assert near_groups(prints) == [(10, 600)]
    assert near_groups(prints, mirrored=True) == []


def test_alike_by_way_of_others_is_one_group() -> None:
    start = picture(0)
    steps = [np.roll(start, shift_px, axis=1) for shift_px in range(0, 12, 2)]
    prints = [fingerprint(pixels) for pixels in [picture(1), *steps]]
    assert near_groups([prints[1], prints[-1]]) == []
    assert near_groups(prints) == [(1, 2, 3, 4, 5, 6)]


def test_flat_images_are_like_nothing_but_themselves() -> None:
    prints = [fingerprint(np.full((40, 40), value, np.uint8)) for value in (0, 128, 128, 255)]
    assert exact_groups(prints) == [(1, 2)]
    assert near_groups(prints) == []
    assert near_groups([]) == []


@real_data
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("number", [0, 1])
def test_changed_copies_of_real_images_are_found_and_nothing_else(change: str, number: int) -> None:
    pairs = [pair for pair in find_pairs(DATA) if pair.columns["dataset"] in ("vcip2020", "roadscene")][::12]
    images = [pair.read()[number] for pair in pairs]
    prints = [fingerprint(pixels) for pixels in [*images, *map(CHANGES[change], images)]]
    assert near_groups(prints) == [(place, len(images) + place) for place in range(len(images))]
