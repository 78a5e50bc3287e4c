"""Time contenders in rounds, one after the other, so that whatever else the machine does weighs on all alike."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Contender = Callable[[], float]
"""Does its work once and returns the seconds that it took."""

MIN_ROUNDS, MAX_ROUNDS = 3, 200


@dataclass(frozen=True)
class Rounds:
    """What the contenders took.

    Attributes:
        seconds: by the name of the contender, round by round.
    """

    seconds: Mapping[str, list[float]]

    def median_s(self, name: str) -> float:
        """The typical time of one contender, in s."""
        return median(self.seconds[name])

    def ratio(self, name: str, to: str) -> float:
        """How many times as long as another one a contender takes: the median of the rounds' ratios."""
        return median(ours / theirs for ours, theirs in zip(self.seconds[name], self.seconds[to], strict=True))


def timed(work: Callable[[], object]) -> Contender:
    """A contender whose time is that of a call."""

    def run() -> float:
        start_s = time.perf_counter()
        work()
        return time.perf_counter() - start_s

    return run


def run_rounds(
    contenders: Mapping[str, Contender],
    budget_s: float,
    *,
    min_rounds: int = MIN_ROUNDS,
    warm_up: bool = True,
    progress: Callable[[float], None] | None = None,
) -> Rounds:
    """Time contenders in rounds: A B C A B C ...

    Args:
        contenders: by name.
        budget_s: no further round begins after so long, warm-up not counted.
        min_rounds: that are run in any case.
        warm_up: whether a first round is run that does not count.
        progress: called after each contender with the share of the work that is done, 0 to 1.
    """
    if warm_up:
        for contender in contenders.values():
            contender()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    start_s = time.perf_counter()
    for number in range(MAX_ROUNDS):
        if number >= min_rounds and time.perf_counter() - start_s >= budget_s:
            break
        for place, (name, contender) in enumerate(contenders.items(), start=1):
            seconds[name].append(contender())
            if progress:
                share_of_rounds = (number + place / len(contenders)) / min_rounds
                share_of_time = (time.perf_counter() - start_s) / budget_s if budget_s else 1.0
                progress(min(1.0, share_of_rounds, share_of_time))
    return Rounds(seconds)
