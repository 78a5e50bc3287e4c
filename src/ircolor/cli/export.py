"""`ircolor export`: make a model file of a training run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ircolor.errors import UserError

if TYPE_CHECKING:
    from ircolor.weights.card import Card


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run, or one of its .safetensors files.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.onnx", help="Where to write the model.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="3 to 5 times faster on a CPU; needs --data, to calibrate on training pairs.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Score the model on val and test of the run's protocol and note it on its card.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the model; the file's name if not given.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Make one model file, with its card, of the best checkpoint of a run.

    A model to try on your images:
    ircolor export runs/mine -o mine.onnx
    ircolor colorize night.png --model mine.onnx

    A fast one, with scores on its card:
    ircolor export runs/mine -o mine.onnx --int8 --data pairs/
    """
    from ircolor.atomic import check_writable, write_atomic
    from ircolor.weights.seal import seal

    if output.suffix != ".onnx":
        raise UserError(f"{output}: a model file ends in .onnx; choose such a name")
    if int8 and data is None:
        raise UserError("--int8 calibrates on training pairs; give their folder with --data")
    if output.exists() and not overwrite:
        raise UserError(f"{output}: exists; choose another name, or replace it with --overwrite")
    check_writable(output)
    try:
        from ircolor.training.export import export_run
    except ModuleNotFoundError as error:
        raise UserError(f"exporting needs {error.name}; install it with: pip install 'ircolor[train]'") from error

    typer.echo(f"exporting {run}", err=True)
    body, card = export_run(run, name or output.stem, data if int8 else None)
    if data is not None:
        card = _scored(body, card, data)
    write_atomic(output, seal(body, card))
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, from epoch {card.epochs}", err=True)


def _scored(body: bytes, card: "Card", data: Path) -> "Card":
    """The card with the scores of the very file that is shipped, on val and test."""
    from dataclasses import replace
    from math import isfinite
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from ircolor.cli.progress import tracker
    from ircolor.evaluation.models import model_rows
    from ircolor.evaluation.score import score_pairs
    from ircolor.pairs.protocols import split_pairs
    from ircolor.weights.seal import seal

    console = Console(stderr=True)
    scores = {}
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{card.name}.onnx"
        file.write_bytes(seal(body, card))
        rows = model_rows([str(file)])
        for split in ("val", "test"):
            console.print(f"scoring {split}")
            mean = score_pairs(rows, split_pairs(data, card.protocol, split), tracker(console))[card.name].mean
            scores[split] = {key: round(value, 4) for key, value in mean.items() if isfinite(value)}
    return replace(card, scores=scores)
