"""How fast a training is, against what its device can do with matrices: the share that a log tells."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

MEASURED_S = 0.2
CPU_EDGE, GPU_EDGE = 1024, 8192  # of the matrices: large enough for the full rate, small enough to wait for
PASSES = 3  # a training step has the work of the forward pass and, for features and weights, twice that backwards


@dataclass(frozen=True)
class Work:
    """The work of a run, in 10^9 operations for one image of a batch.

    Attributes:
        hint_gflop: of a step that learns hints alone; these come first.
        color_gflop: of a step that learns to colorize.
        hint_steps: number of the former.
        total_steps: of both.
    """

    hint_gflop: float
    color_gflop: float
    hint_steps: int
    total_steps: int

    def of_step(self, step: int) -> float:
        """Of a step, counted from 0."""
        return self.hint_gflop if step < self.hint_steps else self.color_gflop

    def after(self, steps: int) -> float:
        """What is left once so many steps are done."""
        hint_steps, color_steps = max(self.hint_steps - steps, 0), self.total_steps - max(steps, self.hint_steps)
        return hint_steps * self.hint_gflop + color_steps * self.color_gflop


def training_gflop_of(net: nn.Module, channels: int, crop_px: int, **options: bool) -> float:
    """Work of one training crop, forward and backward, in 10^9 floating-point operations (multiply-adds times two).

    Parts that are not trained are only run forward.

    Args:
        net: any network of images; its batch statistics stay as they are.
        channels: of the images.
        crop_px: their side.
        options: how it is run.
    """
    device = next(net.parameters()).device
    was_training = net.training
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        net.eval()(torch.zeros(1, channels, crop_px, crop_px, device=device), **options)
    net.train(was_training)
    by_module = counter.get_flop_counts()
    untrained = sum(
        sum(by_module.get(f"{type(net).__name__}.{name}", {}).values())  # normalisations have none
        for name, layer in net.named_modules()
        if (own := list(layer.parameters(recurse=False))) and not any(parameter.requires_grad for parameter in own)
    )
    return (PASSES * float(counter.get_total_flops()) - (PASSES - 1) * untrained) / 1e9


def matmul_gflops(accelerator: Accelerator) -> float:
    """The rate of one large matrix product on a run's device in its precision, in 10^9 operations a second.

    Takes a third of a second. The best of several counts: others may use the machine, too.
    """
    device = accelerator.device
    edge = GPU_EDGE if device.type == "cuda" else CPU_EDGE
    dtype = torch.bfloat16 if accelerator.mixed_precision == "bf16" else torch.float32
    left, right = (torch.ones(edge, edge, device=device, dtype=dtype) for _ in range(2))

    def product() -> None:
        torch.mm(left, right)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return 2 * edge**3 / min(_times_s(product)) / 1e9


def _times_s(work: Callable[[], None]) -> Sequence[float]:
    """Seconds of each of many runs, after a first one that warms up."""
    work()
    times_s: list[float] = []
    while sum(times_s) < MEASURED_S:
        start_s = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - start_s)
    return times_s
