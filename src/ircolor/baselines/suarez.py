"""Suarez, Sappa and Vintimilla 2017, "Infrared Image Colorization based on a Triplet DCGAN Architecture". [2].

Three generators, one a colour channel, trained on patches against a DCGAN discriminator; whole images are colorized
without cutting them into patches, as the generators are convolutional throughout.

Departures: the publication leaves widths and depth open; ours are four hidden layers of `width`, twice that, twice
that and `width` maps for each channel. A squared error of pixels stands beside the adversarial loss, as it does there.
"""

import torch
from torch import Tensor, nn

from ircolor.nets.base import ColorizingNet


def _generator(width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    in_channels = 1
    for out_channels in (width, 2 * width, 2 * width, width):
        layers += [nn.Conv2d(in_channels, out_channels, 5, padding=2), nn.BatchNorm2d(out_channels), nn.ReLU()]
        in_channels = out_channels
    return nn.Sequential(*layers, nn.Conv2d(in_channels, 1, 5, padding=2), nn.Tanh())


class Suarez(ColorizingNet):
    """A generator for red, one for green, one for blue.

    Args:
        width: feature maps of the first layer of each.
    """

    grid_px = 2
    halo_px = 10

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.bytes_per_px = self.bytes_per_px_int8 = 24 * width
        self.generators = nn.ModuleList(_generator(width) for _ in range(3))

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]."""
        return torch.cat([generator(infrared) for generator in self.generators], dim=1)
