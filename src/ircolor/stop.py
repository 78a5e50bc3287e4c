"""Stop long work from outside without losing what is done."""

import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import FrameType
from typing import Self

# Signals come in pairs at times, as from timeout and systemd; a person insists later.
INSISTING_S = 0.5
HANG_UP = getattr(signal, "SIGHUP", None)  # that of a terminal that closes
_TERMINALS = [number for number in (1, 2) if os.isatty(number)]


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask to stop: Ctrl-C, SIGTERM, and that of a terminal that closes; less those that are ignored.

    Whoever starts a program withholds some from it so: nohup that of the terminal, shells Ctrl-C in the background.
    """
    known = (signal.SIGINT, signal.SIGTERM, HANG_UP, getattr(signal, "SIGBREAK", None))
    return tuple(number for number in known if number and signal.getsignal(number) != signal.SIG_IGN)


def let_go_of_closed_terminals() -> None:
    """Let what is still told go nowhere: writing to a terminal that has closed is an error, and would end all work."""
    for number in _TERMINALS:
        if not os.isatty(number):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)


@contextmanager
def outliving_terminals() -> Iterator[None]:
    """Context in which what is told goes nowhere once its terminal has closed; the signal of that may come later."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        let_go_of_closed_terminals()


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
        if number == HANG_UP:
            let_go_of_closed_terminals()
        if self._asked:
            self._asked()


def leave_interrupts_to_parent(*_: object) -> None:
    """In a process that helps another one: a terminal tells both of Ctrl-C and its end, which the other is to hear."""
    for number in stop_signals():
        if number != signal.SIGTERM:  # by which the other one may end it
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def ended_when_stuck(patience_s: float, say: Callable[[], None]) -> Iterator[None]:
    """Context in which `stop_signals` end the process also where a library does not come back from its work.

    Python handles signals between two of its own steps, in the main thread. One that waits in C for ever, such as for
    a receiver that takes nothing, handles none.

    Args:
        patience_s: how long the context may take to end after a signal; a second one, a second later, ends that.
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
        came_s = time.monotonic()
        with suppress(TimeoutError):
            while (waited_s := time.monotonic() - came_s) < patience_s:
                ear.settimeout(patience_s - waited_s)
                if not (heard := ear.recv(1)):
                    return
                if heard[0] in asking and time.monotonic() > came_s + INSISTING_S:
                    break
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
