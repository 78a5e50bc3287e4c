"""Colours of systems that keep the infrared image as luminance and only add chroma."""

import torch
from torch import Tensor

from ircolor.nets.lab import lab_to_rgb, rgb_to_lab

CHROMA_RANGE = 110.0  # of CIELAB a and b: no colour of sRGB is beyond


def on_infrared(infrared: Tensor, chroma: Tensor) -> Tensor:
    """Give the infrared image colours.

    Args:
        infrared: (B, 1, H, W) in [-1, 1], taken for the luminance: without chroma it comes out as it is.
        chroma: CIELAB a and b over `CHROMA_RANGE`, (B, 2, H, W), in [-1, 1].

    Returns:
        RGB, (B, 3, H, W), in [-1, 1]; what sRGB does not hold is clipped.
    """
    return lab_to_rgb(torch.cat([lightness_of(infrared), CHROMA_RANGE * chroma], dim=1)) * 2 - 1


def lightness_of(infrared: Tensor) -> Tensor:
    """CIELAB L, (B, 1, H, W), in [0, 100], of the infrared image taken for a gray one, in [-1, 1]."""
    return rgb_to_lab((infrared.expand(-1, 3, -1, -1) + 1) / 2)[:, :1]
