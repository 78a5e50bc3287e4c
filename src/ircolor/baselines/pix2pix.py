"""Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks": what is at hand today.

Departures from the publication: five levels in place of eight, as crops are smaller than 256 px; no dropout when
colorizing, so that a picture has one answer. Its 70x70 PatchGAN is in `ircolor.baselines.discriminators`.
"""

import torch
from torch import Tensor, nn

from ircolor.nets.base import ColorizingNet

NUM_LEVELS = 5
MAX_CHANNELS = 8  # times the width
NUM_DROPPED, DROPOUT = 2, 0.5  # levels of the decoder, from the deepest, and the share of their features


class Pix2Pix(ColorizingNet):
    """U-Net of 4x4 convolutions with a stride of two.

    Args:
        width: feature maps of the first level, 64 in the publication.
    """

    grid_px = 2**NUM_LEVELS
    halo_px = 96

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.bytes_per_px = self.bytes_per_px_int8 = 8 * width
        channels = [1, *(width * min(2**level, MAX_CHANNELS) for level in range(NUM_LEVELS))]
        self.encoder = nn.ModuleList()
        for level in range(NUM_LEVELS):
            layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if level else []
            layers.append(nn.Conv2d(channels[level], channels[level + 1], 4, stride=2, padding=1))
            if 0 < level < NUM_LEVELS - 1:
                layers.append(nn.BatchNorm2d(channels[level + 1]))
            self.encoder.append(nn.Sequential(*layers))
        self.decoder = nn.ModuleList()
        for level in reversed(range(1, NUM_LEVELS)):
            with_skip = channels[level + 1] * (1 if level == NUM_LEVELS - 1 else 2)
            layers = [
                nn.ReLU(),
                nn.ConvTranspose2d(with_skip, channels[level], 4, stride=2, padding=1),
                nn.BatchNorm2d(channels[level]),
            ]
            if NUM_LEVELS - 1 - level < NUM_DROPPED:
                layers.append(nn.Dropout(DROPOUT))
            self.decoder.append(nn.Sequential(*layers))
        self.head = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * width, 3, 4, stride=2, padding=1))

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 32."""
        features = infrared
        skips = []
        for block in self.encoder:
            features = block(features)
            skips.append(features)
        features = skips.pop()  # (B, 512, H/32, W/32)
        for block in self.decoder:
            features = torch.cat([block(features), skips.pop()], dim=1)
        return torch.tanh(self.head(features))
