import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.registration.structure import Map, structure_channels, structure_correlation, structure_map, to_luma
from tests.conftest import noise
from tests.registration.cameras import HEIGHT, WIDTH, road
from tests.registration.textures import about_centre, displaced, texture


def defined_correlation(rgb: Map, infrared: Map, valid: NDArray[np.bool_]) -> float:
    """The definition in `../shared/data/README.md`, word by word and at full width."""
    maps = []
    for gray in (rgb, infrared):
        smooth = cv2.GaussianBlur(gray.astype(np.float64), (0, 0), 1.2)
        padded = np.pad(smooth, 1, mode="reflect")
        rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
        columns = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
        strength = np.hypot(rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2])
        maps.append(strength / (cv2.GaussianBlur(strength, (0, 0), 15) + 3))
    # Eroded: the whole box around a pixel is valid and inside.
    inner = cv2.blur(valid.astype(np.float64), (25, 25), borderType=cv2.BORDER_CONSTANT) > 1 - 1e-9
    return float(np.corrcoef(maps[0][inner], maps[1][inner])[0, 1])


@pytest.mark.parametrize("shift_px", [0, 2, 9])
@pytest.mark.parametrize("seed", [0, 1])
def test_correlation_is_that_of_the_definition(seed: int, shift_px: int) -> None:
    infrared, rgb = road(HEIGHT, WIDTH, seed)
    matrix = about_centre(4, 1.1, (shift_px, -shift_px))
    gray = cv2.cvtColor(displaced(rgb, matrix), cv2.COLOR_RGB2GRAY)
    back = cv2.warpPerspective(gray, matrix, (WIDTH, HEIGHT))
    valid = cv2.warpPerspective(np.ones_like(gray), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_NEAREST) > 0
    back = np.roll(back, shift_px, axis=1)
    maps = [structure_map(image.astype(np.float32)) for image in (back, infrared)]
    expected = defined_correlation(back, infrared, valid)
    assert structure_correlation(maps[0], maps[1], valid) == pytest.approx(expected, abs=0.005)


def test_correlation_is_highest_where_aligned_and_unknown_without_overlap_or_structure() -> None:
    infrared, rgb = road(HEIGHT, WIDTH, 0)
    first, second = structure_map(to_luma(rgb)), structure_map(to_luma(infrared))
    valid = np.ones((HEIGHT, WIDTH), bool)
    aligned, shifted = (structure_correlation(one, second, valid) for one in (first, np.roll(first, 3, axis=1)))
    assert shifted + 0.2 < aligned < 1
    assert structure_correlation(first, first, valid) == pytest.approx(1)
    valid[:, 26:] = False
    assert np.isnan(structure_correlation(first, second, valid))
    assert np.isnan(structure_correlation(np.zeros_like(first), second, np.ones_like(valid)))


def test_structure_is_that_of_the_inverted_image() -> None:
    gray = texture()
    np.testing.assert_allclose(structure_map(255 - gray), structure_map(gray), atol=1e-3)
    np.testing.assert_allclose(structure_channels(255 - gray), structure_channels(gray), atol=1e-3)


def test_structure_hardly_changes_with_contrast_but_noise_in_flat_areas_is_weak() -> None:
    gray = texture()
    faint = 100 + gray / 2
    assert np.corrcoef(structure_map(faint).ravel(), structure_map(gray).ravel())[0, 1] > 0.99
    assert structure_map(faint).mean() == pytest.approx(structure_map(gray).mean(), rel=0.15)
    grain = 100 + noise(HEIGHT, WIDTH).astype(np.float32) / 255
    assert structure_map(grain).mean() < 0.2 * structure_map(gray).mean()


@pytest.mark.parametrize("turn_deg", [0, 30, 45, 90, 150])
def test_channels_tell_the_direction_of_an_edge(turn_deg: int) -> None:
    y, x = np.mgrid[:80, :80] - 40
    turn = np.deg2rad(turn_deg)
    ramp = np.clip(127 + 20 * (x * np.cos(turn) + y * np.sin(turn)), 0, 255).astype(np.float32)
    root, cosine, sine = structure_channels(ramp)[40, 40]
    assert root > 1
    np.testing.assert_allclose([cosine, sine], [root * np.cos(2 * turn), root * np.sin(2 * turn)], atol=0.02)


def test_luma_finds_the_structure_of_a_thermal_camera() -> None:
    """A scene of few degrees is a few hundred of its values."""
    gray = road(HEIGHT, WIDTH, 0)[0]
    counts = np.uint16(7500) + gray
    assert to_luma(counts, "auto").std() < 10
    assert to_luma(counts).std() > 40
    assert np.corrcoef(to_luma(counts).ravel(), gray.ravel())[0, 1] > 0.99


def test_luma_weighs_colours_and_stretches_deep_images() -> None:
    assert to_luma(np.full((2, 2, 3), (0, 200, 0), np.uint8))[0, 0] == pytest.approx(0.587 * 200, abs=0.6)
    gray = road(HEIGHT, WIDTH, 0)[0]
    np.testing.assert_array_equal(to_luma(gray), gray)
    # A camera of 12 bits in a file of 16, and one that gives floats.
    for deep in (gray.astype(np.uint16) * 16, gray.astype(np.float32) * 40):
        luma = to_luma(deep)
        assert luma.dtype == np.float32
        assert 0 <= luma.min() < 20
        assert 200 < luma.max() <= 255
        assert np.corrcoef(luma.ravel(), gray.ravel())[0, 1] > 0.99
