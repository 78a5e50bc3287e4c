"""What EfficientNet-Lite0, which knows photographs, sees in images: for hints and for a perceptual loss."""

import torch
from torch import Tensor, nn

from ircolor.nets.base import reflect_pad_to
from ircolor.nets.efficientnet import EfficientNetLite0
from ircolor.training.device import MEMORY_FORMAT


class PhotoFeatures(nn.Module):
    """EfficientNet-Lite0 with its published weights, which stay as they are, for images of any size.

    Args:
        in_channels: 1 for gray images, 3 for RGB.
        scales: which of its features are wanted; see `EfficientNetLite0.forward`.
        device: where it is.

    Raises:
        UserError: the weights are not installed.
    """

    def __init__(self, in_channels: int, scales: slice, device: torch.device) -> None:
        super().__init__()
        self.scales = scales
        self.net = EfficientNetLite0(in_channels)
        self.net.load_imagenet()
        self.eval().requires_grad_(False)
        self.to(device).to(memory_format=MEMORY_FORMAT)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features of images, (B, C, H, W) in [-1, 1], finest first; they are those of images padded to the grid."""
        found: list[Tensor] = self.net(reflect_pad_to(images, self.net.grid_px))
        return found[self.scales]
