"""What asks to stop; that it is heard is tested where something is stopped."""

import signal
import sys
from collections.abc import Iterator

import pytest

from ircolor.stop import StopSignal, stop_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")


@pytest.fixture
def hang_up() -> Iterator[signal.Signals]:
    before = signal.getsignal(signal.SIGHUP)
    yield signal.SIGHUP
    signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_closes_asks_to_stop(hang_up: signal.Signals) -> None:
    signal.signal(hang_up, signal.SIG_DFL)
    asked: list[bool] = []
    with StopSignal(lambda: asked.append(True)) as stop:
        signal.raise_signal(hang_up)
    assert asked == [True]
    assert stop.number == hang_up
    assert signal.getsignal(hang_up) == signal.SIG_DFL


def test_what_nohup_withholds_is_not_heard(hang_up: signal.Signals) -> None:
    signal.signal(hang_up, signal.SIG_IGN)
    assert hang_up not in stop_signals()
    with StopSignal() as stop:
        signal.raise_signal(hang_up)
    assert stop.number is None
