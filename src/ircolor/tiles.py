"""Cut a large image into tiles so that the result equals that of the whole image.

A network sees `halo_px` around each pixel. So tiles overlap by twice the halo, and of each only the part is
kept that lies at least a halo inside it; at the border of the image the tile begins with the image, which
keeps the padding of the network the same. All edges lie on the network's grid, so that its downsampling falls
on the same pixels.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ircolor.errors import UserError

# What one run of a network may take by itself when the tile is chosen here.
MEMORY_BUDGET_BYTES = 600 << 20


@dataclass(frozen=True)
class Span:
    """Along one axis, in image pixels: what the network is shown, and the part of its result that is kept."""

    start: int
    end: int
    keep_start: int
    keep_end: int


@dataclass(frozen=True)
class Tiling:
    """How an image is cut.

    Attributes:
        rows: spans from top to bottom.
        columns: spans from left to right.
        reason: why so, for the user.
    """

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]
    reason: str

    @property
    def num_tiles(self) -> int:
        """How often the network runs."""
        return len(self.rows) * len(self.columns)

    def __iter__(self) -> Iterator[tuple[Span, Span]]:
        """Row span and column span of each tile."""
        return ((row, column) for row in self.rows for column in self.columns)


def plan_tiles(
    height: int, width: int, tile: str | int, *, grid_px: int, halo_px: int, bytes_per_px: int
) -> Tiling:
    """Choose the tiles of an image.

    Args:
        height: of the padded image, a multiple of the grid.
        width: as height.
        tile: off (the whole image at once), auto (what fits MEMORY_BUDGET_BYTES), or the edge of a tile, its
            halo included, in pixels.
        grid_px: of the network.
        halo_px: of the network.
        bytes_per_px: memory that the network takes over the number of pixels it is shown.

    Raises:
        UserError: not one of these, or a tile too small for the halo.
    """
    halo_px = math.ceil(halo_px / grid_px) * grid_px
    smallest_px = 2 * halo_px + grid_px
    fits = height * width * bytes_per_px <= MEMORY_BUDGET_BYTES
    if tile == "off" or (tile == "auto" and fits):
        return Tiling(_spans(height, height, 0), _spans(width, width, 0), "the whole image at once")
    if tile == "auto":
        # At twice the smallest the halo costs a factor of four in work; below that it explodes.
        edge_px = max(math.isqrt(MEMORY_BUDGET_BYTES // bytes_per_px) // grid_px * grid_px, 2 * smallest_px)
        reason = f"tiles of {edge_px} px keep the network below {MEMORY_BUDGET_BYTES >> 20} MiB"
    else:
        edge_px = _tile_edge(tile) // grid_px * grid_px
        if edge_px < smallest_px:
            raise UserError(
                f"tile {tile}: too small for this network's reach; use at least {smallest_px}, or auto"
            )
        reason = f"tiles of {edge_px} px, as asked"
    return Tiling(_spans(height, edge_px, halo_px), _spans(width, edge_px, halo_px), reason)


def check_tile(tile: str | int) -> None:
    """Raise UserError when this is not auto, off or a number of pixels."""
    if tile not in ("auto", "off"):
        _tile_edge(tile)


def _tile_edge(tile: str | int) -> int:
    try:
        edge_px = int(tile)
    except ValueError:
        edge_px = 0
    if edge_px < 1:
        raise UserError(f"tile {tile!r}: expected auto, off or a number of pixels, e.g. 512")
    return edge_px


def _spans(length: int, edge_px: int, halo_px: int) -> tuple[Span, ...]:
    """Spans of one length that cover an axis; `edge_px` is more than two halos, or the whole length."""
    edge_px = min(edge_px, length)
    spans: list[Span] = []
    kept = 0
    while kept < length:
        start = min(max(0, kept - halo_px), length - edge_px)
        end = start + edge_px
        keep_end = length if end == length else end - halo_px
        spans.append(Span(start, end, kept, keep_end))
        kept = keep_end
    return tuple(spans)
