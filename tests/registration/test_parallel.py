import os
import signal
import time

import cv2
import pytest

from ircolor.errors import UserError
from ircolor.registration.parallel import each_done


def square(number: int) -> int:
    return number * number


def process_and_threads(_: int) -> tuple[int, int]:
    time.sleep(0.1)
    return os.getpid(), cv2.getNumThreads()


def die(number: int) -> int:
    if number == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("num_workers", [1, 2])
def test_each_item_comes_back_once_with_its_number(num_workers: int) -> None:
    assert sorted(each_done(square, range(12), num_workers)) == [(number, number**2) for number in range(12)]
    assert list(each_done(square, [], num_workers)) == []


def test_each_process_keeps_to_one_core() -> None:
    before = cv2.getNumThreads()
    found = {result for _, result in each_done(process_and_threads, range(6), 2)}
    assert {threads for _, threads in found} == {1}
    assert os.getpid() not in {process for process, _ in found}
    assert {result for _, result in each_done(process_and_threads, range(2), 1)} == {(os.getpid(), 1)}
    assert cv2.getNumThreads() == before


def test_a_process_that_dies_is_told_after_what_was_done() -> None:
    done = []

    def work() -> None:
        for _, number in each_done(die, range(12), 2):
            done.append(number)

    with pytest.raises(UserError, match="a worker process died"):
        work()
    assert done
    assert 9 not in done


def test_an_interruption_ends_all_processes() -> None:
    processes = set()

    def work() -> None:
        for _, (process, _) in each_done(process_and_threads, range(1000), 2):
            processes.add(process)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        work()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
