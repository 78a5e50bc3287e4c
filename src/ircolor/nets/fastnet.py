"""FastNet: colours at a twenty-fifth of ColorNet's work, for CPUs and small devices. Not in the paper; ours.

What makes it fast, on processors that multiply 8-bit numbers:
* It works at a quarter of the resolution and below (pixel-unshuffle, Shi et al. 2016), where channels are cheap, and
  sees as far as 300 px around a pixel: whether a patch is sky or road, its surroundings tell.
* It has nothing but convolutions, additions, ReLU and bilinear enlarging, all of which stay in int8.
* Skips are added, not concatenated.

Detail is taken from the infrared image itself: each channel of the colours is an affine function of it, with a gain
and an offset that vary from place to place (as in deep bilateral learning, Gharbi et al. 2017, without its grid).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.nets.base import ColorizingNet

BLOCK_PX = 4  # infrared pixels a side that make one pixel of the first feature maps


class ConvNorm(nn.Sequential):
    """3x3 convolution, batch normalisation, ReLU; halves the size with a stride of 2."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class Residual(nn.Module):
    """Two convolutions whose result is added to what they took (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape."""
        return F.relu(features + self.second(self.first(features)))


class FastNet(ColorizingNet):
    """Levels from a quarter of the resolution down.

    Args:
        width: feature maps of the first level; the others have up to 4 times as many.
        multiples: of the width, by level.
    """

    def __init__(self, width: int = 56, multiples: tuple[int, ...] = (1, 2, 3, 4)) -> None:
        super().__init__()
        self.grid_px = BLOCK_PX << (len(multiples) - 1)
        self.halo_px = 10 * self.grid_px
        self.bytes_per_px = 4 * width
        self.bytes_per_px_int8 = 2 * width
        channels = [multiple * width for multiple in multiples]
        self.stem = ConvNorm(BLOCK_PX**2, width)
        self.encoder = nn.ModuleList([ConvNorm(width, width)])
        self.lateral = nn.ModuleList()
        self.decoder = nn.ModuleList([nn.Sequential(ConvNorm(width, width), ConvNorm(width, width))])
        for level, (finer, coarser) in enumerate(pairwise(channels)):
            blocks = [Residual(coarser) for _ in range(1 if level < 2 else 2)]
            self.encoder.append(nn.Sequential(ConvNorm(finer, coarser, 2), *blocks))
            self.lateral.append(nn.Conv2d(coarser, finer, 1))
            if level:
                self.decoder.append(ConvNorm(finer, finer))
        self.head = nn.Conv2d(width, 6, 1)

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of the grid."""
        features = self.stem(F.pixel_unshuffle(infrared, BLOCK_PX))
        skips = []
        for block in self.encoder:
            features = block(features)
            skips.append(features)
        skips.pop()
        for lateral, block in zip(reversed(self.lateral), reversed(self.decoder), strict=True):
            enlarged = F.interpolate(lateral(features), scale_factor=2, mode="bilinear", align_corners=False)
            features = block(skips.pop() + enlarged)
        maps = F.interpolate(self.head(features), scale_factor=BLOCK_PX, mode="bilinear", align_corners=False)
        gain, offset = maps.chunk(2, dim=1)
        return torch.tanh(gain * infrared + offset)
