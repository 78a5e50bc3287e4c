"""`ircolor compare`: the systems of the paper, trained where they are missing, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from ircolor.errors import UserError


def compare(
    systems: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SYSTEM...",
            help="snet, colornet, iizuka, iizuka_chroma, zhang, zhang_chroma, johnson, limmer, suarez, pix2pix; all of "
            "them if none is named.",
        ),
    ] = None,
    *,
    data: Annotated[Path, typer.Option(help="Folder with index.csv, or with infrared/ and rgb/ of the same stems.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="nirscene, vcip2020, paper-like, roadscene or folder; chosen by the data if not given."),
    ] = None,
    split: Annotated[str, typer.Option(help="Which split to score: val or test.")] = "test",
    runs: Annotated[Path, typer.Option(help="Folder where trainings are kept.")] = Path("runs/compare"),
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of snet and colornet; the others are trained once.")] = 1,
    epochs: Annotated[int | None, typer.Option(min=1, help="Of each training, instead of the recipes' six.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="A training ends after so long, whatever its epochs.")
    ] = None,
    loss_network: Annotated[
        Path | None,
        typer.Option(help="VGG-16 (.safetensors, torchvision's names) for johnson; without, an encoder of its own."),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="A further model, by name or .onnx file; may stand several times."),
    ] = None,
    predictions: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DIR", help="Others' images, named STEM.* or STEM_rgb.*; may stand several times."),
    ] = None,
    report: Annotated[Path, typer.Option(metavar="FILE.html", help="The page to write.")] = Path("report.html"),
    json_file: Annotated[Path, typer.Option("--json", metavar="FILE", help="All numbers, of each image too.")] = Path(
        "report.json"
    ),
) -> None:
    """Compare SNet with the systems of its paper, trained on the same pairs within one budget.

    What is not trained yet is trained, and kept under --runs: the next
    comparison takes it from there. Ctrl-C stops after the current step; the
    same command then goes on. Everything is scored on whole images, and shown
    in one page: pictures side by side, a table with intervals, where each
    system fails. The files of --report and --json are replaced when they exist.

    [bold]Examples[/bold]

      ircolor compare --data pairs/ --protocol nirscene --seeds 3

      ircolor compare snet pix2pix --data pairs/ --epochs 2 --report quick.html

      ircolor compare snet --data pairs/ --model fast --predictions theirs=results/
    """
    from rich.console import Console

    from ircolor.atomic import check_outputs, write_atomic
    from ircolor.benchmark.latency import latencies_ms
    from ircolor.cli.progress import LateProgress, tracker
    from ircolor.evaluation.charts import load_matplotlib
    from ircolor.evaluation.models import distinct_name
    from ircolor.evaluation.systems import check_inputs, compare_systems
    from ircolor.evaluation.systems_report import systems_report
    from ircolor.evaluation.systems_tables import verdict
    from ircolor.evaluation.tables import comparison_table
    from ircolor.weights.catalogue import Model, find_model

    try:
        from ircolor.training.systems import SYSTEMS, check_names, train_missing
    except ModuleNotFoundError as error:
        raise UserError(f"comparing trains, which needs {error.name}; pip install 'ircolor[train]'") from error
    check_outputs(report, json_file)
    names = list(dict.fromkeys(systems or SYSTEMS))
    check_names(names)
    console = Console(stderr=True)
    # What is wrong is said before hours of training.
    further: dict[str, Model] = {}
    for model in models or []:
        found = find_model(model)
        name = found.card.name
        further[distinct_name(name, f"{name} (model)", {*names, *further})] = found
    folders: dict[str, Path] = {}
    for prediction in predictions or []:
        name, folder = _name_and_folder(prediction)
        if name in folders:
            raise UserError(f"--predictions {prediction}: {name} is named already; call them otherwise")
        folders[name] = folder
    load_matplotlib()
    check_inputs([*names, *further], data, protocol, split, folders, tracker(console))
    trained = train_missing(
        names,
        data,
        protocol,
        runs,
        num_seeds=seeds,
        epochs=epochs,
        budget_s=seconds,
        loss_network=loss_network,
        console=console,
    )
    if trained is None:
        console.print("stopped; the same command goes on")
        raise typer.Exit(130)
    files: dict[str, list[Path | str]] = {}
    logs: dict[str, list[Path]] = {}
    for system in trained:
        files.setdefault(system.name, []).append(system.model)
        logs.setdefault(system.name, []).append(system.log)
    files |= {name: [model.name] for name, model in further.items()}
    with LateProgress("timing") as progress:
        latency_ms = latencies_ms(
            {name: find_model(str(first)) for name, (first, *_) in files.items()},
            lambda share: progress.show(round(100 * share), 100),
        )
    comparison = compare_systems(
        files,
        data,
        protocol,
        split,
        predictions=folders,
        latency_ms=latency_ms,
        logs=logs,
        track=tracker(console),
    )
    write_atomic(json_file, comparison.to_json().encode(errors="replace"))
    write_atomic(report, systems_report(comparison, tracker(console)).encode(errors="replace"))
    means = {name: system.mean for name, system in comparison.systems.items()}
    Console().print(comparison_table(means, comparison.title))
    Console().print(verdict(comparison), markup=False)
    console.print(f"{report} and {json_file} written", highlight=False, markup=False)


def _name_and_folder(prediction: str) -> tuple[str, Path]:
    name, equals, folder = prediction.partition("=")
    if not (name and equals and folder):
        raise UserError(f"--predictions {prediction}: give them as NAME=DIR, e.g. theirs=results/")
    return name, Path(folder)
