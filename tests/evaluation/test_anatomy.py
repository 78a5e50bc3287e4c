import math

import numpy as np
import pytest

from ircolor.evaluation.anatomy import DISTANCES_PX, NUM_HUES, Anatomy, distance_from_edges_px
from tests.test_metrics import flat


def halves() -> np.ndarray:
    """Black on the left, white on the right: one edge, at column 40."""
    image = np.zeros((60, 80, 3), np.uint8)
    image[:, 40:] = 255
    return image


def test_distance_from_edges() -> None:
    distance = distance_from_edges_px(halves())
    assert distance[30, 39:41].min() == 0
    assert distance[30, 0] == pytest.approx(39, abs=1.1)
    assert np.isinf(distance_from_edges_px(flat(9, 9, 9))).all()


def test_errors_are_counted_where_they_are() -> None:
    true = halves()
    pred = true.copy()
    pred[:, :4] = 51  # 0.2, more than 32 px from the edge
    anatomy = Anatomy()
    anatomy.add(pred, true)
    anatomy.add(pred / 255, true)
    assert anatomy.num_pixels.sum() == 2 * 60 * 80
    *near, far = anatomy.rmse_by_distance
    assert near == [0] * (len(DISTANCES_PX) - 1)
    share = 2 * 60 * 4 / anatomy.num_pixels[-1]
    assert far == pytest.approx(0.2 * math.sqrt(share))


def test_masked_pixels_are_not_counted() -> None:
    true = halves()
    pred = true.copy()
    pred[:20] = (200, 60, 60)
    mask = np.arange(60)[:, None] >= np.full(80, 20)
    anatomy = Anatomy()
    anatomy.add(pred, true, mask)
    assert anatomy.num_pixels.sum() == 40 * 80
    assert not anatomy.squared_error.any()
    assert (anatomy.hues.sum(), anatomy.num_hued_pixels) == (0, 20 * 40)
    anatomy.add(pred, true, np.eye(60, 80, 1, dtype=np.bool_))  # none of the pixels that hues are taken of
    assert anatomy.num_hued_pixels == 20 * 40


def test_where_no_pixel_lies_there_is_no_error() -> None:
    anatomy = Anatomy()
    anatomy.add(flat(10, 10, 10), flat(10, 10, 10))
    *near, far = anatomy.rmse_by_distance
    assert all(math.isnan(value) for value in near)
    assert far == 0


def test_hues() -> None:
    anatomy = Anatomy()
    anatomy.add(flat(200, 60, 60), flat(200, 60, 60))
    red = anatomy.chroma_by_hue
    assert sum(value > 0 for value in red) == 1
    assert max(red) > 40
    assert red.index(max(red)) < NUM_HUES / 6
    gray = Anatomy()
    gray.add(flat(99, 99, 99), flat(99, 99, 99))
    assert gray.chroma_by_hue == [0] * NUM_HUES
