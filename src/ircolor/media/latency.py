"""How long frames of a live source take from their arrival until they are written."""

import math
from collections import Counter

from ircolor.media.live import LiveSource

# Each bin of the histogram is 2 % wider than the one before: quantiles are within 1 %, and no more than 1300 bins lie
# between 1 µs and a day.
_GROWTH = 1.02
_SHORTEST_S = 1e-6


class Latency:
    """Accumulates the delays of frames in constant memory.

    Args:
        source: where the frames come from; it counts those that were skipped.
    """

    def __init__(self, source: LiveSource) -> None:
        self._source = source
        self._bins: Counter[int] = Counter()
        self._longest_s = 0.0

    def add(self, arrived_s: float, written_s: float) -> None:
        """Count one frame; both times by time.monotonic."""
        latency_s = max(written_s - arrived_s, _SHORTEST_S)
        self._bins[math.floor(math.log(latency_s / _SHORTEST_S, _GROWTH))] += 1
        self._longest_s = max(self._longest_s, latency_s)

    def quantile_s(self, share: float) -> float:
        """The delay that this share of the frames do not exceed, in s, within 1 %; `share` in (0, 1]."""
        wanted, counted = share * self._bins.total(), 0
        for place, count in sorted(self._bins.items()):
            counted += count
            if counted >= wanted:
                return min(_SHORTEST_S * math.pow(_GROWTH, place + 0.5), self._longest_s)
        raise ValueError("no frame was counted")

    def summary(self) -> str:
        """One line for people: median, 95th percentile, longest, and how many frames were skipped."""
        skipped = f"{self._source.num_dropped} of {self._source.num_received} received frames were skipped to keep up"
        if not self._bins:
            return f"no frame was written; {skipped}"
        median_ms, most_ms = (1000 * self.quantile_s(share) for share in (0.5, 0.95))
        return (
            f"arrival to written: median {median_ms:.0f} ms, 95 % below {most_ms:.0f} ms, longest "
            f"{1000 * self._longest_s:.0f} ms over {self._bins.total()} frames; {skipped}"
        )
