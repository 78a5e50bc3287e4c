"""The systems of a comparison: those that are missing are trained, one after the other, within one budget."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from ircolor.atomic import write_atomic
from ircolor.errors import UserError, did_you_mean
from ircolor.pairs.dataset import pairs_digest
from ircolor.pairs.index import Pair, find_pairs
from ircolor.pairs.protocols import default_protocol, split_pairs
from ircolor.training.baseline_recipes import COMPARED
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import export_runs, net_of
from ircolor.training.loss_network import loss_network_name
from ircolor.training.recipe import Recipe, differences, recipe_from_json
from ircolor.training.run_folder import RunFolder
from ircolor.training.train import train
from ircolor.training.views import psnr_by_view
from ircolor.weights.seal import seal

SYSTEMS: dict[str, Callable[[], Recipe]] = {recipe.__name__: recipe for recipe in COMPARED}
SEVERAL_SEEDS = ("snet", "colornet")  # what the paper's own claim rests on


@dataclass(frozen=True)
class TrainedSystem:
    """One training of a system, finished.

    Attributes:
        name: of the system and its recipe.
        seed: of the training.
        model: the `.onnx` file.
        log: of the training, JSON lines.
    """

    name: str
    seed: int
    model: Path
    log: Path


def check_names(names: Sequence[str]) -> None:
    """Raise UserError for a name that no system has."""
    for name in names:
        if name not in SYSTEMS:
            hint = did_you_mean(name, SYSTEMS)
            raise UserError(f"system {name!r}: unknown; {hint}there are: {', '.join(SYSTEMS)}")


def train_missing(
    names: Sequence[str],
    data: Path,
    protocol: str | None,
    runs: Path,
    *,
    num_seeds: int = 1,
    epochs: int | None = None,
    budget_s: float | None = None,
    loss_network: Path | None = None,
    console: Console | None = None,
) -> list[TrainedSystem] | None:
    """Train and export what is missing; what was begun is gone on with, what is there is left as it is.

    Each is exported with the view that suits it best on validation pairs (`psnr_by_view`).

    Args:
        names: of systems.
        data: folder of pairs.
        protocol: how it is split; None for the folder's own way.
        runs: folder of the runs, each called PROTOCOL-NAME-SEED.
        num_seeds: trainings of the systems in `SEVERAL_SEEDS`; the others are trained once.
        epochs: of all; None for those of the recipes, which are the same for all.
        budget_s: seconds after which a training ends where its epochs are not done yet; None for no end.
        loss_network: as `train` takes it.
        console: where to report.

    Returns:
        All systems in the order of their names, and then of their seeds; None where a signal stopped a training.

    Raises:
        UserError: an unknown name, pairs that cannot be used, or a run of another budget or other pairs in the way.
    """
    check_names(names)
    console = console or Console(stderr=True)
    protocol = protocol or default_protocol(find_pairs(data))
    wanted = [(name, seed) for name in names for seed in range(num_seeds if name in SEVERAL_SEEDS else 1)]
    trained, digest = [], ""
    for number, (name, seed) in enumerate(wanted, start=1):
        recipe = replace(SYSTEMS[name](), seed=seed)
        recipe = recipe if epochs is None else replace(recipe, epochs=epochs, validate_every=epochs)
        folder = RunFolder(runs / f"{protocol}-{name}-{seed}")
        model = folder.path / f"{name}.onnx"
        if model.exists():
            with console.status("reading the pairs"):
                digest = digest or pairs_digest(data, protocol)
            _check_run(folder, recipe, digest, budget_s, loss_network)
        else:
            console.print(f"training {number} of {len(wanted)}: {name}, seed {seed}", highlight=False)
            outcome = train(
                recipe,
                data,
                protocol,
                folder.path,
                resume=folder.description.exists(),
                budget_s=budget_s,
                loss_network=loss_network if recipe.perceptual else None,
                console=console,
            )
            if outcome.signal is not None:
                return None
            with console.status("looking for the size at which it sees pictures best"):
                view_px = _best_view_px(folder, split_pairs(data, protocol, "val"))
            write_atomic(model, seal(*export_runs([folder.last], name, view_px=view_px)))
        trained.append(TrainedSystem(name, seed, model, folder.log))
    return trained


def _best_view_px(folder: RunFolder, val_pairs: Sequence[Pair]) -> int:
    """The view that suits a net best on validation pairs; what was found is kept beside the run."""
    checkpoint = load_checkpoint(folder.last)
    view = recipe_from_json(checkpoint.recipe).view
    found = psnr_by_view(net_of(checkpoint, str(folder.last)), val_pairs, view)
    write_atomic(folder.path / "views.json", (json.dumps({"val_psnr_db": found}, indent=1) + "\n").encode())
    return max(found, key=lambda view_px: found[view_px])


def _check_run(
    folder: RunFolder, recipe: Recipe, digest: str, budget_s: float | None, loss_network: Path | None
) -> None:
    """Raise UserError where a finished run is of another recipe, budget or other pairs, or has another loss network."""
    try:
        kept = json.loads(folder.description.read_text(encoding="utf-8"))
        same = not differences(kept["recipe"], recipe) and kept.get("budget_s") == budget_s
        of_these = kept["pairs_digest"] == digest
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder.description}: missing or damaged; delete the folder to train it anew") from error
    if recipe.perceptual:
        same = same and kept.get("loss_network") == loss_network_name(recipe.perceptual, loss_network)
    if not same:
        raise UserError(
            f"{folder.path}: was trained with another recipe, number of epochs or seconds, or loss network; give the "
            "same --epochs, --seconds and --loss-network, or another folder with --runs"
        )
    if not of_these:
        raise UserError(
            f"{folder.path}: was trained on other pairs than the data has now; give another folder with --runs, or "
            "delete this one to train it anew"
        )
