"""Colorize an image tile by tile, from top to bottom."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.colorized import Strip
from ircolor.pipeline import in_order
from ircolor.sessions.prediction import Prediction
from ircolor.tiles import Span, Tiling
from ircolor.trust import fade

Kept = tuple[slice, slice]
Paint = Callable[[NDArray[np.float32], slice, Kept], Prediction]
"""Colours of a tile, at rest. It is given the infrared tile in [0, 1] with its overlap, the rows of the image that are
wanted of it, and where in the tile, rows and columns, that lies."""


@dataclass(frozen=True)
class Tile:
    """What one tile gives, without its overlap and without what lies beyond the image.

    Attributes:
        rows: where it lies in the image.
        columns: as rows.
        infrared: (h, w), float32 in [0, 1].
        rgb: (h, w, 3), float32 in [0, 1].
        expected_error: (h, w), float32, CIEDE2000; None where it is not known.
    """

    rows: slice
    columns: slice
    infrared: NDArray[np.float32]
    rgb: NDArray[np.float32]
    expected_error: NDArray[np.float32] | None


def painted_by(network: Callable[[NDArray[np.float32]], Prediction]) -> Paint:
    """Tiles that a network colorizes, each by itself.

    Args:
        network: of a batch, (B, 1, H, W) in [-1, 1].
    """

    def paint(seen: NDArray[np.float32], _rows: slice, kept: Kept) -> Prediction:
        predicted = network((seen * 2 - 1)[None, None])
        channels = np.clip((predicted.rgb[0][:, *kept] + 1) / 2, 0, 1)
        rgb = np.asarray(cv2.merge(list(channels)), np.float32)  # ten times as fast as to transpose and copy
        return Prediction(rgb, None if predicted.expected_error is None else predicted.expected_error[0, 0][kept])

    return paint


def run_tiles(
    paint: Paint,
    infrared: NDArray[Any],
    tiling: Tiling,
    to_unit: Callable[[NDArray[Any]], NDArray[np.float32]] = np.asarray,
    lanes: int = 1,
    fade_strength: float = 0.0,
) -> Iterator[Tile]:
    """Colorize an image, row by row of tiles.

    Args:
        paint: gives the colours of a tile.
        infrared: (H, W).
        tiling: of the image, or of the image as it is padded to a network's grid: beyond its border it is reflected.
        to_unit: maps the values of a tile to float32 in [0, 1]; not needed where they are that.
        lanes: tiles that are worked on at the same time.
        fade_strength: of `trust.fade`; above 0 there must be an expected error.
    """
    height, width = infrared.shape

    def run(spans: tuple[Span, Span]) -> Tile:
        row, column = spans
        seen = to_unit(infrared[_reflected(row, height)][:, _reflected(column, width)])
        rows = slice(row.keep_start, min(row.keep_end, height))
        columns = slice(column.keep_start, min(column.keep_end, width))
        kept = (
            slice(rows.start - row.start, rows.stop - row.start),
            slice(columns.start - column.start, columns.stop - column.start),
        )
        rgb, expected_error = paint(seen, rows, kept)
        if expected_error is not None and fade_strength:
            rgb = fade(rgb, expected_error, fade_strength)
        return Tile(rows, columns, seen[kept], rgb, expected_error)

    if lanes == 1 or tiling.num_tiles == 1:
        return map(run, tiling)
    return in_order(tiling, run, lanes)


def run_strips(
    paint: Paint,
    infrared: NDArray[Any],
    tiling: Tiling,
    to_unit: Callable[[NDArray[Any]], NDArray[np.float32]],
    dtype: np.dtype[Any],
    *,
    lanes: int,
    fade_strength: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Strip]:
    """As `run_tiles`, but the tiles of a row come together, as integers.

    Args:
        paint: as for `run_tiles`.
        infrared: as for `run_tiles`.
        tiling: as for `run_tiles`.
        to_unit: as for `run_tiles`.
        dtype: of the strips: uint8 or uint16.
        lanes: as for `run_tiles`.
        fade_strength: as for `run_tiles`.
        progress: called with the number of tiles done, and of all.
    """
    width, white = infrared.shape[1], np.iinfo(dtype).max
    for done, tile in enumerate(run_tiles(paint, infrared, tiling, to_unit, lanes, fade_strength), start=1):
        if tile.columns.start == 0:
            num_rows = tile.rows.stop - tile.rows.start
            errors = None if tile.expected_error is None else np.empty((num_rows, width), np.float32)
            strip = Strip(np.empty((num_rows, width, 3), dtype), np.empty((num_rows, width), dtype), errors)
        strip.rgb[:, tile.columns] = np.rint(tile.rgb * white)
        strip.infrared[:, tile.columns] = np.rint(tile.infrared * white)
        if strip.expected_error is not None:
            strip.expected_error[:, tile.columns] = tile.expected_error
        if progress:
            progress(done, tiling.num_tiles)
        if tile.columns.stop == width:
            yield strip


def _reflected(span: Span, length: int) -> slice | NDArray[np.intp]:
    """Where the pixels of a span lie in an axis of a length, as numpy.pad reflects what is beyond it."""
    if span.end <= length:
        return slice(span.start, span.end)
    period = max(1, 2 * (length - 1))
    places = np.arange(span.start, span.end) % period
    return np.minimum(places, period - places)
