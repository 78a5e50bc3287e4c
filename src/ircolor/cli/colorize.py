"""ircolor colorize."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ircolor.batch import Outcome, Plan
    from ircolor.colorizer import Colorizer


def colorize(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE", help="Image, folder, quoted glob, or - for standard input."),
    ],
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FILE|DIR", help="Where to; - for standard output."),
    ] = None,
    model: Annotated[str, typer.Option(metavar="NAME|FILE.onnx", help="See ircolor models.")] = "snet",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where the network runs.")] = "auto",
    tile: Annotated[
        str, typer.Option(metavar="auto|off|N", help="Edge of the tiles of a large image, pixels.")
    ] = "auto",
    intensity: Annotated[
        str,
        typer.Option(metavar="auto|full|percentile|LOW:HIGH", help="Stored values that become black and white."),
    ] = "auto",
    threads: Annotated[int | None, typer.Option(metavar="N", help="CPU threads.", show_default="all cores")] = None,
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Write the infrared image beside its colours.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Skip inputs whose output exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Turn infrared images into natural colour.

    Without -o, photo.png becomes photo_rgb.png beside it, a folder the same
    tree in FOLDER_rgb, and standard input standard output. Results are PNG
    unless FILE ends in .jpg, .tiff or .webp; their metadata says that their
    colours are predicted. Nothing is overwritten unasked.

    [bold]Examples[/bold]

      ircolor colorize night.png

      ircolor colorize camera-trap/ -o coloured/ --resume

      ircolor colorize "frames/**/*.tiff" -o coloured/ --intensity 0:4095

      ircolor colorize - < night.png > night_rgb.png

    Exit status: 0 all done, 1 some inputs failed (listed at the end), 2 nothing begun.
    """
    import sys

    from ircolor.batch import plan_jobs
    from ircolor.colorizer import Colorizer
    from ircolor.errors import UserError

    plan = plan_jobs(sources, output, overwrite=overwrite, resume=resume)
    to_stdout = any(job.output is None for job in plan.jobs)
    if to_stdout and as_json:
        raise UserError("--json and an image on standard output exclude each other; give -o FILE")
    if to_stdout and output != "-" and sys.stdout.isatty():
        raise UserError("-: the result would be written to the terminal; give -o FILE, or -o - to insist")
    colorizer = Colorizer(model, device=device, tile=tile, intensity=intensity, threads=threads)
    card = colorizer.model.card
    _say(f"{card.name} {card.version} on {colorizer.device} ({colorizer.device_reason})")
    if plan.num_outputs:
        _say(f"left out {plan.num_outputs} images that are results of this command")
    if resume:
        _say(f"skipped {plan.num_done} images that are done")
    outcomes = _run(colorizer, plan, side_by_side)
    errors = [*plan.failures, *(outcome.error for outcome in outcomes if outcome.error)]
    if as_json:
        _print_json(colorizer, plan, outcomes)
    if errors and len(outcomes) + len(plan.failures) > 1:
        _say(f"{_num_done(outcomes)} images done, {len(errors)} failures:")
    for error in errors:
        _say(f"error: {' '.join(error.split())}")
    if errors:
        raise typer.Exit(1)


def _run(colorizer: "Colorizer", plan: "Plan", compare: bool) -> list["Outcome"]:
    from ircolor.batch import run_job
    from ircolor.cli.progress import LateProgress

    outcomes: list[Outcome] = []
    with LateProgress("colorizing") as bar:
        for done, job in enumerate(plan.jobs, start=1):
            tiles = bar.show if len(plan.jobs) == 1 else None
            outcome = run_job(colorizer, job, compare=compare, progress=tiles)
            outcomes.append(outcome)
            bar.show(done, len(plan.jobs))
            for note in outcome.notes:
                _say(f"{outcome.input}: {note}")
            if not outcome.error:
                how = f"{outcome.intensity}; {outcome.tiles}"
                _say(f"{outcome.input} -> {outcome.output} ({outcome.seconds:.2f} s; {how})")
    return outcomes


def _num_done(outcomes: list["Outcome"]) -> int:
    return sum(outcome.error is None for outcome in outcomes)


def _print_json(colorizer: "Colorizer", plan: "Plan", outcomes: list["Outcome"]) -> None:
    import json

    num_done = _num_done(outcomes)
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


def _say(text: str) -> None:
    """For people, on standard error; standard output is for images and JSON."""
    import sys

    print(text, file=sys.stderr)
