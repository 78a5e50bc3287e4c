"""The same work on many items, in as many processes as there are cores."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread, current_thread, main_thread
from typing import TypeVar

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
    with _signals_held() as let_signals_in:

        def finished() -> Iterator[tuple[int, Result]]:
            while not (done := wait(waiting, SIGNAL_CHECK_S, FIRST_COMPLETED).done):
                let_signals_in()
            for future in done:
                yield waiting.pop(future), future.result()

        # Not forked, as OpenCV's threads do not survive that.
        pool = ProcessPoolExecutor(num_workers, get_context("spawn"), _begin)
        try:
            for number, item in enumerate(items):
                let_signals_in()
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
            pool.shutdown(cancel_futures=True)


@contextmanager
def _signals_held() -> Iterator[Callable[[], None]]:
    """Context in which signals that ask to stop wait until they are let in, by what it gives.

    One that comes while Python starts or ends the processes of a pool leaves some that wait for ever.
    """
    came: list[int] = []

    def let_in() -> None:
        if came:
            raise KeyboardInterrupt

    handlers = {}
    if current_thread() is main_thread():
        handlers = {name: signal.signal(name, lambda number, _: came.append(number)) for name in stop_signals()}
    try:
        yield let_in
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)
    let_in()


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
