"""What a run tells: a JSONL file always; on a terminal a live line, elsewhere a plain line now and then."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from ircolor.atomic import write_atomic
from ircolor.errors import UserError
from ircolor.stop import outliving_terminals
from ircolor.training.speed import Work

LOG_EVERY_STEPS = 10
PLAIN_LINE_EVERY_S = 30.0


class Journal:
    """Records of a run, on disk and on the console.

    Args:
        path: the JSONL file; continued if it exists.
        resumed_step: records after this step come from work that was lost, and are dropped.
        console: where people look.
        enabled: False on all processes but the first.
        work: of the run.
        steps_per_epoch: of the run.
        batch_size: images a step.
        device_gflops: the rate for matrix products of all processes' devices, in 10^9 operations a second.
    """

    def __init__(
        self,
        path: Path,
        resumed_step: int,
        console: Console,
        *,
        enabled: bool,
        work: Work,
        steps_per_epoch: int,
        batch_size: int,
        device_gflops: float,
    ) -> None:
        self.path = path
        self.console = console
        self.enabled = enabled
        self.work = work
        self.steps_per_epoch = steps_per_epoch
        self.batch_size = batch_size
        self.device_gflops = device_gflops
        self.resumed_step = resumed_step
        self._live = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=8),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=console,
            disable=not (enabled and console.is_terminal),
        )
        self._task = self._live.add_task("starting", total=work.total_steps, completed=resumed_step, epoch="-")
        self._plain_line_due_s = time.monotonic()
        self._begin_window(resumed_step)

    def __enter__(self) -> Self:
        if self.enabled and self.path.exists():
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            kept = [line for line in lines if _step_of(line) <= self.resumed_step]
            write_atomic(self.path, "".join(kept).encode())
        with outliving_terminals():
            self._live.start()
        self._window_start_s = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with outliving_terminals():
            self._live.stop()

    def record(self, event: str, **values: Any) -> None:
        """Append one record to the JSONL file; `values` must hold `step`."""
        if self.enabled:
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"event": event, **values}) + "\n")
            except OSError as error:
                raise UserError(f"{self.path}: cannot be written ({error.strerror}); mend that and --resume") from error

    def sitting(self, step: int) -> None:
        """Record that training begins, or goes on, after so many steps."""
        self.record("sitting", step=step, gflop_per_image=round(self.work.color_gflop, 3),
                    matmul_gflops=round(self.device_gflops, 1))  # fmt: skip

    def step(self, step: int, terms: Mapping[str, Tensor]) -> None:
        """Take note of a step, counted from 1, and the terms of its loss; now and then their means are told."""
        for name, term in terms.items():
            self._sums[name] = self._sums.get(name, 0) + term.detach()
        if step % LOG_EVERY_STEPS and step % self.steps_per_epoch:
            return
        steps = step - self._window_step
        images_per_s = steps * self.batch_size / (time.monotonic() - self._window_start_s)
        means = {name: round(float(total) / steps, 6) for name, total in self._sums.items()}
        gflop = self.work.of_step(step - 1)
        left_s = self.work.after(step) * self.batch_size / gflop / images_per_s
        self._tell(step, means, images_per_s, images_per_s * gflop / self.device_gflops, left_s)
        self._begin_window(step)

    def _begin_window(self, step: int) -> None:
        """Begin the steps whose means are told next."""
        self._sums: dict[str, Tensor | int] = {}
        self._window_step, self._window_start_s = step, time.monotonic()

    def _tell(self, step: int, means: Mapping[str, float], images_per_s: float, share: float, left_s: float) -> None:
        epoch = -(-step // self.steps_per_epoch)  # counted from 1
        self.record("train", step=step, epoch=epoch, images_per_s=round(images_per_s, 3),
                    share_of_matmul_rate=round(share, 4), **means)  # fmt: skip
        losses = "  ".join(f"{name.removesuffix('_loss')} {value:.3f}" for name, value in means.items())
        line = f"{losses}  {images_per_s:.1f} images/s, {share:.0%} of the matrix rate"
        with outliving_terminals():
            self._live.update(self._task, completed=step, description=line, epoch=epoch)
        if self.enabled and not self.console.is_terminal and time.monotonic() >= self._plain_line_due_s:
            self._plain_line_due_s = time.monotonic() + PLAIN_LINE_EVERY_S
            minutes, seconds = divmod(round(left_s), 60)
            self.say(f"epoch {epoch}  step {step}/{self.work.total_steps}  {line}  {minutes}:{seconds:02d} left")

    def validation(self, step: int, epoch: int, scores: Mapping[str, float], improved: bool, train_s: float) -> None:
        """Record and show what weights score.

        Args:
            step: that they are of.
            epoch: the same, counted from 1.
            scores: of `ircolor.training.validation.validate`.
            improved: they are the best so far.
            train_s: seconds spent on the training, over all sittings.
        """
        rounded = {name: round(score, 4) for name, score in scores.items()}
        self.record("validation", step=step, epoch=epoch, **rounded, train_s=round(train_s, 1))
        self.say(
            f"epoch {epoch}: validation PSNR {scores['psnr_db']:.2f} dB{' (best)' if improved else ''}, "
            f"CIEDE2000 {scores['delta_e_2000']:.2f}, chroma gain {scores['chroma_gain']:.3f}, "
            f"colour ratio {scores['colorfulness_ratio']:.2f}"
        )
        self._window_start_s = time.monotonic()  # it is no part of the time of steps

    def say(self, text: str) -> None:
        """Show a line to people."""
        if self.enabled:
            with outliving_terminals():
                self.console.print(text, highlight=False, soft_wrap=True)


def _step_of(line: str) -> float:
    """The step of a record; infinite for a line that was torn when the run was killed."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
