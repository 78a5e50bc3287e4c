"""Make the time stamps of a video increase, as every container demands: stored ones repeat, run back or are missing."""

from fractions import Fraction
from math import ceil

# The least step between frames that every container can hold.
TICK_S = Fraction(1, 1000)
# Time stamps that run back by more than this begin a new count, as in recordings put end to end.
_NEW_COUNT_S = 1


class Joints:
    """Where recordings were put end to end: all streams of a file go on after a joint moved by the same time.

    So picture and sound stay in step, though those of one recording may end seconds apart.
    """

    def __init__(self) -> None:
        self._clocks: list[Clock] = []
        self._moves_s: list[Fraction] = []

    def add(self, clock: "Clock") -> None:
        """Count a stream in."""
        self._clocks.append(clock)

    def move_s(self, number: int, stamp_s: Fraction) -> Fraction:
        """By how much time stamps are moved from a joint on.

        Args:
            number: of the joint, counted from 0.
            stamp_s: of the first stream, and of what it has next; it comes behind the end of all streams.
        """
        if number == len(self._moves_s):
            self._moves_s.append(max(clock.known_end_s for clock in self._clocks) - stamp_s)
        return self._moves_s[number]


class Clock:
    """Time stamps of one stream; those that increase are kept as they are.

    Attributes:
        begin_s: of the first time stamp.
        end_s: of the latest one, with the duration of what it belongs to.
        num_repaired: time stamps that did not increase.
    """

    def __init__(self, time_base: Fraction, step_s: Fraction, joints: Joints | None = None) -> None:
        """Begin to count.

        Args:
            time_base: seconds of a unit of the time stamps.
            step_s: the usual time from one to the next.
            joints: of the file; None where the stream is the only one.
        """
        self._joints = joints or Joints()
        self._joints.add(self)
        self._num_joints = 0
        self._time_base = time_base
        self._step = max(1, round(step_s / time_base))
        self._tick = max(1, ceil(TICK_S / time_base))
        self._shift = 0
        self._last: int | None = None
        self._next = self._announced = 0
        self.begin_s = self.end_s = 0.0
        self.num_repaired = 0

    @property
    def known_end_s(self) -> Fraction:
        """Of the latest time stamp, ticked or announced, with the duration of what it belongs to."""
        return max(self._next, self._announced) * self._time_base

    def announce(self, stamp: int | None, duration: int | None = None) -> None:
        """Tell of what was read and ticks later: a decoder holds back some pictures."""
        if stamp is not None:
            self._announced = max(self._announced, stamp + self._shift + (duration or self._step))

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
                move_s = self._joints.move_s(self._num_joints, stamp * self._time_base)
                self._num_joints += 1
                move = max(round(move_s / self._time_base), self._last + self._tick - stamp)
                self._shift += move
                stamp += move
            else:
                stamp = self._last + self._tick
        self._last = stamp
        self._next = stamp + (duration or self._step)
        self.end_s = float(self._next * self._time_base)
        return stamp
