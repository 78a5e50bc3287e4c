from pathlib import Path

import cv2
import numpy as np
import pytest

from ircolor.media.images import read_rgb
from ircolor.registration.aligned import AlignedPair
from ircolor.registration.preview import checkerboard, edge_overlay, preview_file, previews
from tests.conftest import noise

# A bright square on dark in infrared; the other way round in colour, as with leaves against the sky.
INFRARED = np.full((90, 120), 30, np.uint8)
INFRARED[30:60, 40:80] = 220
RGB = np.repeat(255 - INFRARED[..., None], 3, axis=2)


def test_tiles_alternate_eight_along_the_longer_side() -> None:
    rgb = np.zeros((60, 80, 3), np.uint8)
    rgb[..., 0] = 255
    infrared = np.zeros((60, 80), np.uint8)
    infrared[0, 0] = 1  # what is equal everywhere shows its stored value; this is black
    board = checkerboard(rgb, infrared)
    assert board.shape == (60, 80, 3)
    rows, columns = np.indices((60, 80)) // 10
    in_colour = (rows + columns) % 2 == 0
    assert (board[in_colour] == [255, 0, 0]).all()
    assert (board[~in_colour][1:] == 0).all()


@pytest.mark.parametrize("size", [(600, 1000), (1000, 600)])
def test_large_pairs_are_shown_small(size: tuple[int, int]) -> None:
    infrared = noise(*size)
    rgb = np.repeat(infrared[..., None], 3, axis=2)
    for picture in (checkerboard(rgb, infrared), edge_overlay(rgb, infrared)):
        assert picture.shape == (size[0] * 480 // 1000, size[1] * 480 // 1000, 3)


def test_edges_that_coincide_are_white_and_those_that_do_not_are_coloured() -> None:
    aligned = edge_overlay(RGB, INFRARED).astype(int)
    edge = aligned[45, 38:42].max(axis=0)
    assert edge.min() > 200
    assert np.ptp(edge) < 30
    apart = edge_overlay(np.roll(RGB, 12, axis=1), INFRARED).astype(int)
    red, _, blue = apart[45, 38:42].max(axis=0)
    assert blue > red + 100  # infrared
    red, _, blue = apart[45, 50:54].max(axis=0) - apart[45, 65]
    assert red > blue + 100  # RGB


def test_dark_and_deep_images_show_as_much() -> None:
    # Pixels that are nearly equal everywhere differ by rounding only.
    expected = edge_overlay(RGB, INFRARED).astype(int)
    deep = INFRARED.astype(np.uint16) * 8
    dark = (RGB / np.float32(255) / 10).astype(np.float32)
    assert np.abs(edge_overlay(dark, deep) - expected).max() <= 3


def test_pictures_of_a_pair(tmp_path: Path) -> None:
    before = np.asarray(cv2.resize(np.roll(RGB, 12, axis=1), (60, 45), interpolation=cv2.INTER_AREA))
    assert set(previews(before, INFRARED, None)) == {"before"}
    pictures = previews(before, INFRARED, AlignedPair(INFRARED[10:], RGB[10:], (10, 0, 80, 120)))
    shapes = {kind: read_rgb(picture).shape for kind, picture in pictures.items()}
    assert shapes == {"checkerboard": (80, 120, 3), "edges": (80, 120, 3), "before": (90, 120, 3)}
    assert read_rgb(pictures["edges"]).min(axis=2).max() > 150  # white
    assert preview_file(tmp_path, "a.b", "edges") == tmp_path / "preview" / "a.b_edges.jpg"
