"""The same work on many items, in as many processes as there are cores."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Any, TypeVar

import cv2

from ircolor.errors import UserError
from ircolor.stop import leave_interrupts_to_parent, stop_signals

# Windows waits for 63 handles at most, and the pool has two of its own.
MAX_WORKERS = 61 if sys.platform == "win32" else 1 << 16
SIGNAL_CHECK_S = 0.2

Item = TypeVar("Item")
Result = TypeVar("Result")


def each_done(
    work: Callable[[Item], Result], items: Sequence[Item], num_workers: int | None = None
) -> Iterator[tuple[int, Result]]:
    """Do some work on each item, in any order; a few at a time are in memory.

    Args:
        work: a function of a module, or a partial of one: processes of their own import it.
        items: what it takes, one at a time; like its results, they must be picklable.
        num_workers: number of processes, all cores if not given; 1 works in this one.

    Yields:
        The number of the item and its result, as soon as it is done.

    Raises:
        UserError: a process died.
    """
    num_workers = min(num_workers or os.cpu_count() or 1, len(items), MAX_WORKERS)
    if num_workers <= 1:
        num_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            for number, item in enumerate(items):
                yield number, work(item)
        finally:
            cv2.setNumThreads(num_threads)
        return
    # Read by numpy when it is imported: a worker is to have one core, also for products of matrices.
    for threads in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):  # the latter of macOS
        os.environ.setdefault(threads, "1")
    waiting: dict[Future[Result], int] = {}
    signals = _HeldSignals()

    def finished() -> Iterator[tuple[int, Result]]:
        with signals:
            while not (done := wait(waiting, SIGNAL_CHECK_S, FIRST_COMPLETED).done):
                signals.let_in()
        for future in done:
            yield waiting.pop(future), future.result()

    # Not forked, as OpenCV's threads do not survive that.
    pool = ProcessPoolExecutor(num_workers, get_context("spawn"), _begin)
    try:
        for number, item in enumerate(items):
            with signals:
                waiting[pool.submit(work, item)] = number
            if len(waiting) > 2 * num_workers:
                yield from finished()
        while waiting:
            yield from finished()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process died, perhaps for lack of memory; go on with --resume and fewer --workers (or begin "
            'what a script of yours does with if __name__ == "__main__":)'
        ) from error
    finally:
        with signals:
            pool.shutdown(cancel_futures=True)


class _HeldSignals:
    """Context in which signals that ask to stop wait until they are let in, or it ends; to be entered again and again.

    One that comes while Python starts or ends the processes of a pool leaves some that wait for ever.
    """

    def __init__(self) -> None:
        self._came: list[int] = []
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> None:
        if current_thread() is main_thread():
            self._handlers = {name: signal.signal(name, self._hold) for name in stop_signals()}

    def __exit__(self, *_: object) -> None:
        for name, handler in self._handlers.items():
            signal.signal(name, handler)
        self.let_in()

    def let_in(self) -> None:
        """Do for each signal that came what was to be done for it."""
        while self._came:
            number = self._came.pop(0)
            handler = self._handlers[number]
            if callable(handler):
                handler(number, None)
            else:  # the system's own: to end the process
                signal.signal(number, handler)
                signal.raise_signal(number)

    def _hold(self, number: int, _: FrameType | None) -> None:
        self._came.append(number)


def _begin() -> None:
    """Begin a worker: it leaves Ctrl-C to the process that started it, and the other cores to the other workers."""
    leave_interrupts_to_parent()
    cv2.setNumThreads(1)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A process that was killed cannot tell its workers, and they would wait for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
