import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.images import read_infrared
from ircolor.pairs.index import find_pairs
from ircolor.registration.aligned import (
    INDEX_COLUMNS,
    AlignedPair,
    IndexRow,
    align,
    largest_rectangle,
    write_index,
    write_pair,
)
from tests.conftest import noise
from tests.tiny_pairs import scene

Image = NDArray[Any]


@dataclass
class Shift:
    """Moves the RGB image by whole pixels."""

    x: int
    y: int

    def rgb_onto_infrared(self, image: Image, size: tuple[int, int]) -> tuple[Image, NDArray[np.bool_]]:
        return self._move(image, size, 1)

    def infrared_onto_rgb(self, image: Image, size: tuple[int, int]) -> tuple[Image, NDArray[np.bool_]]:
        return self._move(image, size, -1)

    def _move(self, image: Image, size: tuple[int, int], sign: int) -> tuple[Image, NDArray[np.bool_]]:
        matrix = np.array([[1, 0, sign * self.x], [0, 1, sign * self.y]], float)
        seen = cv2.warpAffine(np.ones(image.shape[:2], np.uint8), matrix, size[::-1])
        return np.asarray(cv2.warpAffine(image, matrix, size[::-1])), seen > 0


@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7)))
def test_the_rectangle_is_the_largest(valid: NDArray[np.bool_]) -> None:
    top, left, height, width = largest_rectangle(valid)
    assert valid[top : top + height, left : left + width].sum() == height * width
    num_rows, num_columns = valid.shape
    largest = max(
        (bottom - first) * (right - start)
        for first in range(num_rows)
        for bottom in range(first, num_rows + 1)
        for start in range(num_columns)
        for right in range(start, num_columns + 1)
        if valid[first:bottom, start:right].all()
    )
    assert height * width == largest


def test_the_rectangle_of_nothing_is_empty() -> None:
    assert largest_rectangle(np.zeros((4, 5), np.bool_)) == (0, 0, 0, 0)


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_both_are_cropped_to_what_both_saw(x: int, y: int) -> None:
    infrared, rgb = scene(40, 50, 0)
    aligned = align(rgb, infrared, Shift(x, y))
    assert aligned.crop == (max(y, 0), max(x, 0), 40 - abs(y), 50 - abs(x))
    np.testing.assert_array_equal(aligned.infrared, infrared[max(y, 0) : 40 + min(y, 0), max(x, 0) : 50 + min(x, 0)])
    np.testing.assert_array_equal(aligned.rgb, rgb[max(-y, 0) : 40 + min(-y, 0), max(-x, 0) : 50 + min(-x, 0)])
    onto_rgb = align(rgb, infrared, Shift(x, y), onto="rgb")
    assert onto_rgb.crop == (max(-y, 0), max(-x, 0), 40 - abs(y), 50 - abs(x))
    np.testing.assert_array_equal(onto_rgb.infrared, aligned.infrared)
    np.testing.assert_array_equal(onto_rgb.rgb, aligned.rgb)


def test_the_grid_is_that_of_the_image_aligned_onto() -> None:
    infrared, _ = scene(40, 50, 0)
    _, rgb = scene(60, 45, 0)
    assert align(rgb, infrared, Shift(0, 0)).crop == (0, 0, 40, 45)
    assert align(rgb, infrared, Shift(0, -30), onto="rgb").crop == (30, 0, 30, 45)


def test_what_a_camera_did_not_see_is_cropped_off() -> None:
    """A straightened image is black outside of what the lens saw."""
    infrared, rgb = scene(40, 50, 0)
    seen_rgb, seen_infrared = np.ones((2, 40, 50), np.bool_)
    seen_rgb[:, :6] = seen_infrared[36:] = False
    aligned = align(rgb, infrared, Shift(3, 0), "infrared", seen_rgb, seen_infrared)
    assert aligned.crop == (0, 9, 36, 41)
    onto_rgb = align(rgb, infrared, Shift(3, 0), "rgb", seen_rgb, seen_infrared)
    assert onto_rgb.crop == (0, 6, 36, 41)
    np.testing.assert_array_equal(onto_rgb.rgb, aligned.rgb)


def test_nothing_in_common_is_told() -> None:
    infrared, rgb = scene(40, 50, 0)
    with pytest.raises(UserError, match="no area in common"):
        align(rgb, infrared, Shift(60, 0))


def test_depth_is_kept_and_training_finds_the_pair(tmp_path: Path) -> None:
    infrared8, rgb = scene(20, 30, 0)
    infrared = infrared8.astype(np.uint16) * 16 + 5
    mask = infrared8 > 100
    write_pair(tmp_path, "a.b", AlignedPair(infrared, rgb, (0, 0, 20, 30)), mask)
    write_pair(tmp_path, "c", AlignedPair(infrared8, rgb, (0, 0, 20, 30)), np.ones_like(mask))
    write_index(tmp_path, [IndexRow("a.b", "accept", (20, 30)), IndexRow("c", "accept", (20, 30), "alley")])
    first, second = find_pairs(tmp_path)
    assert (first.scene, second.scene) == ("a.b", "alley")
    np.testing.assert_array_equal(read_infrared(first.infrared).pixels, infrared)
    np.testing.assert_array_equal(second.read()[0], infrared8)
    np.testing.assert_array_equal(second.read()[1], rgb)
    stored_mask = read_infrared(tmp_path / first.columns["mask"]).pixels
    np.testing.assert_array_equal(stored_mask, np.where(mask, 255, 0))
    assert second.columns["mask"] == ""
    assert not (tmp_path / "mask" / "c.png").exists()


def test_a_mask_of_an_earlier_run_does_not_stay(tmp_path: Path) -> None:
    aligned = AlignedPair(*scene(20, 30, 0), (0, 0, 20, 30))
    write_pair(tmp_path, "a", aligned, np.zeros((20, 30), np.bool_))
    write_pair(tmp_path, "a", aligned)
    assert list((tmp_path / "mask").iterdir()) == []


def test_float_images_become_16_bit(tmp_path: Path) -> None:
    unit = noise(20, 30).astype(np.float32) / 255
    write_pair(tmp_path, "a", AlignedPair(unit, np.repeat(unit[..., None], 3, axis=2), (0, 0, 20, 30)))
    for kind in ("infrared", "rgb"):
        stored = cv2.imread(str(tmp_path / kind / "a.png"), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        assert stored.dtype == np.uint16
        np.testing.assert_array_equal(stored.reshape(20, 30, -1)[..., 0], np.rint(unit * 65535))


def test_only_pairs_with_a_wanted_verdict_are_listed(tmp_path: Path) -> None:
    rows = [IndexRow("a", "accept", (20, 30)), IndexRow("b", "review", (20, 30)), IndexRow("c", "reject", (20, 30))]
    write_index(tmp_path, rows)
    assert (tmp_path / "index.csv").read_text().splitlines() == [
        "stem,infrared,rgb,mask,width,height,scene,verdict",
        "a,infrared/a.png,rgb/a.png,,30,20,,accept",
    ]
    write_index(tmp_path, rows, keep=("accept", "review"))
    with (tmp_path / "index.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert tuple(listed[0]) == INDEX_COLUMNS
    assert [row["stem"] for row in listed] == ["a", "b"]
