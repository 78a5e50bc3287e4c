"""ColorNet, the U-Net that colorizes (section 3.1 of Dong et al. 2018).

What the paper leaves open, and what we chose:
* The latent has H/16 x W/16 (14x14 at 224): the text's 7x7 would need a fifth pooling, which four decoder
  blocks cannot undo.
* Convolutions are padded, so skips match and nothing is cropped.
* Upsampling is bilinear (`enlarged`).
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.nets.base import ColorizingNet, enlarged


class DoubleConv(nn.Sequential):
    """Twice (3x3 convolution, batch normalisation, ReLU): (B, in, H, W) -> (B, out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


def encoder_channels(width: int) -> tuple[int, ...]:
    """Feature maps of each block of a ColorNet's encoder, finest first."""
    return width, 2 * width, 4 * width, 8 * width, 8 * width


class ColorNet(ColorizingNet):
    """U-Net of five encoder and four decoder blocks; 13,394,307 parameters at the paper's width of 64.

    Args:
        width: feature maps of the first block; the others have multiples of it. At least 1.
    """

    grid_px = 16  # four poolings
    halo_px = 112  # 110 px of context at a tile's edge, rounded up to the grid

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.bytes_per_px = 22 * width  # 1390 at a width of 64, at 1024x768
        self.bytes_per_px_int8 = 12 * width  # 660 to 780
        self.encoder = nn.ModuleList(
            DoubleConv(in_channels, out_channels)
            for in_channels, out_channels in pairwise([1, *encoder_channels(width)])
        )
        self.decoder = nn.ModuleList(
            DoubleConv(skip_and_below, out_channels)
            for skip_and_below, out_channels in [
                (8 * width + 8 * width, 4 * width),
                (4 * width + 4 * width, 2 * width),
                (2 * width + 2 * width, width),
                (width + width, width),
            ]
        )
        self.head = nn.Conv2d(width, 3, 1)

    def encode(self, infrared: Tensor) -> list[Tensor]:
        """Features of images, (B, 1, H, W), at their size, a half, 4th, 8th and 16th of it; H and W on the grid."""
        features = [self.encoder[0](infrared)]  # (B, 64, H, W)
        for block in self.encoder[1:]:
            features.append(block(F.max_pool2d(features[-1], 2)))
        return features

    def decode(self, features: Sequence[Tensor]) -> Tensor:
        """RGB, (B, 3, H, W) in [-1, 1], of what `encode` gave."""
        *skips, below = features  # (B, 512, H/16, W/16)
        for block in self.decoder:
            below = block(torch.cat([skips.pop(), enlarged(below, 2)], dim=1))
        return torch.tanh(self.head(below))  # (B, 64, H, W) -> (B, 3, H, W)

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 16."""
        return self.decode(self.encode(infrared))
