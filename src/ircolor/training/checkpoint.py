"""Checkpoints: one safetensors file with the tensors and, in its header, JSON. No pickle is written or read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ircolor.atomic import write_atomic
from ircolor.errors import UserError, brief

HEADER_KEY = "ircolor_checkpoint"


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        step: optimizer steps done.
        train_s: seconds spent on them, over all sittings.
        best_psnr_db: best validation PSNR so far.
        best_epoch: the epoch, counted from 1, that reached it.
    """

    step: int = 0
    train_s: float = 0.0
    best_psnr_db: float = float("-inf")
    best_epoch: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in memory.

    Attributes:
        recipe: the recipe as `Recipe.to_json` gave it.
        about: protocol, data, commit and what else describes the run.
        progress: how far the run had come.
        tensors: by name: `net.*`, `edge_net.*`, `adam.NUMBER.*`.
        name: of its file.
    """

    recipe: dict[str, Any]
    about: dict[str, Any]
    progress: Progress
    tensors: dict[str, Tensor] = field(repr=False)
    name: str = "the checkpoint"

    def load_into(self, prefix: str, module: nn.Module) -> None:
        """Copy the tensors under a prefix into a module.

        Raises:
            UserError: names or shapes differ.
        """
        state = {
            name.removeprefix(prefix + "."): t for name, t in self.tensors.items() if name.startswith(prefix + ".")
        }
        try:
            module.load_state_dict(state)
        except RuntimeError as error:
            raise UserError(
                f"{self.name}: holds another network than this {type(module).__name__}; give a checkpoint of a recipe "
                "with the same network and width"
            ) from error

    def load_net(self, net: nn.Module) -> None:
        """Copy the weights that count into a colorizing net: the mean of its weights where the run keeps one.

        Raises:
            UserError: as `load_into`.
        """
        averaged = any(name.startswith("ema.") for name in self.tensors)
        self.load_into("ema" if averaged else "net", net)

    def load_optimizer(self, optimizer: torch.optim.Optimizer) -> None:
        """Restore the moments of Adam; its settings come from the recipe."""
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in self.tensors.items():
            if name.startswith("adam."):
                _, number, key = name.split(".")
                state.setdefault(int(number), {})[key] = tensor
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})

    def save(self, path: Path) -> None:
        """Write it atomically.

        Raises:
            UserError: the file cannot be written.
        """
        header = {"recipe": self.recipe, "about": self.about, "progress": asdict(self.progress)}
        tensors = {name: t.detach().cpu().contiguous() for name, t in self.tensors.items()}
        write_atomic(path, save(tensors, {HEADER_KEY: json.dumps(header)}))


def save_checkpoint(
    path: Path,
    recipe: dict[str, Any],
    about: dict[str, Any],
    progress: Progress,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer | None = None,
) -> None:
    """Write a checkpoint atomically.

    Args:
        path: file to write or replace.
        recipe: `Recipe.to_json()`.
        about: JSON that describes the run.
        progress: how far the run has come.
        modules: by the prefix of their tensors.
        optimizer: Adam, where the checkpoint is to be resumed from.

    Raises:
        UserError: the file cannot be written.
    """
    tensors = {f"{prefix}.{name}": t for prefix, module in modules.items() for name, t in module.state_dict().items()}
    if optimizer is not None:
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{key}": value for key, value in state.items()}
    Checkpoint(recipe, about, progress, tensors).save(path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        UserError: missing, half-written, or not one of ours.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such checkpoint; give a file that ircolor train wrote")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[HEADER_KEY])
            # Copies: Windows replaces no file that is mapped into memory, and a run that goes on replaces this one.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  (no dict)
        if not (isinstance(header["recipe"], dict) and isinstance(header["about"], dict)):
            raise TypeError("a recipe and a description are JSON objects")
        progress = Progress(**header["progress"])
        return Checkpoint(header["recipe"], header["about"], progress, tensors, str(path))
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path}: damaged or not a safetensors file ({brief(error)}); take another checkpoint, to export it or to "
            "begin a new run with it (--init)"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not a checkpoint of ircolor; give a file that ircolor train wrote") from error
