"""Run a network over an image tile by tile, from top to bottom."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ircolor.colorized import Strip
from ircolor.pipeline import in_order
from ircolor.tiles import Span, Tiling

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]."""


@dataclass(frozen=True)
class Tile:
    """What one tile gives, without its overlap and without what lies beyond the image.

    Attributes:
        rows: where it lies in the image.
        columns: as rows.
        infrared: (h, w), float32 in [0, 1]: what the network saw.
        rgb: (h, w, 3), float32 in [0, 1].
    """

    rows: slice
    columns: slice
    infrared: NDArray[np.float32]
    rgb: NDArray[np.float32]


def run_tiles(
    network: Network,
    infrared: NDArray[Any],
    tiling: Tiling,
    to_unit: Callable[[NDArray[Any]], NDArray[np.float32]] = np.asarray,
    lanes: int = 1,
) -> Iterator[Tile]:
    """Run a network over an image, row by row of tiles.

    Args:
        network: what runs.
        infrared: (H, W).
        tiling: of the image as it is padded to the network's grid: beyond its border it is reflected.
        to_unit: maps the values of a tile to float32 in [0, 1]; not needed where they are that.
        lanes: tiles in the network at the same time.
    """
    height, width = infrared.shape

    def run(spans: tuple[Span, Span]) -> Tile:
        row, column = spans
        seen = to_unit(infrared[_reflected(row, height)][:, _reflected(column, width)])
        predicted = network((seen * 2 - 1)[None, None])[0]
        rows = slice(row.keep_start, min(row.keep_end, height))
        columns = slice(column.keep_start, min(column.keep_end, width))
        kept_rows = slice(rows.start - row.start, rows.stop - row.start)
        kept_columns = slice(columns.start - column.start, columns.stop - column.start)
        rgb = np.clip((predicted[:, kept_rows, kept_columns] + 1) / 2, 0, 1).transpose(1, 2, 0)
        return Tile(rows, columns, seen[kept_rows, kept_columns], rgb)

    if lanes == 1 or tiling.num_tiles == 1:
        return map(run, tiling)
    return in_order(tiling, run, lanes)


def run_strips(
    network: Network,
    infrared: NDArray[Any],
    tiling: Tiling,
    to_unit: Callable[[NDArray[Any]], NDArray[np.float32]],
    dtype: np.dtype[Any],
    *,
    lanes: int,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Strip]:
    """As `run_tiles`, but the tiles of a row come together, as integers.

    Args:
        network: as for `run_tiles`.
        infrared: as for `run_tiles`.
        tiling: as for `run_tiles`.
        to_unit: as for `run_tiles`.
        dtype: of the strips: uint8 or uint16.
        lanes: as for `run_tiles`.
        progress: called with the number of tiles done, and of all.
    """
    width, white = infrared.shape[1], np.iinfo(dtype).max
    for done, tile in enumerate(run_tiles(network, infrared, tiling, to_unit, lanes), start=1):
        if tile.columns.start == 0:
            num_rows = tile.rows.stop - tile.rows.start
            strip = Strip(np.empty((num_rows, width, 3), dtype), np.empty((num_rows, width), dtype))
        strip.rgb[:, tile.columns] = np.rint(tile.rgb * white)
        strip.infrared[:, tile.columns] = np.rint(tile.infrared * white)
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
