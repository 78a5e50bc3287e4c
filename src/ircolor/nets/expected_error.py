"""How wrong a colour is likely to be: a small head on the features of a colorizing net. Not in the paper; ours."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.nets.base import FEATURE_PX, ColorizingNet, reflect_pad_to

MAX_DELTA_E = 100.0  # black against white


class ErrorHead(nn.Module):
    """Expected CIEDE2000 of each pixel, from features at a quarter of the resolution.

    It is trained to be the mean of the error given the features, and lets no gradient into them: colours are the same
    with and without it.

    Args:
        in_channels: of the features.
        width: feature maps of the hidden layer.
    """

    def __init__(self, in_channels: int, width: int = 32) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(in_channels, width, 1)
        self.log_error = nn.Conv2d(width, 1, 1)
        assert self.log_error.bias is not None
        nn.init.constant_(self.log_error.bias, math.log(10.0))  # about what nets reach: training begins near it

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H/4, W/4) -> (B, 1, H, W), above 0, in units of CIEDE2000."""
        log_error = self.log_error(F.relu(self.hidden(features.detach())))
        error = torch.exp(log_error.clamp(max=math.log(MAX_DELTA_E)))
        return F.interpolate(error, scale_factor=FEATURE_PX, mode="bilinear", align_corners=False)

    def rescale(self, factor: float) -> None:
        """Multiply all expectations by a factor above 0."""
        assert self.log_error.bias is not None
        with torch.no_grad():
            self.log_error.bias += math.log(factor)


class WithExpectedError(nn.Module):
    """A net and its head, run together."""

    def __init__(self, net: ColorizingNet, error_head: ErrorHead) -> None:
        super().__init__()
        self.net = net
        self.error_head = error_head

    def forward(self, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Colorize images of any size, and say how wrong each colour is likely to be.

        Args:
            infrared: (B, 1, H, W) in [-1, 1].

        Returns:
            RGB, (B, 3, H, W) in [-1, 1], and the expected CIEDE2000, (B, 1, H, W).
        """
        height, width = infrared.shape[-2:]
        rgb, error = self.forward_on_grid(reflect_pad_to(infrared, self.net.grid_px))
        return rgb[..., :height, :width], error[..., :height, :width]

    def forward_on_grid(self, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, for sizes on the grid."""
        rgb, features = self.net.predict_on_grid(infrared)
        return rgb, self.error_head(features)
