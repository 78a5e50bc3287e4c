"""Nets that teach another one: their colours stand for a part of the truth (Hinton, Vinyals and Dean 2015).

A pair tells one of the colours that its infrared image may have, and the exposure and white balance of one day. What
several nets, or a larger one, give on average is nearer to what can be known.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from torch import Tensor

from ircolor.nets import ColorizingNet
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import net_of
from ircolor.training.run_folder import checkpoint_file


class Teachers:
    """Trained nets that answer together.

    Args:
        runs: folders of runs, whose best checkpoints are taken, or checkpoint files; at least one.
        device: where they run.
        autocast: the arithmetic that they run in.

    Attributes:
        digest: tells whether two runs had the same teachers.

    Raises:
        UserError: there is no checkpoint, or it is of another version.
    """

    def __init__(
        self, runs: Sequence[Path], device: torch.device, autocast: Callable[[], AbstractContextManager[object]]
    ) -> None:
        files = [checkpoint_file(run) for run in runs]
        self.nets: list[ColorizingNet] = [
            net_of(load_checkpoint(file), str(file)).requires_grad_(False).to(device) for file in files
        ]
        self.digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
        self.autocast = autocast

    @torch.no_grad()
    def blend(self, infrared: Tensor, true_rgb: Tensor, share: float) -> Tensor:
        """The truth, with a share of what the teachers say on average.

        Args:
            infrared: (B, 1, H, W) in [-1, 1].
            true_rgb: (B, 3, H, W) in [-1, 1].
            share: from 0, the truth alone, to 1, the teachers alone.
        """
        with self.autocast():
            answers = torch.stack([net(infrared).float() for net in self.nets]).mean(dim=0)
        return true_rgb.lerp(answers, share)
