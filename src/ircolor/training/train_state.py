"""What a training changes from step to step, and a checkpoint keeps: networks, the mean of their weights, Adam."""

import copy
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from ircolor.nets import ColorizingNet
from ircolor.training.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint
from ircolor.training.device import MEMORY_FORMAT
from ircolor.training.networks import as_trained, average_in, build_net
from ircolor.training.objective import learned_losses
from ircolor.training.recipe import Recipe


class TrainState:
    """The state of a run.

    Args:
        recipe: whose networks it has.
        accelerator: the engine of the run; the networks are put on its device.
        checkpoint: of the run that goes on; None where it begins.
        init: checkpoint to begin with; None for a net as it is made.

    Attributes:
        progress: how far the run has come.
        net: the network that colorizes.
        averaged: exponential mean of its weights; None where the recipe keeps none.
        trained: what a step runs of it (`as_trained`), in all processes.
        learned: networks that are trained beside it (`learned_losses`), in all processes.

    Raises:
        UserError: a checkpoint is missing, damaged, or holds another network.
    """

    def __init__(
        self, recipe: Recipe, accelerator: Accelerator, checkpoint: Checkpoint | None = None, init: Path | None = None
    ) -> None:
        self.recipe = recipe
        self.accelerator = accelerator
        self.progress = checkpoint.progress if checkpoint else Progress()
        torch.manual_seed(recipe.seed)
        self.net = build_net(recipe)
        if not (init or checkpoint):  # a resumed run may have been killed before its first checkpoint
            self.net.load_pretrained()
        learned = learned_losses(recipe)
        if init:
            load_checkpoint(init).load_net(self.net)
        self.averaged = copy.deepcopy(self.net).requires_grad_(False) if recipe.ema else None
        self._modules: dict[str, nn.Module] = {"net": self.net, **learned}
        if self.averaged:
            self._modules["ema"] = self.averaged
        for name, module in self._modules.items():
            if checkpoint:
                checkpoint.load_into(name, module)
            module.to(accelerator.device).to(memory_format=MEMORY_FORMAT)  # type: ignore[call-overload]
        self._parameters = [p for module in self._modules.values() for p in module.parameters() if p.requires_grad]
        adam = torch.optim.AdamW(
            self._parameters, recipe.learning_rate, (recipe.momentum, 0.999), weight_decay=recipe.weight_decay
        )
        if checkpoint:
            checkpoint.load_optimizer(adam)
        self.trained: nn.Module = accelerator.prepare(as_trained(self.net, recipe))
        self.learned: dict[str, nn.Module] = {name: accelerator.prepare(module) for name, module in learned.items()}
        self._optimizer = accelerator.prepare(adam)

    @property
    def final(self) -> ColorizingNet:
        """The weights that count: the mean where the recipe keeps one."""
        return self.averaged or self.net

    def compile(self) -> None:
        """Compile what a step runs."""
        for module in (self.trained, *self.learned.values()):
            module.compile(dynamic=False)

    def update(self, loss: Tensor, learning_rate: float) -> None:
        """Take one step down a loss."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self.accelerator.backward(loss)
        self._optimizer.step()
        self._optimizer.zero_grad()
        if self.averaged:
            average_in(self.averaged, self.net, self.recipe.ema, self.progress.step)
        self.progress.step += 1

    def is_finite(self) -> bool:
        """Whether all weights are."""
        return all(bool(parameter.isfinite().all()) for parameter in self._parameters)

    def save(self, path: Path, about: dict[str, Any], *, for_resuming: bool) -> None:
        """Write a checkpoint atomically: all that goes on, or the weights that count alone.

        Raises:
            UserError: the file cannot be written.
        """
        modules, optimizer = (self._modules, self._optimizer) if for_resuming else ({"net": self.final}, None)
        save_checkpoint(path, self.recipe.to_json(), about, self.progress, modules, optimizer)
