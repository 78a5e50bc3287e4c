"""The network that a recipe trains, what of it training looks at, and the mean of its weights."""

import torch
from torch import Tensor, nn

from ircolor.baselines import BASELINES, Zhang
from ircolor.baselines.zhang import ChromaClasses
from ircolor.nets import NETS, ColorizingNet, ColorNet
from ircolor.training.hints import Encoding
from ircolor.training.recipe import Recipe


def build_net(recipe: Recipe) -> ColorizingNet:
    """The network of a recipe, untrained.

    Raises:
        KeyError: no network has that name.
        ValueError: it does not colorize.
    """
    net = (NETS | BASELINES)[recipe.net](recipe.width)
    if not isinstance(net, ColorizingNet):
        raise ValueError(f"recipe {recipe.name} trains {recipe.net}, which does not colorize")
    return net


class Classifying(nn.Module):
    """Zhang's network up to its classes of chroma: what is trained of it."""

    def __init__(self, net: Zhang) -> None:
        super().__init__()
        self.net = net

    def forward(self, infrared: Tensor) -> ChromaClasses:
        """As `Zhang.classify`."""
        return self.net.classify(infrared)


def as_trained(net: ColorizingNet, recipe: Recipe) -> nn.Module:
    """What training runs: the network itself, its part that the loss looks at, or it with its features."""
    if recipe.hints:
        assert isinstance(net, ColorNet), f"recipe {recipe.name} gives hints to {recipe.net}, which takes none"
        return Encoding(net)
    return Classifying(net) if isinstance(net, Zhang) else net


@torch.no_grad()
def average_in(mean: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """Move an exponential mean of weights and batch statistics one step on; early ones, of few steps, forget faster."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for ours, theirs in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        ours.lerp_(theirs, weight) if ours.is_floating_point() else ours.copy_(theirs)
