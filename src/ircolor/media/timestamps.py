"""Make the time stamps of a video increase, as every container demands: stored ones repeat, run back or are missing."""

from fractions import Fraction
from math import ceil

# The least step between frames that every container can hold.
TICK_S = Fraction(1, 1000)
# Time stamps that run back by more than this begin a new count, as in recordings put end to end.
_NEW_COUNT_S = 1


class Clock:
    """Time stamps of one stream; those that increase are kept as they are.

    Attributes:
        begin_s: of the first time stamp.
        end_s: of the latest one, with the duration of what it belongs to.
        num_repaired: time stamps that did not increase.
    """

    def __init__(self, time_base: Fraction, step_s: Fraction) -> None:
        """Begin to count.

        Args:
            time_base: seconds of a unit of the time stamps.
            step_s: the usual time from one to the next.
        """
        self._time_base = time_base
        self._step = max(1, round(step_s / time_base))
        self._tick = max(1, ceil(TICK_S / time_base))
        self._shift = 0
        self._last: int | None = None
        self._next = 0
        self.begin_s = self.end_s = 0.0
        self.num_repaired = 0

    def tick(self, stamp: int | None, duration: int | None = None) -> int:
        """The next time stamp, larger than the one before.

        Args:
            stamp: as stored; None where it is missing, and the count goes on.
            duration: how long what it belongs to lasts; the usual step where unknown.
        """
        stamp = self._next if stamp is None else stamp + self._shift
        if self._last is None:
            self.begin_s = float(stamp * self._time_base)
        elif stamp <= self._last:
            self.num_repaired += 1
            if (self._last - stamp) * self._time_base > _NEW_COUNT_S:
                self._shift += self._next - stamp
                stamp = self._next
            else:
                stamp = self._last + self._tick
        self._last = stamp
        self._next = stamp + (duration or self._step)
        self.end_s = float(self._next * self._time_base)
        return stamp
