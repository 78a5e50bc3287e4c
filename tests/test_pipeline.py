import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from ircolor.pipeline import in_order, one_ahead


@pytest.mark.parametrize("lanes", [1, 3])
def test_results_keep_the_order_of_the_items(lanes: int) -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))  # later items overtake
        return number * number

    assert list(in_order(range(30), work, lanes)) == [number * number for number in range(30)]


def test_lanes_work_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=30)

    def work(_: int) -> int:
        return together.wait()

    assert sorted(in_order(range(3), work, 3)) == [0, 1, 2]


def test_an_endless_source_is_drawn_only_as_far_as_asked() -> None:
    drawn = []

    def items() -> Iterator[int]:
        for number in itertools.count():
            drawn.append(number)
            yield number

    results = in_order(items(), lambda number: number, 2)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    results.close()
    time.sleep(0.05)
    assert len(drawn) <= 5 + 2 + 2  # results that wait, one that wants to, one beyond


def test_an_error_comes_in_its_turn() -> None:
    def work(number: int) -> float:
        return 1 / (3 - number)

    results = in_order(range(10), work, 2)
    assert [next(results) for _ in range(3)] == [1 / 3, 1 / 2, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_an_error_of_the_source_comes_after_what_was_drawn() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    results = in_order(items(), lambda number: number, 2)
    assert [next(results), next(results)] == [1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(results)


def test_no_lane_is_left_behind() -> None:
    before = threading.active_count()
    results = in_order(itertools.count(), lambda number: number, 4)
    next(results)
    results.close()
    deadline = time.monotonic() + 30
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_one_item_is_drawn_while_the_caller_works_and_no_more() -> None:
    drawn: list[int] = []
    second = threading.Event()

    def items() -> Iterator[int]:
        for number in itertools.count():
            drawn.append(number)
            if number == 1:
                second.set()
            yield number

    results = one_ahead(items())
    assert next(results) == 0
    assert second.wait(30)  # while the caller has the first
    time.sleep(0.05)
    assert drawn == [0, 1]
    assert [next(results) for _ in range(3)] == [1, 2, 3]
    results.close()
    time.sleep(0.05)
    assert len(drawn) <= 5


def test_what_fails_ahead_is_raised_at_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("lost")

    results = one_ahead(items())
    assert next(results) == 1
    with pytest.raises(ValueError, match="lost"):
        next(results)
    assert list(one_ahead([])) == []


AT_EXIT = """
import atexit, itertools, threading, time
atexit.register(lambda: print([thread.name for thread in threading.enumerate()]))  # the last to be called
from ircolor.pipeline import in_order, one_ahead
def slow():
    for number in itertools.count():
        time.sleep(0.01)
        yield number
streams = [in_order(slow(), str, 2), one_ahead(slow())]
print([next(stream) for stream in streams])
"""

IN_A_THREAD = """
import threading, time
from ircolor.pipeline import in_order
begun = threading.Event()
def consume():
    results = in_order(range(4), str, 2)
    first = next(results)
    begun.set()
    time.sleep(0.3)  # until the main thread has ended
    print([first, *results])
threading.Thread(target=consume).start()
begun.wait()
"""

IN_LONG_WORK = """
import atexit, threading, time
atexit.register(lambda: print([thread.name for thread in threading.enumerate()]))
from ircolor.pipeline import in_order
results = in_order([0, 1.5, 1.5, 1.5], time.sleep, 2)
print(next(results))
"""


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (AT_EXIT, "['0', 0]\n['MainThread']\n"),
        (IN_A_THREAD, "['0', '1', '2', '3']\n"),
        (IN_LONG_WORK, "None\n['MainThread']\n"),
    ],
)
def test_streams_that_are_open_when_a_program_ends(program: str, told: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (told, "", 0)
