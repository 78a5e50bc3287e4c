"""Stop a run from outside without losing work."""

import signal
from types import FrameType
from typing import Self


class StopSignal:
    """Context in which SIGINT and SIGTERM ask the loop to stop after its step; a second SIGINT interrupts at once.

    Attributes:
        number: of the signal that came, or None.
    """

    number: int | None = None

    def __enter__(self) -> Self:
        self._previous = {name: signal.signal(name, self._receive) for name in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for name, handler in self._previous.items():
            signal.signal(name, handler)

    def _receive(self, number: int, _: FrameType | None) -> None:
        if self.number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number
