"""Stop long work from outside without losing what is done."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import FrameType
from typing import Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """Context in which SIGINT and SIGTERM ask the loop to stop after its step; a second SIGINT interrupts at once.

    Args:
        asked: called when a signal comes.

    Attributes:
        number: of the signal that came, or None.
    """

    number: int | None = None

    def __init__(self, asked: Callable[[], None] | None = None) -> None:
        self._asked = asked

    def __enter__(self) -> Self:
        self._previous = {name: signal.signal(name, self._receive) for name in STOP_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for name, handler in self._previous.items():
            signal.signal(name, handler)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self.number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number
        if self._asked:
            self._asked()


@contextmanager
def ended_when_stuck(patience_s: float, say: Callable[[], None]) -> Iterator[None]:
    """Context in which SIGINT and SIGTERM end the process also where a library does not come back from its work.

    Python handles signals between two of its own steps, in the main thread. One that waits in C for ever, such as for
    a receiver that takes nothing, handles none.

    Args:
        patience_s: how long the context may take to end after a signal; a second signal ends that.
        say: called before the process ends.
    """
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)

    def listen() -> None:
        number = 0
        while number not in STOP_SIGNALS:
            if not (heard := ear.recv(1)):
                return
            number = heard[0]
        ear.settimeout(patience_s)
        with suppress(TimeoutError):
            if not ear.recv(1):
                return
        say()
        os._exit(128 + number)

    listener = Thread(target=listen, daemon=True)
    before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        mouth.close()
        listener.join()
        ear.close()
