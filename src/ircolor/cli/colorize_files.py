"""What `ircolor colorize` does with files and folders."""

import glob
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import typer

from ircolor.batch import Outcome, run_jobs
from ircolor.cli.messages import in_words, say, say_errors, say_network
from ircolor.cli.progress import LateProgress
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.media.sources import is_folder
from ircolor.plan import Job, Plan, Settings, plan_jobs
from ircolor.watch import watch_jobs

Load = Callable[..., Colorizer]
"""Makes the Colorizer that the command line describes: `load(lanes=...)`."""


def colorize_files(
    load: Load,
    sources: Sequence[str],
    output: str | None,
    settings: Settings,
    *,
    overwrite: bool,
    resume: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Colorize images, videos and folders; say what becomes of each.

    Raises:
        UserError: nothing was begun.
        typer.Exit: some failed.
    """
    if watch and overwrite:
        raise UserError("--watch: keeps results that exist; leave --overwrite out")
    if watch and not all(is_folder(Path(source)) or glob.has_magic(source) for source in sources):
        raise UserError("--watch: needs a folder or a quoted glob to look through")
    if watch and output == "-":
        raise UserError("--watch: results of many files do not fit into standard output; give -o DIR")
    plan = plan_jobs(sources, output, overwrite=overwrite, resume=resume or watch, strict=not watch, settings=settings)
    to_stdout = any(job.output is None for job in plan.jobs)
    if to_stdout and as_json:
        raise UserError("--json and an image on standard output exclude each other; give -o FILE")
    if to_stdout and output != "-" and sys.stdout.isatty():
        raise UserError("-: the result would be written to the terminal; give -o FILE, or -o - to insist")
    many = watch or len(plan.jobs) > 1 or any(job.source.kind == "video" for job in plan.jobs)
    colorizer = load(lanes=None if many else 1)
    say_network(colorizer)
    if plan.num_outputs:
        say(f"left out {plan.num_outputs} files that are results of this command")
    if resume:
        say(f"skipped {plan.num_done} files that are done")
    outcomes: dict[str, Outcome] = {}
    if watch:
        say("watching for files; Ctrl-C ends it")
        with suppress(KeyboardInterrupt):
            _run(colorizer, watch_jobs(sources, output, settings, say), settings, outcomes, None)
        plan = replace(plan, failures=())
    else:
        try:
            _run(colorizer, plan.jobs, settings, outcomes, len(plan.jobs))
        except KeyboardInterrupt:
            say_errors([outcome.error for outcome in outcomes.values() if outcome.error])
            raise
    _conclude(colorizer, plan, list(outcomes.values()), as_json)


def _run(
    colorizer: Colorizer, jobs: Iterable[Job], settings: Settings, outcomes: dict[str, Outcome], num_jobs: int | None
) -> None:
    """Note the last of what becomes of each input, and say it."""
    with LateProgress("colorizing") as bar:

        def show(done: int, total: int | None) -> None:
            """Of the file at hand, and which it is."""
            bar.show(done, total, f"{len(outcomes) + 1} of {num_jobs}" if num_jobs and num_jobs > 1 else "")

        with closing(run_jobs(colorizer, jobs, settings, show)) as done:
            for outcome in done:
                outcomes[outcome.input] = outcome
                if num_jobs and num_jobs > 1:
                    bar.show(len(outcomes), num_jobs)
                _say_outcome(outcome)
                if outcome.error and num_jobs is None:  # without end, there is no list at the end
                    say_errors([outcome.error])


def _say_outcome(outcome: Outcome) -> None:
    for note in outcome.notes:
        say(f"{outcome.input}: {note}")
    if outcome.intensity:
        how = in_words(outcome.intensity, outcome.tiles, outcome.mean_expected_error)
        frames = f"{outcome.num_frames} frames, " if outcome.num_frames else ""
        say(f"{outcome.input} -> {outcome.output} ({frames}{outcome.seconds:.2f} s; {how})")


def _conclude(colorizer: Colorizer, plan: Plan, outcomes: list[Outcome], as_json: bool) -> None:
    errors = [*plan.failures, *(outcome.error for outcome in outcomes if outcome.error)]
    num_done = sum(outcome.error is None for outcome in outcomes)
    if as_json:
        summary = {
            "model": colorizer.model.card.name,
            "model_version": colorizer.model.card.version,
            "model_sha256": colorizer.model.sha256,
            "device": colorizer.device,
            "num_done": num_done,
            "num_skipped": plan.num_done,
            "num_failed": len(outcomes) - num_done + len(plan.failures),
            "files": [outcome.to_dict() for outcome in outcomes],
            "failures": list(plan.failures),
        }
        print(json.dumps(summary, indent=2))
    if errors and len(outcomes) + len(plan.failures) > 1:
        say(f"{num_done} files done, {len(errors)} failures:")
    say_errors(errors)
    if errors:
        raise typer.Exit(1)
