import time
from collections.abc import Callable

import pytest

from ircolor.benchmark.rounds import Rounds, run_rounds, timed


def contender(order: list[str], name: str, seconds: list[float]) -> Callable[[], float]:
    """Notes that it ran, and claims to have taken these seconds, one after the other."""
    times = iter(seconds)

    def run() -> float:
        order.append(name)
        return next(times)

    return run


def test_contenders_take_turns_after_a_warm_up_that_does_not_count() -> None:
    order: list[str] = []
    contenders = {"a": contender(order, "a", [9.0, 1.0, 2.0]), "b": contender(order, "b", [9.0, 4.0, 2.0])}
    rounds = run_rounds(contenders, 0, min_rounds=2)
    assert order == ["a", "b"] * 3
    assert rounds.seconds == {"a": [1.0, 2.0], "b": [4.0, 2.0]}


def test_the_ratio_is_of_times_of_one_round() -> None:
    # Round two and three ran on a machine three times as busy: the medians alone would say 1.0.
    rounds = Rounds({"a": [1.0, 3.0, 6.0], "b": [2.0, 6.0, 3.0]})
    assert (rounds.median_s("a"), rounds.median_s("b")) == (3.0, 3.0)
    assert rounds.ratio("b", "a") == 2.0


def test_rounds_go_on_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def work() -> None:
        clock[0] += 2.0

    rounds = run_rounds({"work": timed(work)}, 9, warm_up=False)
    assert rounds.seconds == {"work": [2.0] * 5}
    assert run_rounds({"work": timed(work)}, 1, min_rounds=3, warm_up=False).seconds == {"work": [2.0] * 3}


def test_progress_grows_to_the_end() -> None:
    shares: list[float] = []
    run_rounds({"a": lambda: 0.0, "b": lambda: 0.0}, 0, min_rounds=2, progress=shares.append)
    assert shares == [0.25, 0.5, 0.75, 1.0]
