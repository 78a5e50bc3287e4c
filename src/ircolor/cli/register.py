"""`ircolor register`: the pictures of two cameras become aligned pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ircolor.cli.messages import say_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ircolor.registration.folder import Summary
    from ircolor.registration.result import Verdict


Model = Literal["auto", "similarity", "affine", "homography", "tps"]


def register(
    *,
    rgb: Annotated[Path, typer.Option(metavar="DIR", help="Images of the colour camera, sub-folders included.")],
    infrared: Annotated[Path, typer.Option(metavar="DIR", help="Images of the infrared camera.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PAIRS", help="Folder for the pairs.")],
    match: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Pairs by hand: columns rgb, infrared and, if wanted, stem.")
    ] = None,
    time_tolerance_s: Annotated[
        float | None,
        typer.Option("--time-tolerance", metavar="SECONDS", min=0, help="Match by time (EXIF or name), not by name."),
    ] = None,
    model: Annotated[Model, typer.Option(help="auto: the simplest that explains the matches; tps needs --points.")] = (
        "auto"
    ),
    onto: Annotated[
        Literal["infrared", "rgb"], typer.Option(help="Camera whose pixels stay as they are.")
    ] = "infrared",
    rig: Annotated[bool, typer.Option("--rig", help="The cameras are bolted together: one transform for all.")] = False,
    points: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Points by hand: columns x_rgb,y_rgb,x_ir,y_ir and, if wanted, stem."),
    ] = None,
    calibration_rgb: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Lens calibration (OpenCV YAML), to undistort first.")
    ] = None,
    calibration_infrared: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same of the infrared camera.")
    ] = None,
    keep: Annotated[
        Literal["accept", "review"], typer.Option(help="List accepted pairs only, or also those to review.")
    ] = "accept",
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes.", show_default="all cores")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with PAIRS; what is finished stays.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the pairs of an earlier run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Align the pictures of an infrared and a colour camera.

    Partners are found by name (or time, or table). Each pair gets a transform
    and a verdict: accept, review or reject. PAIRS can be given to ircolor train
    as it is: index.csv lists the accepted pairs, warped onto one grid and
    cropped to what both cameras saw, with masks where parallax leaves them
    apart. report.html shows all; registration.csv has the numbers.

    [bold]Examples[/bold]

      ircolor register --rgb colour/ --infrared nir/ -o pairs/

      ircolor register --rgb colour/ --infrared nir/ -o pairs/ --rig --resume

      ircolor register --rgb a/ --infrared b/ -o pairs/ --time-tolerance 0.05

      ircolor register --rgb a/ --infrared b/ -o pairs/ --points clicked.csv

    Exit status: 0 all pairs processed, whatever their verdict; 1 some could not
    be read or have no partner (listed at the end); 2 nothing begun; 130 stopped.
    """
    import sys

    from ircolor.cli.progress import LateProgress
    from ircolor.errors import UserError
    from ircolor.registration.calibration import read_calibration
    from ircolor.registration.folder import Settings, register_folder
    from ircolor.registration.output import REPORT_NAME, check_places
    from ircolor.registration.partners import find_partners
    from ircolor.registration.points import read_points

    if match is not None and time_tolerance_s is not None:
        raise UserError("--match and --time-tolerance contradict each other; give one of them")
    if model == "tps" and points is None:
        raise UserError("--model tps: a thin-plate spline goes through points by hand; give --points FILE.csv")
    check_places(output, [rgb, infrared])
    settings = Settings(
        model="thin-plate spline" if model == "tps" else model,
        onto=onto,
        keep=keep,
        rig=rig,
        points=read_points(points) if points else {},
        calibration_rgb=read_calibration(calibration_rgb) if calibration_rgb else None,
        calibration_infrared=read_calibration(calibration_infrared) if calibration_infrared else None,
    )
    partners, unmatched = find_partners(rgb, infrared, match, time_tolerance_s)
    with LateProgress("registering") as bar:

        def show(counts: "Mapping[Verdict, int]", total: int) -> None:
            bar.show(
                sum(counts.values()),
                total,
                ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())),
            )

        try:
            summary = register_folder(
                partners,
                output,
                settings,
                num_workers=workers,
                resume=resume,
                overwrite=overwrite,
                show=show,
                say=lambda text: print(text, file=sys.stderr),
            )
        except KeyboardInterrupt:
            print(f"{output}: interrupted; go on with --resume", file=sys.stderr)
            raise
    if as_json:
        _print_json(summary, unmatched, output)
    else:
        _print_table(summary)
    failures = [*unmatched, *summary.failures]
    if failures:
        print(f"{len(unmatched)} without a partner, {len(summary.failures)} failed:", file=sys.stderr)
    say_errors(failures)
    print(f"report: {output / REPORT_NAME}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


def _print_table(summary: "Summary") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table("verdict", box=box.SIMPLE_HEAD, padding=0)
    for heading in ("pairs", "median residual, px"):
        table.add_column(heading, justify="right")
    for verdict, (num_pairs, residual_px) in summary.by_verdict.items():
        table.add_row(verdict, str(num_pairs), "-" if residual_px is None else f"{residual_px:.2f}")
    Console().print(table)


def _print_json(summary: "Summary", unmatched: "Sequence[str]", output: Path) -> None:
    import json

    from ircolor.registration.output import REPORT_NAME

    rig = summary.rig
    content = {
        "pairs": str(output),
        "report": str(output / REPORT_NAME),
        "num_pairs": len(summary.registrations),
        "num_resumed": summary.num_resumed,
        "num_failed": len(summary.failures),
        "num_unmatched": len(unmatched),
        "verdicts": {
            verdict: {"num_pairs": num_pairs, "residual_median_px": residual_px}
            for verdict, (num_pairs, residual_px) in summary.by_verdict.items()
        },
        "rig": rig
        and {
            "model": rig.rig.warp.model,
            "matrix": rig.rig.warp.matrix.tolist(),
            "num_agreeing": rig.rig.num_frames,
            "num_frames": len(rig.stems),
            "outliers": rig.outliers,
        },
        "failures": summary.failures,
        "unmatched": unmatched,
    }
    print(json.dumps(content, indent=2))
