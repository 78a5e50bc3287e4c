"""LiteUNet, the colorizing network for CPUs: EfficientNet-Lite0 looks, a narrow decoder colours. Not in the paper.

The decoder ends at half the size with an affine function of the infrared image for each channel (Gharbi et al. 2017,
"Deep bilateral learning"), which is enlarged and evaluated at full size: no layer has many maps there, and edges are
those of the infrared image.
"""

from typing import Self

import torch
from torch import Tensor, nn

from ircolor.nets.base import ColorizingNet, enlarged
from ircolor.nets.efficientnet import WITH_WEIGHTS, EfficientNetLite0


class LiteUNet(ColorizingNet):
    """A U-Net whose encoder knows photographs and stays as it is; only the decoder is trained.

    With the encoder trained, too, it is no better and takes three times as long (docs/research-log.md).

    Args:
        width: feature maps of the decoder at half the size; below it has 2, 3 and 4 times as many.
    """

    grid_px = EfficientNetLite0.grid_px
    halo_px = 480  # 457 px of context at a tile's edge, rounded up to the grid
    exact_layers = ("encoder.stem", "encoder.stages.0")  # 8 bits cost 0.08 dB there; in all others next to nothing
    pretrained = WITH_WEIGHTS

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        # At 1024x768; the first is what the encoder takes, whose widest maps have 96 channels at half the size.
        self.bytes_per_px = max(195, 6 * width)  # 190 at 24, 380 at 64
        self.bytes_per_px_int8 = max(155, 5 * width)  # 150 at 24, 260 at 64
        self.encoder = EfficientNetLite0().requires_grad_(False)
        *skips, in_channels = self.encoder.channels
        self.decoder = nn.ModuleList()
        for kernel_px, factor, skip in zip((1, 3, 3, 3), (4, 3, 2, 1), reversed(skips), strict=True):
            self.decoder.append(
                nn.Sequential(
                    nn.Conv2d(in_channels + skip, factor * width, kernel_px, padding=kernel_px // 2),
                    nn.BatchNorm2d(factor * width),
                    nn.ReLU(),
                )
            )
            in_channels = factor * width
        self.head = nn.Conv2d(width, 6, 1)

    def load_pretrained(self) -> None:
        """Let the encoder be the published one."""
        self.encoder.load_imagenet()

    def train(self, mode: bool = True) -> Self:
        """As any module; the encoder keeps its statistics."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 32."""
        *skips, features = self.encoder(infrared)  # (B, 192, H/32, W/32)
        for block in self.decoder:
            features = block(torch.cat([skips.pop(), enlarged(features, 2)], dim=1))
        gain, offset = enlarged(self.head(features), 2).chunk(2, dim=1)  # (B, w, H/2, W/2) -> twice (B, 3, H, W)
        return torch.tanh(gain * infrared + offset)
