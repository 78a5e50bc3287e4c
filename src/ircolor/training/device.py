"""Which device and precision a run uses: decided once, here, and said."""

import atexit
import gc
import platform
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

import torch
import torch.distributed
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, DistributedDataParallelKwargs

MEMORY_FORMAT = torch.channels_last  # pixel by pixel, as tensor cores want it; no slower elsewhere


@dataclass(frozen=True)
class Precision:
    """The arithmetic of a run and why.

    Attributes:
        hardware: what it runs on.
        mixed: what accelerate calls mixed precision.
        reason: one line for people.
    """

    hardware: str
    mixed: Literal["no", "bf16"]
    reason: str


def choose_precision() -> Precision:
    """bf16 autocast where the device has bf16 arithmetic: it trains 2 to 3 times faster there."""
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Precision(name, "bf16", "bf16 autocast, it has bf16 arithmetic")
        return Precision(name, "no", "float32, it has no bf16 arithmetic")
    cpu = f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
        return Precision(cpu, "bf16", "bf16 autocast, it has bf16 instructions")
    return Precision(cpu, "no", "float32, it has no bf16 instructions")


def make_accelerator(precision: Precision, *, partly_trained: bool = False) -> Accelerator:
    """The engine of a run; the recipe's batch is split over the processes that `accelerate launch` started.

    Args:
        precision: of its arithmetic.
        partly_trained: there are steps in which not all weights take part.
    """
    if torch.distributed.is_available():
        # Before there is a group of processes: its functions keep the one that they find as default of an argument,
        # and torch, which imports it when networks are shared out, would then never let go of the group.
        import_module("torch.distributed.nn")
    return Accelerator(
        mixed_precision=precision.mixed,
        dataloader_config=DataLoaderConfiguration(split_batches=True),
        cpu=not torch.cuda.is_available(),
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=partly_trained)],
    )


@atexit.register
def _leave_group() -> None:
    """End the group of processes while Python still runs.

    The group's threads let go of tensors when all is done, which they cannot do without Python: such a thread aborts
    the process. The end of the group waits for them, if no network holds on to it.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        gc.collect()
        torch.distributed.destroy_process_group()
