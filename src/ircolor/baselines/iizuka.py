"""Iizuka, Simo-Serra and Ishikawa 2016, "Let there be Color!": local and global features, fused. [1] of the paper.

Departures from the publication:
* no classification loss, as the pairs have no class labels;
* global features are taken from the low-level features, resized to those of a 224 px image, in place of a second pass
  over the resized image with shared weights;
* `iizuka` gives RGB, since infrared is no luminance, and is trained on its squared error; `iizuka_chroma` gives CIELAB
  chroma on the infrared image as luminance, and is trained on the squared error of chroma, as published, but on that of
  the colours that sRGB holds, at full size.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.baselines.chroma import on_infrared
from ircolor.nets.base import ColorizingNet

GLOBAL_CELLS = 28  # a side: the low-level features of a 224 px image


def _conv(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=1), nn.BatchNorm2d(out_channels), nn.ReLU()
    )


class Iizuka(ColorizingNet):
    """Low-level, mid-level and global features, fusion, colour decoder.

    Args:
        width: feature maps of the first layer, 64 in the publication.
        chroma_only: whether the infrared image stays the luminance.
    """

    grid_px = 8
    halo_px = 224  # in truth the whole picture: the global features see it all

    def __init__(self, width: int = 64, *, chroma_only: bool = False) -> None:
        super().__init__()
        self.chroma_only = chroma_only
        self.bytes_per_px = self.bytes_per_px_int8 = 16 * width
        self.low = nn.Sequential(
            _conv(1, width, 2),
            _conv(width, 2 * width),
            _conv(2 * width, 2 * width, 2),
            _conv(2 * width, 4 * width),
            _conv(4 * width, 4 * width, 2),
            _conv(4 * width, 8 * width),
        )
        self.mid = nn.Sequential(_conv(8 * width, 8 * width), _conv(8 * width, 4 * width))
        self.wide = nn.Sequential(
            _conv(8 * width, 8 * width, 2),
            _conv(8 * width, 8 * width),
            _conv(8 * width, 8 * width, 2),
            _conv(8 * width, 8 * width),
            nn.Flatten(),
            nn.Linear(8 * width * (GLOBAL_CELLS // 4) ** 2, 16 * width),
            nn.ReLU(),
            nn.Linear(16 * width, 8 * width),
            nn.ReLU(),
            nn.Linear(8 * width, 4 * width),
            nn.ReLU(),
        )
        self.fusion = nn.Sequential(nn.Conv2d(8 * width, 4 * width, 1), nn.ReLU())
        self.decoder = nn.ModuleList(
            [
                _conv(4 * width, 2 * width),
                nn.Sequential(_conv(2 * width, width), _conv(width, width)),
            ]
        )
        self.head = nn.Sequential(
            _conv(width, width // 2), nn.Conv2d(width // 2, 2 if chroma_only else 3, 3, padding=1), nn.Sigmoid()
        )

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 8."""
        low = self.low(infrared)  # (B, 512, H/8, W/8)
        resized = F.interpolate(low, (GLOBAL_CELLS, GLOBAL_CELLS), mode="bilinear", align_corners=False)
        wide = self.wide(resized)[..., None, None]  # (B, 256, 1, 1)
        mid = self.mid(low)  # (B, 256, H/8, W/8)
        features = self.fusion(torch.cat([mid, wide.expand(-1, -1, *mid.shape[-2:])], dim=1))
        for block in self.decoder:
            features = F.interpolate(block(features), scale_factor=2.0)  # nearest, as published
        colors = F.interpolate(self.head(features), scale_factor=2.0) * 2 - 1  # (B, 2 or 3, H, W)
        return on_infrared(infrared, colors) if self.chroma_only else colors
