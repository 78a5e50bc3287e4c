"""Johnson, Alahi and Fei-Fei 2016, "Perceptual Losses for Real-Time Style Transfer": the image transform net. [15].

Departures from the publication: zeros in place of reflections at the border, so that every residual block keeps its
size; enlarged bilinearly and then convolved, in place of strided transposed convolutions, which leave a checkerboard.
The perceptual loss that it is trained with is in `ircolor.training.loss_network`: the squared errors of three layers'
features over their mean squares, in place of one layer's, and beside it the squared error of pixels, without which
colours are not held.
"""

import torch
from torch import Tensor, nn

from ircolor.nets.base import ColorizingNet

NUM_RESIDUAL_BLOCKS = 5


def _conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    ]


class _Residual(nn.Module):
    """Two 3x3 convolutions beside the identity; no ReLU after the sum: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_conv(channels, channels), *_conv(channels, channels)[:2])

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.layers(features)
        return features + changed


class Johnson(ColorizingNet):
    """c9s1-32, d64, d128, five residual blocks, u64, u32, c9s1-3.

    Args:
        width: feature maps of the first layer, 32 in the publication.
    """

    grid_px = 4
    halo_px = 64

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.bytes_per_px = self.bytes_per_px_int8 = 24 * width
        self.layers = nn.Sequential(
            *_conv(1, width, 9),
            *_conv(width, 2 * width, stride=2),
            *_conv(2 * width, 4 * width, stride=2),
            *(_Residual(4 * width) for _ in range(NUM_RESIDUAL_BLOCKS)),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            *_conv(4 * width, 2 * width),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            *_conv(2 * width, width),
            nn.Conv2d(width, 3, 9, padding=4),
        )

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 4."""
        return torch.tanh(self.layers(infrared))
