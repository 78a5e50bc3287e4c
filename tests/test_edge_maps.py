"""Edge maps against what is known of them."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from ircolor.edge_maps import canny_edges, find_edges


def step_image() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Left half black, right half white; the step lies between columns 15 and 16."""
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[:, 16:] = 255
    return rgb


def test_canny_marks_the_step_and_nothing_else() -> None:
    edges = canny_edges(step_image())
    assert edges.dtype == np.float32
    assert set(np.unique(edges)) == {0.0, 1.0}
    columns = np.flatnonzero(edges[8:-8].all(axis=0))
    assert len(columns) == 1
    assert columns[0] in (15, 16)
    assert edges.sum() == pytest.approx(32, abs=2)
    assert canny_edges(np.full((16, 16, 3), 77, np.uint8)).max() == 0


def test_find_edges_is_that_of_pillow_on_the_red_channel() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(rgb[..., 0]).filter(ImageFilter.FIND_EDGES), np.float32) / 255
    np.testing.assert_allclose(find_edges(rgb)[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)
