"""Stop long work from outside without losing what is done."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import FrameType
from typing import Self


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask to stop: Ctrl-C, SIGTERM, and that of a terminal that closes, unless nohup withheld it."""
    others = (getattr(signal, name, None) for name in ("SIGHUP", "SIGBREAK"))  # of Unix, and of Windows
    heard = (number for number in others if number and signal.getsignal(number) != signal.SIG_IGN)
    return (signal.SIGINT, signal.SIGTERM, *heard)


class StopSignal:
    """Context in which `stop_signals` ask the loop to stop after its step; a second Ctrl-C interrupts at once.

    Args:
        asked: called when a signal comes.

    Attributes:
        number: of the signal that came, or None.
    """

    number: int | None = None

    def __init__(self, asked: Callable[[], None] | None = None) -> None:
        self._asked = asked

    def __enter__(self) -> Self:
        self._previous = {name: signal.signal(name, self._receive) for name in stop_signals()}
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


def leave_interrupts_to_parent(*_: object) -> None:
    """In a process that helps another one: a terminal sends Ctrl-C to both, and the other one knows what to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def ended_when_stuck(patience_s: float, say: Callable[[], None]) -> Iterator[None]:
    """Context in which `stop_signals` end the process also where a library does not come back from its work.

    Python handles signals between two of its own steps, in the main thread. One that waits in C for ever, such as for
    a receiver that takes nothing, handles none.

    Args:
        patience_s: how long the context may take to end after a signal; a second signal ends that.
        say: called before the process ends.
    """
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    asking = stop_signals()

    def listen() -> None:
        number = 0
        while number not in asking:
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
