"""Progress bars on standard error, for a terminal only."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ircolor.errors import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from ircolor.evaluation.score import Track

PATIENCE_S = 2.0


def tracker(console: "Console") -> "Track":
    """A bar for work that takes long in any case: wraps an iterable, as `Track` describes."""
    from functools import partial

    from rich.progress import track

    return partial(track, console=console, transient=True, disable=not console.is_terminal)


class LateProgress:
    """A bar that appears only when the work takes longer than two seconds.

    Use as a context manager; call `show` as often as there is something to show.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._start_s = time.monotonic()
        self._bar: Progress | None = None

    def show(self, done: int, total: int | None, detail: str = "") -> None:
        """Show how much is done, and a few words on it, if it is time to and standard error is a terminal.

        Args:
            done: so far.
            total: None where nobody knows.
            detail: what is being done.
        """
        if self._bar is None:
            ends = total is not None and done >= total
            if time.monotonic() - self._start_s < PATIENCE_S or ends or not (sys.stderr and sys.stderr.isatty()):
                return
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            label = TextColumn("{task.description}", markup=False)  # names of files and models are in it
            columns = (label, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._bar.add_task("", total=total)
        description = one_line(f"{self._label}: {detail}" if detail else self._label)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total, description=description)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
