import cv2
import numpy as np
import pytest

from ircolor.registration.residual import AGREED_PX, find_residual, misalignment_px
from ircolor.registration.structure import Map
from tests.conftest import noise
from tests.registration.cameras import HEIGHT, WIDTH
from tests.registration.textures import as_rgb, texture

EVERYWHERE = np.ones((HEIGHT, WIDTH), bool)


def shifted(x_px: float, y_px: float, **size: int) -> Map:
    """The texture, each part of it moved by so much."""
    return texture(np.array([[1, 0, -x_px], [0, 1, -y_px], [0, 0, 1]]), **size)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("shift_px", [(0.0, 0.0), (2.3, -1.6), (-5.5, 4.25)])
def test_a_shift_is_measured_to_a_small_part_of_a_px(shift_px: tuple[float, float], inverted: bool) -> None:
    warped = shifted(*shift_px)
    residual = find_residual(255 - warped if inverted else warped, texture(), EVERYWHERE)
    assert residual.telling.mean() > 0.95
    np.testing.assert_allclose(np.median(residual.shifts_px, axis=0), shift_px, atol=0.1)
    np.testing.assert_allclose(residual.shifts_px[residual.telling], [shift_px] * residual.telling.sum(), atol=0.4)
    np.testing.assert_allclose(np.median(residual.lengths_px), np.hypot(*shift_px), atol=0.1)
    assert residual.agreed.sum() == (residual.telling.sum() if np.hypot(*shift_px) < AGREED_PX else 0)


def test_large_images_are_measured_in_their_own_px() -> None:
    size = {"height": 2 * HEIGHT, "width": 4 * WIDTH}
    infrared, warped = (
        cv2.resize(image, (size["width"], size["height"]), interpolation=cv2.INTER_CUBIC)
        for image in (texture(height=HEIGHT, width=2 * WIDTH), shifted(3, 2, height=HEIGHT, width=2 * WIDTH))
    )
    residual = find_residual(warped, infrared, np.ones_like(infrared, bool))
    assert residual.unit_px == pytest.approx(size["width"] / 512)
    assert residual.compared == (192, 512)
    np.testing.assert_allclose(np.median(residual.shifts_px, axis=0), (6, 4), atol=0.2)
    assert residual.places.max(axis=0) == pytest.approx(np.array([4 * WIDTH, 2 * HEIGHT]) - 60, abs=60)


def test_a_displaced_part_disagrees_and_is_where_it_was_put() -> None:
    warped = texture()
    warped[:, 160:] = shifted(5, 0)[:, 160:]
    residual = find_residual(warped, texture(), EVERYWHERE)
    left, right = residual.places[:, 0] < 130, residual.places[:, 0] > 190
    assert residual.agreed[left].mean() > 0.95
    assert not residual.agreed[right].any()
    assert residual.telling[right].mean() > 0.9


def test_places_and_pixels_belong_together() -> None:
    residual = find_residual(texture(), texture(), EVERYWHERE)
    numbers = np.zeros(residual.grid, np.uint8)
    numbers.flat[residual.cells] = 1 + np.arange(len(residual.cells))
    spread = residual.spread(numbers, (HEIGHT, WIDTH))
    columns, rows = np.rint(residual.places).astype(int).T
    np.testing.assert_array_equal(spread[rows, columns], 1 + np.arange(len(residual.cells)))
    # On a mask of twice the size, the same places.
    double = residual.spread(numbers, (2 * HEIGHT, 2 * WIDTH))
    np.testing.assert_array_equal(double[2 * rows, 2 * columns], 1 + np.arange(len(residual.cells)))


def test_only_blocks_of_what_both_know_are_compared() -> None:
    valid = EVERYWHERE.copy()
    valid[:100] = valid[:, 250:] = False
    residual = find_residual(texture(), texture(), valid)
    assert 0 < len(residual.places) < len(find_residual(texture(), texture(), EVERYWHERE).places)
    reach_px = 23.5
    assert residual.places[:, 1].min() >= 100 + reach_px
    assert residual.places[:, 0].max() <= 250 - reach_px
    assert not len(find_residual(texture(), texture(), np.zeros_like(valid)).places)


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (47, 300), (1, 1)])
def test_what_shows_nothing_tells_nothing(size: tuple[int, int]) -> None:
    flat = np.full(size, 90, np.float32)
    residual = find_residual(flat, texture(height=size[0], width=size[1]), np.ones(size, bool))
    assert not residual.telling.any()
    assert len(residual.lengths_px) == 0


def test_unlike_images_agree_nearly_nowhere_and_lines_along_themselves() -> None:
    residual = find_residual(texture(seed=1), texture(), EVERYWHERE)
    assert residual.agreed.mean() < 0.05
    one, other = (noise(HEIGHT, WIDTH, seed).astype(np.float32) for seed in (0, 1))
    assert not find_residual(one, other, EVERYWHERE).telling.any()
    # Of all places along a line, the nearest is meant.
    line = np.zeros((HEIGHT, WIDTH), np.float32)
    line[:, 100:103] = 200
    found = find_residual(np.roll(line, 1, axis=1), line, EVERYWHERE)
    np.testing.assert_allclose(found.shifts_px[found.telling], [[1, 0]] * found.telling.sum(), atol=0.3)
    assert found.telling.any()


def test_misalignment_of_a_finished_pair() -> None:
    infrared = texture().astype(np.uint8)
    assert misalignment_px(as_rgb(texture()), infrared) < 0.05
    assert misalignment_px(as_rgb(shifted(3, -4)), infrared.astype(np.uint16) * 200) == pytest.approx(5, abs=0.05)
    assert np.isnan(misalignment_px(as_rgb(np.full((HEIGHT, WIDTH), 90, np.float32)), infrared))
