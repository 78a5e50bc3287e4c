"""The folder of a run: what lies where, how it is begun and how it is taken up again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ircolor.atomic import PART_SUFFIX, write_atomic
from ircolor.errors import UserError
from ircolor.grade import Grade
from ircolor.training.checkpoint import Checkpoint, load_checkpoint
from ircolor.training.recipe import Recipe, differences

# What of a run's description must be the same to go on, and how the command line calls it.
_TOLD = {
    "protocol": "protocol",
    "pairs_digest": "set of pairs",
    "num_val_pairs": "choice of --include-val",
    "teachers": "set of teachers",
    "loss_network": "loss network",
    "budget_s": "number of seconds",
}


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
        lock: held by the training that goes on in it.
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
        self.lock = path / "checkpoints" / "training.lock"
        self.grids = path / "grids"

    def fold(self, number: int) -> "RunFolder":
        """The run of the net that was trained without a part of the pairs, for the expected error."""
        return RunFolder(self.path / f"fold_{number}")

    def require(self, run: bool) -> None:
        """Raise UserError unless the folder holds a run (True), or holds none (False)."""
        if not run:
            if self.description.exists():
                raise UserError(f"{self.path}: holds a run already; go on with --resume, or choose another folder")
            if any(file.exists() for file in (self.best, self.last, self.trust)):
                raise UserError(f"{self.path}: holds checkpoints of another run; delete it, or choose another folder")
            if self.path.exists() and not self.path.is_dir():
                raise UserError(f"{self.path}: is a file; give a folder for the run")
        elif not self.description.is_file():
            raise UserError(f"{self.path}: no run to go on with; start it without --resume")

    def begin(self, recipe: Recipe, about: dict[str, Any]) -> None:
        """Write the description of a new run: its recipe, and where it begins.

        Raises:
            UserError: the folder cannot be written, or another run has begun in it meanwhile.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with self.description.open("x", encoding="utf-8") as file:
                file.write(_text({"recipe": recipe.to_json(), **about}))
        except FileExistsError:
            self.require(run=False)
        except OSError as error:
            raise UserError(f"{self.path}: cannot be written ({error.strerror}); choose another folder") from error

    def resume(self, recipe: Recipe, about: dict[str, Any]) -> Checkpoint | None:
        """The last checkpoint of a run; None if it stopped before its first.

        Raises:
            UserError: the run is of another recipe, seed, protocol or data, or its checkpoint is damaged.
        """
        try:
            begun = json.loads(self.description.read_text(encoding="utf-8"))
            begun["recipe"]["grade"] = asdict(recipe.grade)  # the loss does not see it: it may change
            if recipe.schedule == "constant":
                begun["recipe"]["epochs"] = recipe.epochs  # a longer run begins as the shorter one: epochs may be added
            others = [*differences(begun["recipe"], recipe)]
            others += [name for key, name in _TOLD.items() if begun.get(key) != about.get(key)]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self.description}: damaged; start the run anew in another folder") from error
        if others:
            raise UserError(f"{self.path}: was begun with another {', '.join(others)}; give the same")
        checkpoint = load_checkpoint(self.last) if self.last.exists() else None
        if begun.get("init") and not checkpoint:
            raise UserError(
                f"{self.path}: was to begin with {begun['init']} (--init), and stopped before it held its weights; "
                "delete it and begin again"
            )
        if checkpoint and checkpoint.progress.step:
            if not any(name.startswith("adam.") for name in checkpoint.tensors):
                raise UserError(f"{self.last}: tells weights alone, which a run cannot go on from; give it with --init")
            if checkpoint.progress.step > recipe.num_steps(about["steps_per_epoch"]):
                raise UserError(f"{self.path}: has been trained for more epochs already; give at least as many")
        write_atomic(self.description, _text(begun).encode())
        return checkpoint

    @contextmanager
    def held(self, writing: bool) -> Iterator[None]:
        """Hold the folder for one training, and remove what one left that was killed while it wrote.

        Args:
            writing: False for processes of the training that do not write: they need not hold it.

        Raises:
            UserError: another training goes on in it, or it cannot be written.
        """
        if not writing:
            yield
            return
        lock = FileLock(self.lock, blocking=False)
        try:
            self.lock.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise UserError(f"{self.path}: another training goes on in it; wait for it, or stop it") from error
        except OSError as error:
            raise UserError(f"{self.lock}: cannot be written ({error.strerror}); mend that and --resume") from error
        try:
            for leftover in self.last.parent.glob(f"*{PART_SUFFIX}"):
                leftover.unlink()
            yield
        finally:
            lock.release()

    def regrade(self, grade: Grade) -> Checkpoint | None:
        """Give the best checkpoint another grade of colours, and forget the expected error of those of the old one.

        Returns:
            The best checkpoint; None where there is none.

        Raises:
            UserError: it is damaged, or cannot be written.
        """
        self.trust.unlink(missing_ok=True)
        if not self.best.is_file():
            return None
        best = load_checkpoint(self.best)
        replace(best, recipe={**best.recipe, "grade": asdict(grade)}).save(self.best)
        return best

    def best_or_last(self) -> Path:
        """The checkpoint to use: the best on validation, or the last where there was no validation yet.

        Raises:
            UserError: there is neither.
        """
        for file in (self.best, self.last):
            if file.is_file():
                return file
        raise UserError(f"{self.path}: holds no checkpoint; give the folder that ircolor train --run filled")


def _text(description: dict[str, object]) -> str:
    return json.dumps(description, indent=2) + "\n"
