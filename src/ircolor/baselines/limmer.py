"""Limmer and Lensch 2016, "Infrared Colorization Using Deep Convolutional Neural Networks". [12].

A pyramid of locally normalised infrared images, a convolutional branch for each level, and a last layer, fully
connected at each pixel, that is also shown the infrared image's local mean; the result is filtered jointly with the
infrared image, whose high frequencies are added.

Departures: trained on crops in place of single pixels' patches; the joint filter is a guided filter (He et al. 2013)
in place of a bilateral one, which no runtime has; branches have batch normalisation.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.nets.base import ColorizingNet, enlarged

NUM_LEVELS = 3
WINDOW_PX = 9  # of local means, a side
MIN_VARIANCE = 1e-3  # where there is nothing but noise, on a range of 2
EPSILON = 1e-2  # of the filter: smaller steps are smoothed


def local_mean(images: Tensor) -> Tensor:
    """Mean over a window about each pixel, of what lies in the image: (B, C, H, W) -> (B, C, H, W)."""
    return F.avg_pool2d(images, WINDOW_PX, stride=1, padding=WINDOW_PX // 2, count_include_pad=False)


def locally_normalised(infrared: Tensor) -> Tensor:
    """Zero mean and about unit deviation within each window: (B, 1, H, W) -> (B, 1, H, W)."""
    mean = local_mean(infrared)
    variance = local_mean((infrared - mean).square())
    return (infrared - mean) / (variance + MIN_VARIANCE).sqrt()


def jointly_filtered(rgb: Tensor, infrared: Tensor) -> Tensor:
    """Smoothed except at edges of the infrared image: (B, 3, H, W), (B, 1, H, W) -> (B, 3, H, W)."""
    mean_infrared, mean_rgb = local_mean(infrared), local_mean(rgb)
    covariance = local_mean(infrared * rgb) - mean_infrared * mean_rgb
    gain = covariance / (local_mean(infrared.square()) - mean_infrared.square() + EPSILON)
    return local_mean(gain) * infrared + local_mean(mean_rgb - gain * mean_infrared)


class Limmer(ColorizingNet):
    """Three scales, mixed at every pixel.

    Args:
        width: feature maps of the first layer of each branch, 16 here.
    """

    grid_px = 8
    halo_px = 96

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.bytes_per_px = self.bytes_per_px_int8 = 40 * width
        self.branches = nn.ModuleList(self._branch(width) for _ in range(NUM_LEVELS))
        self.mixed = nn.Sequential(nn.Conv2d(NUM_LEVELS * 4 * width, 8 * width, 1), nn.ReLU())
        self.head = nn.Conv2d(8 * width + 1, 3, 1)

    @staticmethod
    def _branch(width: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        in_channels = 1
        for out_channels in (width, 2 * width, 4 * width):
            layers += [nn.Conv2d(in_channels, out_channels, 5, padding=2), nn.BatchNorm2d(out_channels), nn.ReLU()]
            in_channels = out_channels
        return nn.Sequential(*layers)

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 8."""
        features = []
        for level, branch in enumerate(self.branches):
            scale = 2**level
            seen = F.avg_pool2d(infrared, scale) if level else infrared
            maps = branch(locally_normalised(seen))
            if level:
                maps = enlarged(maps, scale)
            features.append(maps)
        mixed = torch.cat([self.mixed(torch.cat(features, dim=1)), local_mean(infrared)], dim=1)
        rgb = torch.tanh(self.head(mixed))
        if self.training:
            return rgb
        detail = infrared - local_mean(infrared)
        return (local_mean(jointly_filtered(rgb, infrared)) + detail).clamp(-1, 1)
