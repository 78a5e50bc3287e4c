"""Cut a large image into tiles so that the result equals that of the whole image.

A network sees `halo_px` around each pixel. So tiles overlap by twice the halo, and of each only the part is
kept that lies at least a halo inside it; at the border of the image the tile begins with the image, which
keeps the padding of the network the same. All edges lie on the network's grid, so that its downsampling falls
on the same pixels.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ircolor import memory
from ircolor.errors import UserError

MAX_CANDIDATES = 4096


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
    height: int,
    width: int,
    tile: str | int,
    *,
    grid_px: int,
    halo_px: int,
    bytes_per_px: int,
    strip_bytes_per_px: int = 0,
    held_bytes: int = 0,
    lanes: int = 1,
) -> Tiling:
    """Choose the tiles of an image.

    Args:
        height: of the padded image, a multiple of the grid.
        width: as height.
        tile: off (the whole image at once), auto (what fits the memory), or the edge of a tile, its halo included,
            in pixels.
        grid_px: of the network.
        halo_px: of the network.
        bytes_per_px: memory that the network takes over the number of pixels it is shown.
        strip_bytes_per_px: memory that a row of tiles takes, the network aside, over its pixels.
        held_bytes: memory that is taken already and stays so, e.g. by the decoded image.
        lanes: how many tiles run at the same time where there is more than one.

    Raises:
        UserError: not one of these, or a tile too small for the halo.
    """
    halo_px = math.ceil(halo_px / grid_px) * grid_px
    smallest_px = 2 * halo_px + grid_px
    if tile not in ("auto", "off"):
        edge_px = _tile_edge(tile) // grid_px * grid_px
        if edge_px < smallest_px:
            raise UserError(f"tile {tile}: too small for this network's reach; use at least {smallest_px}, or auto")
        window, reason = (edge_px, edge_px), f"tiles of {edge_px} px, as asked"
    else:
        window, reason = (height, width), "the whole image at once"
        needed_bytes = height * width * (bytes_per_px + strip_bytes_per_px)
        if tile == "auto" and needed_bytes > memory.LITTLE_BYTES:
            budget_bytes, why = memory.memory_budget(held_bytes)
            if needed_bytes > budget_bytes:
                cost = _Cost(lanes * bytes_per_px, strip_bytes_per_px, budget_bytes)
                window = _cheapest_window(height, width, cost, grid_px, halo_px)
                reason = f"tiles of {window[0]}x{window[1]} px, for {budget_bytes >> 20} MiB of memory ({why})"
    return Tiling(_spans(height, window[0], halo_px), _spans(width, window[1], halo_px), reason)


def cut_strips(shape: tuple[int, ...], bytes_per_px: int, held_bytes: int, reason: str) -> Tiling:
    """Cut an image, whose pixels need nothing of their neighbours, into as few strips as fit the memory.

    Args:
        shape: of the image, (H, W).
        bytes_per_px: memory that work on a strip takes over its pixels.
        held_bytes: as for `plan_tiles`.
        reason: of the tiling.
    """
    height, width = shape
    needed_bytes, num_strips = height * width * bytes_per_px, 1
    if needed_bytes > memory.LITTLE_BYTES:
        budget_bytes, why = memory.memory_budget(held_bytes)
        num_strips = min(height, math.ceil(needed_bytes / budget_bytes))
        if num_strips > 1:
            reason = f"{reason}; {num_strips} strips, for {budget_bytes >> 20} MiB of memory ({why})"
    rows = _spans(height, math.ceil(height / num_strips), 0)
    return Tiling(rows, _spans(width, width, 0), reason)


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


@dataclass(frozen=True)
class _Cost:
    """What memory tiles take, and what they may take."""

    bytes_per_px: int
    strip_bytes_per_px: int
    budget_bytes: int

    def widest_px(self, tall_px: int, width: int) -> int:
        """How wide tiles of a height may be, in an image of a width."""
        return (self.budget_bytes - tall_px * width * self.strip_bytes_per_px) // (tall_px * self.bytes_per_px)


def _cheapest_window(height: int, width: int, cost: _Cost, grid_px: int, halo_px: int) -> tuple[int, int]:
    """Height and width of the tiles that fit the budget with the fewest pixels to run, overlaps counted.

    Where not even the smallest tile fits, it is taken all the same: nothing smaller gives a result.
    """
    smallest_px = 2 * halo_px + grid_px

    def edge(length: int, num_tiles: int) -> int:
        """Of equal tiles that just cover an axis."""
        if num_tiles == 1:
            return length
        return math.ceil((length - 2 * halo_px) / num_tiles / grid_px) * grid_px + 2 * halo_px

    best = (min(height, smallest_px), min(width, smallest_px))
    fewest_px = math.inf
    # With fewer rows not even the narrowest tile fits; the best is among the next, and the list may be long.
    least_rows = max(1, height * min(width, smallest_px) * cost.bytes_per_px // cost.budget_bytes)
    most_rows = max(1, (height - 2 * halo_px) // grid_px)
    for num_rows in range(least_rows, min(most_rows, least_rows + MAX_CANDIDATES) + 1):
        tall_px = edge(height, num_rows)
        widest_px = cost.widest_px(tall_px, width) // grid_px * grid_px
        if widest_px < min(smallest_px, width):
            continue
        least_columns = 1 if widest_px >= width else math.ceil((width - 2 * halo_px) / (widest_px - 2 * halo_px))
        # Tiles end on the grid: what that wastes may pay for the overlaps of a few columns more.
        spare_columns = least_columns * grid_px // max(2 * halo_px, grid_px)
        for num_columns in range(least_columns, least_columns + spare_columns + 1):
            window = (tall_px, edge(width, num_columns))
            to_run_px = num_rows * num_columns * window[0] * window[1]
            if to_run_px < fewest_px:
                best, fewest_px = window, to_run_px
    return best


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
