"""The systems that the paper compares SNet with, re-implemented from their publications. One explicit dict of names."""

from collections.abc import Callable
from functools import partial

from ircolor.baselines.iizuka import Iizuka
from ircolor.baselines.johnson import Johnson
from ircolor.baselines.limmer import Limmer
from ircolor.baselines.pix2pix import Pix2Pix
from ircolor.baselines.suarez import Suarez
from ircolor.baselines.zhang import Zhang
from ircolor.nets.base import ColorizingNet

__all__ = ["BASELINES", "Iizuka", "Johnson", "Limmer", "Pix2Pix", "Suarez", "Zhang"]

# By name; each takes the width of its first layer.
BASELINES: dict[str, Callable[[int], ColorizingNet]] = {
    "iizuka": Iizuka,
    "iizuka_chroma": partial(Iizuka, chroma_only=True),
    "zhang": Zhang,
    "zhang_chroma": partial(Zhang, chroma_only=True),
    "johnson": Johnson,
    "limmer": Limmer,
    "suarez": Suarez,
    "pix2pix": Pix2Pix,
}
