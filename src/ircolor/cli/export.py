"""`ircolor export`: make a model file of training runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ircolor.errors import UserError

if TYPE_CHECKING:
    from ircolor.weights.card import Card

# The same network in float32, to tell what int8 loses.
_EXACT = "unquantized float32"


def export(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of runs, or .safetensors files of theirs; mostly one."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.onnx", help="Where to write the model.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="3 to 5 times faster on a CPU; needs --data, to calibrate on training pairs.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Pairs of the runs: score the model on what it has not seen of val and test, note it on its card, and "
            "bring its expected error to scale on val."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call the model; the file's name if not given.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Make one model file, with its card, of the best checkpoint of a run; the last one of a run that has no best.

    Any other checkpoint can be given itself; it takes the run's trust along where that is learned.
    Of several runs the model gives the mean colours: what each gets wrong in its own way is averaged out.

    A model to try on your images:
    ircolor export runs/mine -o mine.onnx
    ircolor colorize night.png --model mine.onnx

    A fast one, with scores on its card:
    ircolor export runs/mine -o mine_int8.onnx --int8 --data pairs/

    The mean of two runs of the same pairs, with grade and trust of the first:
    ircolor export runs/mine runs/plus -o both.onnx
    """
    from ircolor.atomic import check_writable, write_atomic
    from ircolor.benchmark.latency import card_latency
    from ircolor.weights.card import MAX_NAME_LENGTH
    from ircolor.weights.seal import seal

    if output.suffix != ".onnx":
        raise UserError(f"{output}: a model file ends in .onnx; choose such a name")
    if int8 and data is None:
        raise UserError("--int8 calibrates on training pairs; give their folder with --data")
    name = name or output.stem
    if Path(name).name != name:
        raise UserError(f"--name {name}: is a path; give a plain name, such as night, and the file with --output")
    if len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise UserError(
            f"{name!r}: is too long for the name of a model, or cannot be printed; give one of at most "
            f"{MAX_NAME_LENGTH} letters with --name"
        )
    if output.exists() and not overwrite:
        raise UserError(f"{output}: exists; choose another name, or replace it with --overwrite")
    check_writable(output)
    try:
        from ircolor.training.export import export_runs, unseen_splits
    except ModuleNotFoundError as error:
        raise UserError(f"exporting needs {error.name}; install it with: pip install 'ircolor[train]'") from error

    typer.echo(f"exporting {' and '.join(map(str, runs))}", err=True)
    body, card = export_runs(runs, name, data, int8=int8)
    card = card_latency(body, card)
    if data is not None:
        models = {card.name: seal(body, card)}
        if int8:
            models[_EXACT] = seal(*export_runs(runs, _EXACT))  # its colours are compared; trust needs no scale
        card = _scored(card, models, data, unseen_splits(runs[0]))
    write_atomic(output, seal(body, card))
    times = ", ".join(f"{ms:g} ms at {size}" for size, ms in card.latency_ms.items())
    origin = f"from epoch {card.epochs}" if len(runs) == 1 else f"the mean of {len(runs)} runs"
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, {times}, {origin}", err=True)


def _scored(card: "Card", models: dict[str, bytes], data: Path, splits: tuple[str, ...]) -> "Card":
    """The card with the scores of the very file that is shipped, and what int8 lost of them.

    Args:
        card: of the model.
        models: the sealed model by its name, and for int8 that in float32 as _EXACT.
        data: folder of the pairs.
        splits: that are scored.
    """
    from dataclasses import replace
    from math import isfinite
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from ircolor.cli.progress import tracker
    from ircolor.evaluation.comparison import pairs_to_score
    from ircolor.evaluation.models import model_rows
    from ircolor.evaluation.score import score_pairs

    console = Console(stderr=True)
    scores = {}
    with TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.onnx") for number in range(len(models))]  # names are not for paths
        for file, sealed in zip(files, models.values(), strict=True):
            file.write_bytes(sealed)
        rows = dict(zip(models, model_rows([str(file) for file in files]).values(), strict=True))
        for split in splits:
            try:
                pairs = pairs_to_score(data, card.protocol, split)
            except UserError as error:  # no pairs, as in vcip2020 without its test, or two of one stem
                console.print(f"not scored on {split}: {error}", highlight=False, soft_wrap=True)
                continue
            console.print(f"scoring {split}")
            found = score_pairs(rows, pairs, tracker(console))
            mean = dict(found[card.name].mean)
            if _EXACT in models:
                mean["psnr_db_lost_by_int8"] = found[_EXACT].mean["psnr_db"] - mean["psnr_db"]
                console.print(
                    f"{split}: {mean['psnr_db']:.2f} dB; int8 loses {mean['psnr_db_lost_by_int8']:.3f} dB of float32"
                )
            scores[split] = {key: round(value, 6) for key, value in mean.items() if isfinite(value)}
    return replace(card, scores=scores)
