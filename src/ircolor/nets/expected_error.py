"""How wrong a colour is likely to be: a small net that looks at the infrared image and its colours. Not in the paper.

It is trained on errors of nets that had not seen the pictures (`ircolor.training.trust`), so it must not depend on the
features of one net: it sees what any of them gives.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.nets.base import ColorizingNet, reflect_pad_to
from ircolor.nets.blocks import ConvNorm

MAX_DELTA_E = 100.0  # black against white
CELL_PX = 4  # image pixels a side of one pixel of the first feature maps


class ErrorHead(nn.Module):
    """Expected CIEDE2000 of each pixel, from the infrared image and the colours that a net gave it.

    It lets no gradient into the colours: they are the same with and without it.

    Args:
        width: feature maps of the first layer.

    Attributes:
        grid_px: height and width of images are multiples of this.
        halo_px: how far, in px, an expected error looks around.
    """

    grid_px = 16
    halo_px = 160  # dilated convolutions reach 6 cells of 16 px, enlarging one more, the rest 28 px

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.fine = ConvNorm(5, width)
        self.coarse = nn.Sequential(
            ConvNorm(width, 2 * width, stride=2),
            ConvNorm(2 * width, 2 * width, stride=2),
            ConvNorm(2 * width, 2 * width, dilation=2),
            ConvNorm(2 * width, 2 * width, dilation=4),
        )
        self.lateral = nn.Conv2d(2 * width, width, 1)
        self.mixed = ConvNorm(width, width)
        self.log_error = nn.Conv2d(width, 1, 1)
        assert self.log_error.bias is not None
        nn.init.constant_(self.log_error.bias, math.log(10.0))  # about what nets reach: training begins near it

    def forward(self, infrared: Tensor, rgb: Tensor) -> Tensor:
        """Expected error of colours; H and W are multiples of the grid.

        Args:
            infrared: (B, 1, H, W) in [-1, 1].
            rgb: (B, 3, H, W) in [-1, 1].

        Returns:
            (B, 1, H, W), above 0, in units of CIEDE2000.
        """
        mean = F.avg_pool2d(torch.cat([infrared, rgb.detach()], dim=1), CELL_PX)
        texture = F.avg_pool2d(infrared * infrared, CELL_PX) - mean[:, :1] * mean[:, :1]
        fine = self.fine(torch.cat([mean, texture], dim=1))  # (B, 16, H/4, W/4)
        context = self.lateral(self.coarse(fine))  # (B, 16, H/16, W/16)
        fine = F.relu(fine + F.interpolate(context, scale_factor=4, mode="bilinear", align_corners=False))
        log_error = self.log_error(self.mixed(fine))
        error = torch.exp(log_error.clamp(max=math.log(MAX_DELTA_E)))
        return F.interpolate(error, scale_factor=CELL_PX, mode="bilinear", align_corners=False)

    def rescale(self, factor: float) -> None:
        """Multiply all expectations by a factor above 0."""
        assert self.log_error.bias is not None
        with torch.no_grad():
            self.log_error.bias += math.log(factor)


class WithExpectedError(nn.Module):
    """A net and its head, run together.

    Attributes:
        grid_px: height and width that it can take without padding are multiples of this.
        halo_px: how far, in px, an output pixel looks.
    """

    def __init__(self, net: ColorizingNet, error_head: ErrorHead) -> None:
        super().__init__()
        self.net = net
        self.error_head = error_head
        self.grid_px = math.lcm(net.grid_px, error_head.grid_px)
        self.halo_px = net.halo_px + error_head.halo_px

    def forward(self, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """Colorize images of any size, and say how wrong each colour is likely to be.

        Args:
            infrared: (B, 1, H, W) in [-1, 1].

        Returns:
            RGB, (B, 3, H, W) in [-1, 1], and the expected CIEDE2000, (B, 1, H, W).
        """
        height, width = infrared.shape[-2:]
        rgb, error = self.forward_on_grid(reflect_pad_to(infrared, self.grid_px))
        return rgb[..., :height, :width], error[..., :height, :width]

    def forward_on_grid(self, infrared: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, for sizes on the grid."""
        rgb = self.net.forward_on_grid(infrared)
        return rgb, self.error_head(infrared, rgb)
