"""Zhang, Isola and Efros 2016, "Colorful Image Colorization": chroma as a class, rare ones counted more. [11].

Departures from the publication:
* `zhang` also predicts lightness, as a correction of the infrared image at a quarter of its size: infrared is no
  luminance. `zhang_chroma` keeps the infrared image as lightness, as published;
* 262 bins of chroma, the cells of a grid of 10 that hold colours of sRGB; the publication has 313, among them cells
  that sRGB does not reach;
* classes are weighted by how often the training pairs have them, in place of the pictures of ImageNet;
* trained from scratch, on few pictures.
"""

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ircolor.baselines.chroma import lightness_of
from ircolor.nets.base import ColorizingNet, enlarged
from ircolor.nets.lab import lab_to_rgb, rgb_to_lab

CELL_PX = 4  # image pixels a side of one that is classified
BIN = 10.0  # edge of a cell of chroma, in CIELAB
TEMPERATURE = 0.38  # of the annealed mean
NUM_NEAREST = 5  # bins that a true colour is spread over
SMOOTHING = 5.0  # how far a true colour, and how often there is one, is spread over bins, in CIELAB
UNIFORM_SHARE = 0.5  # of the prior that classes are weighted by
MAX_LIGHTNESS_CHANGE = 60.0
_ORIGIN = 32  # of the grid of cells: more than there are on either side


class ChromaClasses(NamedTuple):
    """What is trained of a net that classifies chroma, at a quarter of the crop's size.

    Attributes:
        logits: of the bins, (B, bins, H/4, W/4).
        lightness: CIELAB L over 100, (B, 1, H, W); None where it is that of the infrared image.
    """

    logits: Tensor
    lightness: Tensor | None


@cache
def chroma_bins() -> Tensor:
    """Middles of the cells of CIELAB (a, b) that hold colours of sRGB, (262, 2)."""
    levels = torch.linspace(0, 1, 128, dtype=torch.float64)
    cells: set[int] = set()
    for red in levels:  # a plane at a time: the cube has two million colours
        green, blue = torch.meshgrid(levels, levels, indexing="ij")
        plane = torch.stack([red.expand_as(green), green, blue])[None]
        a, b = (rgb_to_lab(plane)[0, 1:] / BIN).round().long().flatten(1) + _ORIGIN
        cells |= set((a * 2 * _ORIGIN + b).unique().tolist())
    middles = [divmod(cell, 2 * _ORIGIN) for cell in sorted(cells)]
    return (torch.tensor(middles, dtype=torch.float32) - _ORIGIN) * BIN


class Zhang(ColorizingNet):
    """VGG-like, dilated; a distribution over chroma for every fourth pixel.

    Args:
        width: feature maps of the first block, 64 in the publication.
        chroma_only: whether the infrared image stays the lightness.
    """

    grid_px = 8
    halo_px = 192

    def __init__(self, width: int = 64, *, chroma_only: bool = False) -> None:
        super().__init__()
        self.bytes_per_px = self.bytes_per_px_int8 = 12 * width + 300
        bins = chroma_bins()
        self.register_buffer("bins", bins.clone())
        blocks: list[nn.Module] = []
        in_channels = 1
        for out_channels, num_layers, stride, dilation in [
            (width, 2, 2, 1),
            (2 * width, 2, 2, 1),
            (4 * width, 3, 2, 1),
            (8 * width, 3, 1, 1),
            (8 * width, 3, 1, 2),
            (8 * width, 3, 1, 2),
            (8 * width, 3, 1, 1),
        ]:
            for layer in range(num_layers):
                step = stride if layer == num_layers - 1 else 1
                blocks += [nn.Conv2d(in_channels, out_channels, 3, step, dilation, dilation), nn.ReLU()]
                in_channels = out_channels
            blocks.append(nn.BatchNorm2d(out_channels))
        blocks += [nn.ConvTranspose2d(8 * width, 4 * width, 4, stride=2, padding=1), nn.ReLU()]
        for _ in range(2):
            blocks += [nn.Conv2d(4 * width, 4 * width, 3, padding=1), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.logits = nn.Conv2d(4 * width, len(bins), 1)
        self.lightness = None if chroma_only else nn.Conv2d(4 * width, 1, 1)

    def classify(self, infrared: Tensor) -> ChromaClasses:
        """What the losses look at, of images whose height and width are multiples of 8."""
        features = self.features(infrared)  # (B, 256, H/4, W/4)
        if self.lightness is None:
            return ChromaClasses(self.logits(features), None)
        change = MAX_LIGHTNESS_CHANGE / 100 * torch.tanh(enlarged(self.lightness(features), CELL_PX))
        return ChromaClasses(self.logits(features), lightness_of(infrared) / 100 + change)

    def colors(self, infrared: Tensor, classes: ChromaClasses) -> Tensor:
        """RGB, (B, 3, H, W), in [-1, 1]: the annealed mean of the bins (equation 5 of the publication)."""
        shares = torch.softmax(classes.logits / TEMPERATURE, dim=1)
        chroma = enlarged(torch.einsum("bnhw,nc->bchw", shares, self.get_buffer("bins")), CELL_PX)
        lightness = classes.lightness
        if lightness is None:
            lightness = lightness_of(infrared) / 100
        return lab_to_rgb(torch.cat([100 * lightness.clamp(0, 1), chroma], dim=1)) * 2 - 1

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 3, H, W), both in [-1, 1]; H and W multiples of 8."""
        return self.colors(infrared, self.classify(infrared))


def spread_over_bins(chroma: Tensor, bins: Tensor) -> Tensor:
    """True chroma as shares of its nearest bins, weighted by a Gaussian of their distance.

    Args:
        chroma: CIELAB (a, b), (N, 2).
        bins: (bins, 2).

    Returns:
        (N, bins); each row sums to 1.
    """
    distances, nearest = torch.cdist(chroma, bins).topk(NUM_NEAREST, largest=False)
    return torch.zeros(len(chroma), len(bins), device=chroma.device).scatter_(1, nearest, _spread(distances, dim=1))


def class_weights(prior: Tensor, bins: Tensor) -> Tensor:
    """How much each bin counts: the inverse of its smoothed share, mixed with a uniform one (equation 4).

    Args:
        prior: how often true colours lie in each bin, (bins,), a sum of 1.
        bins: (bins, 2).

    Returns:
        (bins,), with a mean of 1 over the smoothed shares.
    """
    smoothed = _spread(torch.cdist(bins, bins), dim=0) @ prior
    weights = 1 / ((1 - UNIFORM_SHARE) * smoothed + UNIFORM_SHARE / len(prior))
    return weights / (smoothed * weights).sum()


def _spread(distances: Tensor, dim: int) -> Tensor:
    """Gaussian weights of distances in CIELAB, whose sum along a dimension is 1."""
    return torch.softmax(-(distances**2) / (2 * SMOOTHING**2), dim)
