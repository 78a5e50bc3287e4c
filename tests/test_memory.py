import pytest

from ircolor.machine import Memory
from ircolor.memory import LEAST_SHARE, MEMORY_BUDGET_BYTES, lanes_for, memory_budget

MIB = 1 << 20


def set_free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    monkeypatch.setattr("ircolor.memory.memory", lambda: Memory(1 << 50, free_bytes, None))


def test_the_budget_is_shared_with_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    set_free(monkeypatch, 1 << 40)
    assert memory_budget() == (MEMORY_BUDGET_BYTES, "its budget")
    assert memory_budget(100 * MIB) == (MEMORY_BUDGET_BYTES - 100 * MIB, "900 MiB less the image")
    least_bytes = int(MEMORY_BUDGET_BYTES * LEAST_SHARE)
    assert memory_budget(5000 * MIB) == (least_bytes, "as the image takes 5000 MiB itself")


def test_at_most_half_of_what_is_free_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    set_free(monkeypatch, 400 * MIB)
    said = "half of the 400 MiB that are free"
    assert memory_budget() == (200 * MIB, said)
    assert memory_budget(100 * MIB) == (200 * MIB, said)
    assert memory_budget(5000 * MIB)[0] == 200 * MIB


@pytest.mark.parametrize(("free_mib", "lanes"), [(100, 1), (3000, 1), (4000, 2), (64000, 8)])
def test_there_are_as_many_lanes_as_memory_allows(monkeypatch: pytest.MonkeyPatch, free_mib: int, lanes: int) -> None:
    set_free(monkeypatch, free_mib * MIB)
    assert lanes_for(8) == lanes
