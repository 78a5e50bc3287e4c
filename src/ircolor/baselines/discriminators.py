"""Networks that tell true colours from predicted ones; for training only."""

import torch
from torch import Tensor, nn


def _down(in_channels: int, out_channels: int, *, stride: int = 2, normalise: bool = True) -> list[nn.Module]:
    convolution: nn.Module = nn.Conv2d(in_channels, out_channels, 4, stride, padding=1)
    return [convolution, *([nn.BatchNorm2d(out_channels)] if normalise else []), nn.LeakyReLU(0.2)]


class PatchDiscriminator(nn.Sequential):
    """The 70x70 PatchGAN of Isola et al. 2017: (B, 4, H, W) of infrared and RGB -> logits, (B, 1, H/8 - 2, W/8 - 2)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__(
            *_down(4, width, normalise=False),
            *_down(width, 2 * width),
            *_down(2 * width, 4 * width),
            *_down(4 * width, 8 * width, stride=1),
            nn.Conv2d(8 * width, 1, 4, padding=1),
        )


class DcganDiscriminator(nn.Module):
    """As of Radford et al. 2016, conditioned on the infrared image: (B, 4, H, W) -> logits, (B, 1, 1, 1)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_down(4, width, normalise=False),
            *_down(width, 2 * width),
            *_down(2 * width, 4 * width),
            *_down(4 * width, 8 * width),
        )
        self.head = nn.Linear(8 * width, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Patches of any size from 16 px: their features are averaged."""
        logits: Tensor = self.head(torch.mean(self.layers(images), dim=(2, 3)))
        return logits[..., None, None]
