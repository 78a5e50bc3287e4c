"""Work on many items at once, and hand the results out in order: decode, infer and encode overlap."""

import atexit
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar
from weakref import WeakKeyDictionary

STOP_CHECK_S = 0.2
# What a source may take to give the item that it was asked for when all is stopped; one that hangs is left to itself.
PATIENCE_S = 1.0
EXIT_PATIENCE_S = 5.0  # the same when the program ends: it may be within a network

T = TypeVar("T")
R = TypeVar("R")


def in_order(items: Iterable[T], work: Callable[[T], R], lanes: int) -> Generator[R, None, None]:
    """The results of `work(item)`, in the order of the items.

    Items are drawn in a thread of their own, and worked on in `lanes` more. Each waits when the caller falls behind:
    at most `lanes` items and results wait to be asked for, so memory stays bounded however many items there are.

    Args:
        items: may be slow to draw, or endless.
        work: called from several threads at once.
        lanes: how many items are worked on at the same time; at least 1.

    Raises:
        Exception: what drawing or working on an item raises, when its turn comes; nothing is drawn after that.
    """
    tasks: queue.SimpleQueue[tuple[Future[R], T] | None] = queue.SimpleQueue()
    results: queue.Queue[Future[R] | None] = queue.Queue(maxsize=lanes)
    stopped = threading.Event()

    def put(result: Future[R] | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                results.put(result, timeout=STOP_CHECK_S)
                return

    def feed() -> None:
        try:
            for item in items:
                if stopped.is_set():
                    break
                result: Future[R] = Future()
                tasks.put((result, item))
                put(result)
        except BaseException as error:  # told where the item would have come
            failed: Future[R] = Future()
            failed.set_exception(error)
            put(failed)
        else:
            put(None)

    def toil() -> None:
        while not stopped.is_set() and (task := tasks.get()) is not None:
            _fulfil(*task, work)
            del task  # it may be large, and the next one may be long in coming

    def stop() -> None:
        stopped.set()
        for _ in range(lanes):
            tasks.put(None)

    with ExitStack() as helpers:
        helpers.enter_context(_helping(feed, "ircolor-feeder", stop, hangs=True))
        for number in range(lanes):
            helpers.enter_context(_helping(toil, f"ircolor-lane-{number}", stop))
        while (result := _taken(results)) is not None:
            yield result.result()


def _fulfil(result: Future[R], item: T, work: Callable[[T], R]) -> None:
    try:
        result.set_result(work(item))
    except BaseException as error:  # told where the result would have come
        result.set_exception(error)
    finally:
        del result, item  # else the error would hold them, and they the error


def one_ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The items; each is drawn, in a thread of its own, while the caller works on the one before, and never earlier.

    So what a camera shows is not old when its turn comes, as it would be with a queue.

    Args:
        items: may be slow to draw, or endless.

    Raises:
        Exception: what drawing an item raises, when its turn comes.
    """
    drawn: queue.SimpleQueue[Future[T] | None] = queue.SimpleQueue()
    wanted = threading.Semaphore(1)
    stopped = threading.Event()

    def draw() -> None:
        source = iter(items)
        while True:
            wanted.acquire()
            if stopped.is_set():
                break
            item: Future[T] = Future()
            try:
                item.set_result(next(source))
            except StopIteration:
                drawn.put(None)
                break
            except BaseException as error:  # told where the item would have come
                item.set_exception(error)
            drawn.put(item)

    def stop() -> None:
        stopped.set()
        wanted.release()

    with _helping(draw, "ircolor-drawer", stop, hangs=True):
        while (item := _taken(drawn)) is not None:
            result = item.result()
            wanted.release()
            yield result


def _taken(waiting: "queue.Queue[T] | queue.SimpleQueue[T]") -> T:
    """The next one of a queue; in steps, as on Windows Ctrl-C does not end a wait without an end."""
    while True:
        with suppress(queue.Empty):
            return waiting.get(timeout=STOP_CHECK_S)


# Of threads that help streams: how to stop one, and how long it may take to end.
_stops: "WeakKeyDictionary[threading.Thread, tuple[Callable[[], None], float | None]]" = WeakKeyDictionary()


@contextmanager
def _helping(work: Callable[[], None], name: str, stop: Callable[[], None], *, hangs: bool = False) -> Iterator[None]:
    """Context in which a thread helps a stream; it ends with that.

    A daemon, whose end the program does not wait for: it may hang in a read that never ends. And not one of a pool of
    Python's, which take no work once the main thread has ended, while others may go on.

    Args:
        work: what it does.
        name: of the thread.
        stop: asks it to end; more than once, perhaps.
        hangs: whether it may not do so, and is left to itself then.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    _stops[thread] = stop, EXIT_PATIENCE_S if hangs else None
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(PATIENCE_S if hangs else None)  # whoever opened the source may close it after this


@atexit.register
def _stop_helpers() -> None:
    """End what helps streams that nobody closed: Python would end it within a library, and that the process."""
    helping = list(_stops.items())
    for _, (stop, _) in helping:
        stop()
    for thread, (_, patience_s) in helping:
        thread.join(patience_s)
