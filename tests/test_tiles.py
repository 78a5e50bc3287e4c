import math
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ircolor.errors import UserError
from ircolor.machine import Memory
from ircolor.memory import MEMORY_BUDGET_BYTES
from ircolor.tiles import Tiling, cut_strips, plan_tiles


@pytest.fixture(autouse=True)
def _much_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.memory.memory", lambda: Memory(1 << 41, 1 << 40, None))


def plan(height: int, width: int, tile: str | int, bytes_per_px: int = 1000) -> Tiling:
    return plan_tiles(height, width, tile, grid_px=16, halo_px=24, bytes_per_px=bytes_per_px)


@given(height=st.integers(1, 60), width=st.integers(1, 60), tile=st.integers(80, 400))
def test_tiles_keep_each_pixel_once_with_its_halo(height: int, width: int, tile: int) -> None:
    tiling = plan(height * 16, width * 16, tile)
    for length, spans in ((height * 16, tiling.rows), (width * 16, tiling.columns)):
        assert spans[0].keep_start == 0
        assert spans[-1].keep_end == length
        for before, after in pairwise(spans):
            assert before.keep_end == after.keep_start
        for span in spans:
            assert 0 <= span.start <= span.keep_start < span.keep_end <= span.end <= length
            assert span.start % 16 == span.end % 16 == 0
            assert span.end - span.start <= tile
            assert span.start == 0 or span.keep_start - span.start >= 24
            assert span.end == length or span.end - span.keep_end >= 24


def test_auto_cuts_only_what_does_not_fit_the_budget() -> None:
    side = 1024
    fits = MEMORY_BUDGET_BYTES // side**2
    assert plan(side, side, "auto", fits).num_tiles == 1
    cut = plan(side, side, "auto", fits + 1)
    assert cut.num_tiles > 1
    assert pixels_run(cut, largest=True) * (fits + 1) <= MEMORY_BUDGET_BYTES
    assert "for 900 MiB of memory (its budget)" in cut.reason


@pytest.mark.parametrize("held_mib", [0, 100, 600])
def test_auto_counts_the_image_its_strips_and_the_network_together(held_mib: int) -> None:
    held_bytes, strip_bytes_per_px = held_mib << 20, 20
    tiling = plan_tiles(
        10_000,
        10_000,
        "auto",
        grid_px=16,
        halo_px=112,
        bytes_per_px=768,
        strip_bytes_per_px=strip_bytes_per_px,
        held_bytes=held_bytes,
    )
    tallest_px = max(row.keep_end - row.keep_start for row in tiling.rows)
    strip_bytes = tallest_px * 10_000 * strip_bytes_per_px
    taken_bytes = held_bytes + strip_bytes + pixels_run(tiling, largest=True) * 768
    assert 0.7 * MEMORY_BUDGET_BYTES < taken_bytes <= MEMORY_BUDGET_BYTES


def test_auto_takes_half_of_what_is_free_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.memory.memory", lambda: Memory(1 << 40, 600 << 20, None))
    tiling = plan(10_000 // 16 * 16, 10_000 // 16 * 16, "auto")
    assert pixels_run(tiling, largest=True) * 1000 <= 300 << 20
    assert tiling.reason.endswith("for 300 MiB of memory (half of the 600 MiB that are free)")


def test_without_any_memory_left_it_goes_on_in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.memory.memory", lambda: Memory(1 << 30, 0, None))
    assert cut_strips((9000, 9000), 40, 0, "seen at 128 px").num_tiles == 9000
    assert plan(1600, 1600, "auto").num_tiles > 1


def test_an_extremely_long_image_is_planned() -> None:
    tiling = plan_tiles(1 << 28, 16, "auto", grid_px=16, halo_px=112, bytes_per_px=768)
    assert pixels_run(tiling, largest=True) * 768 <= MEMORY_BUDGET_BYTES


@given(height=st.integers(1, 200), width=st.integers(1, 200), budget_px=st.integers(80 * 80, 1000 * 1000))
@example(height=12, width=140, budget_px=39_936)  # 17 columns of 192 px are cheaper than 16 of 208
def test_auto_stays_within_the_budget_and_wastes_little(height: int, width: int, budget_px: int) -> None:
    height, width, bytes_per_px = height * 16, width * 16, max(MEMORY_BUDGET_BYTES // budget_px, 1)
    tiling = plan(height, width, "auto", bytes_per_px)
    assert pixels_run(tiling, largest=True) * bytes_per_px <= MEMORY_BUDGET_BYTES
    square = math.isqrt(MEMORY_BUDGET_BYTES // bytes_per_px)
    assert pixels_run(tiling) <= max(pixels_run(plan(height, width, square, bytes_per_px)), height * width)


def pixels_run(tiling: Tiling, largest: bool = False) -> int:
    """Pixels that the network is shown, in all or in the largest tile."""
    areas = [(row.end - row.start) * (column.end - column.start) for row, column in tiling]
    return max(areas) if largest else sum(areas)


def test_off_never_cuts() -> None:
    assert plan(16 * 500, 16 * 500, "off").num_tiles == 1


@pytest.mark.parametrize("tile", ["0", "-5", "big", "1.5"])
def test_what_is_no_tile_is_told(tile: str) -> None:
    with pytest.raises(UserError, match="expected auto, off or a number of pixels"):
        plan(64, 64, tile)


def test_a_tile_smaller_than_the_reach_is_told() -> None:
    with pytest.raises(UserError, match=r"tile 64: too small .* at least 80"):
        plan(640, 640, 64)
