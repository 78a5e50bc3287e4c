"""The networks, in torch. One explicit dict of names; a network is found nowhere else."""

from collections.abc import Callable

from torch import nn

from ircolor.nets.base import ColorizingNet
from ircolor.nets.colornet import ColorNet
from ircolor.nets.edgenet import EdgeNet
from ircolor.nets.ensemble import Ensemble, combined
from ircolor.nets.expected_error import ErrorHead, WithExpectedError
from ircolor.nets.lite_unet import LiteUNet

__all__ = [
    "NETS",
    "ColorNet",
    "ColorizingNet",
    "EdgeNet",
    "Ensemble",
    "ErrorHead",
    "LiteUNet",
    "WithExpectedError",
    "combined",
]

# By name; each takes the width of its first block, which is 64 in the paper.
NETS: dict[str, Callable[..., nn.Module]] = {
    "colornet": ColorNet,
    "edgenet": EdgeNet,
    "lite_unet": LiteUNet,
}
