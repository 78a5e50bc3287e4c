"""How wrong a colour is likely to be: a small net that looks at the infrared image and its colours. Not in the paper.

It is trained on errors of nets that had not seen the pictures (`ircolor.training.trust`), so it must not depend on the
features of one net: it sees what any of them gives. And it sees little: means and texture of the surroundings at three
scales, mixed pixel by pixel. Convolutions with an eye for shapes learned the training pictures by heart.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.nets.base import ColorizingNet, enlarged, reflect_pad_to

MAX_DELTA_E = 100.0  # black against white
CELL_PX = 4  # image pixels a side of one pixel of the feature maps
COARSE_CELLS = 4  # a side, that make a coarse cell
MIN_VARIANCE = 1e-4


class ErrorHead(nn.Module):
    """Expected CIEDE2000 of each pixel, from the infrared image and the colours that a net gave it.

    It lets no gradient into the colours: they are the same with and without it.

    Args:
        width: feature maps of the hidden layers.

    Attributes:
        grid_px: height and width of images are multiples of this.
        halo_px: how far, in px, an expected error looks around.
    """

    grid_px = CELL_PX * COARSE_CELLS
    halo_px = 64  # two coarse cells, and what a cell at the rim holds

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for in_channels in (3 * 5, width):  # of three scales
            layers += [nn.Conv2d(in_channels, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        self.mixed = nn.Sequential(*layers)
        # The mean of a cell as a convolution: twice as fast in onnxruntime as its pooling of five maps.
        means = torch.eye(5)[..., None, None].expand(5, 5, CELL_PX, CELL_PX) / CELL_PX**2
        self.register_buffer("cell_means", means.contiguous(), persistent=False)
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
        seen = torch.cat([infrared, rgb.detach(), infrared * infrared], dim=1)
        fine = F.conv2d(seen, self.get_buffer("cell_means"), stride=CELL_PX)
        coarse = F.avg_pool2d(fine, COARSE_CELLS)  # (B, 5, H/16, W/16)
        wide = F.avg_pool2d(coarse, 3, stride=1, padding=1, count_include_pad=False)
        around = _means_and_texture(torch.stack([coarse, wide], dim=1)).flatten(1, 2)  # (B, 2 * 5, H/16, W/16)
        scales = [_means_and_texture(fine), enlarged(around, COARSE_CELLS)]
        log_error = self.log_error(self.mixed(torch.cat(scales, dim=1)))  # (B, 1, H/4, W/4)
        return enlarged(torch.exp(log_error.clamp(max=math.log(MAX_DELTA_E))), CELL_PX)

    def rescale(self, factor: float) -> None:
        """Multiply all expectations by a factor above 0, before they are held below MAX_DELTA_E."""
        assert self.log_error.bias is not None
        with torch.no_grad():
            self.log_error.bias += math.log(factor)


def _means_and_texture(means: Tensor) -> Tensor:
    """Of means of infrared, red, green, blue, infrared squared: the first four, and the deviation of the infrared.

    Args:
        means: (..., 5, H, W).

    Returns:
        The same shape.
    """
    infrared, squared = means[..., :1, :, :], means[..., 4:, :, :]
    variance = squared - infrared * infrared
    return torch.cat([means[..., :4, :, :], variance.clamp(min=MIN_VARIANCE).sqrt()], dim=-3)


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
