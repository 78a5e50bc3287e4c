"""The folder of a run: what lies where, how it is begun and how it is taken up again."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ircolor.atomic import PART_SUFFIX, write_atomic
from ircolor.errors import UserError
from ircolor.grade import Grade
from ircolor.training.checkpoint import Checkpoint, load_checkpoint
from ircolor.training.recipe import Recipe, is_recipe


def checkpoint_file(run: Path) -> Path:
    """The checkpoint of a run's folder to use, `RunFolder.best_or_last`; a file is one already."""
    return RunFolder(run).best_or_last() if run.is_dir() else run


def run_folder_of(run: Path) -> "RunFolder":
    """The folder of a run, or that in which one of its checkpoints lies."""
    return RunFolder(run if run.is_dir() else run.absolute().parent.parent)


class RunFolder:
    """Paths of a run.

    Attributes:
        description: recipe, protocol, pairs and code, as JSON.
        log: one JSON record a line.
        last: the checkpoint to resume from.
        best: the weights that did best on validation.
        trust: the head for the expected error.
        loss_network: what a perceptual loss looks through.
        grids: pictures of validation images; they show the data set and are not for publishing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.description = path / "run.json"
        self.log = path / "log.jsonl"
        self.last = path / "checkpoints" / "last.safetensors"
        self.best = path / "checkpoints" / "best.safetensors"
        self.trust = path / "checkpoints" / "trust.safetensors"
        self.loss_network = path / "checkpoints" / "loss_network.safetensors"
        self.grids = path / "grids"

    def fold(self, number: int) -> "RunFolder":
        """The run of the net that was trained without a part of the pairs, for the expected error."""
        return RunFolder(self.path / f"fold_{number}")

    def require(self, run: bool) -> None:
        """Raise UserError unless the folder holds a run (True), or holds none (False)."""
        if self.description.exists() and not run:
            raise UserError(f"{self.path}: holds a run already; go on with --resume, or choose another folder")
        if run and not self.description.is_file():
            raise UserError(f"{self.path}: no run to go on with; start it without --resume")

    def begin(self, recipe: Recipe, about: dict[str, Any]) -> None:
        """Write the description of a new run: its recipe, and where it begins.

        Raises:
            UserError: the folder cannot be written.
        """
        self._describe({"recipe": recipe.to_json(), **about})

    def resume(self, recipe: Recipe, about: dict[str, Any]) -> Checkpoint | None:
        """The last checkpoint of a run; None if it stopped before its first.

        Raises:
            UserError: the run is of another recipe, seed, protocol or data, or its checkpoint is damaged.
        """
        for leftover in self.last.parent.glob(f"*{PART_SUFFIX}"):  # of a run that was killed while it wrote
            leftover.unlink()
        try:
            begun = json.loads(self.description.read_text(encoding="utf-8"))
            begun["recipe"]["grade"] = asdict(recipe.grade)  # the loss does not see it: it may change
            if recipe.schedule == "constant":
                begun["recipe"]["epochs"] = recipe.epochs  # a longer run begins as the shorter one: epochs may be added
            same = is_recipe(begun["recipe"], recipe)
            same = same and all(begun[key] == about[key] for key in ("protocol", "pairs_digest"))
            same = same and all(
                begun.get(key) == about.get(key) for key in ("num_val_pairs", "teachers", "loss_network")
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self.description}: damaged; start the run anew in another folder") from error
        if not same:
            raise UserError(
                f"{self.path}: was begun with another recipe, seed, number of epochs, --include-val, protocol, data, "
                "teachers or loss network; give the same"
            )
        self._describe(begun)
        return load_checkpoint(self.last) if self.last.exists() else None

    def regrade_best(self, grade: Grade) -> None:
        """Give the best checkpoint another grade of colours; its weights stay.

        Raises:
            UserError: it is damaged, or cannot be written.
        """
        if self.best.is_file():
            best = load_checkpoint(self.best)
            replace(best, recipe={**best.recipe, "grade": asdict(grade)}).save(self.best)

    def best_or_last(self) -> Path:
        """The checkpoint to use: the best on validation, or the last where there was no validation yet.

        Raises:
            UserError: there is neither.
        """
        for file in (self.best, self.last):
            if file.is_file():
                return file
        raise UserError(f"{self.path}: holds no checkpoint; give the folder that ircolor train --run filled")

    def _describe(self, description: dict[str, object]) -> None:
        write_atomic(self.description, (json.dumps(description, indent=2) + "\n").encode())
