"""The networks, in torch. One explicit dict of names; a network is found nowhere else."""

from collections.abc import Callable

from ircolor.nets.base import ColorizingNet
from ircolor.nets.colornet import ColorNet
from ircolor.nets.edgenet import EdgeNet

__all__ = ["COLORIZING_NETS", "ColorNet", "ColorizingNet", "EdgeNet"]

COLORIZING_NETS: dict[str, Callable[[int], ColorizingNet]] = {
    # name: width -> network. The paper's width is 64.
    "colornet": ColorNet,
}
