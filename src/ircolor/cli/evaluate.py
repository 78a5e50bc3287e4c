"""`ircolor evaluate`: score models and folders of predictions on aligned pairs."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL...", help="Names (see ircolor models) or .onnx files."),
    ] = None,
    *,
    data: Annotated[Path, typer.Option(help="Folder with index.csv, or with infrared/ and rgb/ of the same stems.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="nirscene, vcip2020, paper-like, roadscene or folder; chosen by the data if not given."),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Which split to score: train, val, test (or test-clean of vcip2020).")
    ] = "test",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all scores, of each image too.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with the table and pictures.")
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Score these images, named STEM.* or STEM_rgb.*, of the truth's size."),
    ] = None,
) -> None:
    """Score models, or anyone's images, against the true colours.

    Two rows that need no training stand in every table: the infrared image
    copied to three channels, and a cubic curve from infrared to RGB, fitted on
    the training split. Scores are taken on whole images at their stored size.
    The files of --json and --report are replaced when they exist.

    [bold]Examples[/bold]

      ircolor evaluate snet --data pairs/

      ircolor evaluate snet mine.onnx --data pairs/ --report scores.html

      ircolor evaluate snet --data pairs/ --protocol nirscene --json scores.json

      ircolor evaluate --predictions results/ --data pairs/
    """
    from rich.console import Console

    from ircolor.atomic import check_outputs, write_atomic
    from ircolor.cli.progress import tracker
    from ircolor.evaluation.comparison import compare
    from ircolor.evaluation.report import html_report
    from ircolor.evaluation.tables import comparison_table

    check_outputs(report, json_file)
    errors = Console(stderr=True)
    comparison = compare(models or [], data, protocol, split, predictions, tracker(errors))
    if json_file is not None:
        write_atomic(json_file, comparison.to_json().encode())
    if report is not None:
        write_atomic(report, html_report(comparison).encode(errors="replace"))
    means = {name: scores.mean for name, scores in comparison.scores.items()}
    Console().print(comparison_table(means, comparison.title))
    for note in comparison.notes:
        errors.print(note, style="yellow", markup=False)
