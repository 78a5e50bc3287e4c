"""Stop long work from outside without losing what is done."""

import signal
from collections.abc import Callable
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
