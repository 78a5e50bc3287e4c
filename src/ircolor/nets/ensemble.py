"""Several networks as one that gives their mean colours. Not in the paper."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ircolor.nets.base import ColorizingNet


class Ensemble(ColorizingNet):
    """The mean colours of several networks (Hansen and Salamon 1990, "Neural network ensembles").

    What each gets wrong in its own way is averaged out: networks of different kinds gain more than seeds of one.

    Args:
        nets: one or more.
    """

    def __init__(self, nets: Sequence[ColorizingNet]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)
        self.grid_px = math.lcm(*(net.grid_px for net in nets))
        self.halo_px = -(-max(net.halo_px for net in nets) // self.grid_px) * self.grid_px
        # Sums, as the runtime may run them in turns and hold what all of them need.
        self.bytes_per_px = sum(net.bytes_per_px for net in nets)
        self.bytes_per_px_int8 = sum(net.bytes_per_px_int8 for net in nets)
        self.pretrained = "; ".join(dict.fromkeys(net.pretrained for net in nets if net.pretrained))
        self.exact_layers = [f"nets.{number}.{name}" for number, net in enumerate(nets) for name in net.exact_layers]

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W on the grid of all networks."""
        return torch.stack([cast(ColorizingNet, net).forward_on_grid(infrared) for net in self.nets]).mean(dim=0)


def combined(nets: Sequence[ColorizingNet]) -> ColorizingNet:
    """The ensemble of several networks, or the only one itself."""
    return nets[0] if len(nets) == 1 else Ensemble(nets)
