"""Small runs, and how two of them are compared."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.losses import total_loss
from ircolor.training.recipe import ColorLossConfig, Recipe
from ircolor.training.recipes import smoke
from ircolor.training.train import Outcome, train

RECIPE = replace(smoke(), epochs=4, validate_every=2)  # 11 pairs, batches of 4: 2 steps an epoch
ALL = replace(
    RECIPE,
    view_px=32,
    ema=0.9,
    weight_decay=0.1,
    color_loss=ColorLossConfig("charbonnier", ssim=0.5, coarse=1, chroma=2, colorfulness=1, max_shift_px=2),
)


def run_quietly(recipe: Recipe, data: Path, run: Path, **options: Any) -> Outcome:
    return train(recipe, data, None, run, console=Console(file=StringIO()), **options)


def assert_same_end(run: Path, other: Path) -> None:
    """Weights, batch statistics and Adam's moments are equal to the last bit."""
    first, second = (load_checkpoint(folder / "checkpoints" / "last.safetensors") for folder in (run, other))
    assert first.progress.step == second.progress.step
    assert first.tensors.keys() == second.tensors.keys()
    assert all(torch.equal(first.tensors[name], second.tensors[name]) for name in first.tensors)


def signal_at_call(call: int, number: signal.Signals) -> Callable[..., Tensor]:
    """The sum of the loss's terms, with a signal to this process at the given call."""
    calls = 0

    def loss(*terms: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == call:
            os.kill(os.getpid(), number)
        return total_loss(*terms)

    return loss
