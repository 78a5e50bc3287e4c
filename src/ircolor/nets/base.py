"""What every colorizing network has in common: infrared in, RGB out, any size, a grid and a halo."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ColorizingNet(nn.Module, ABC):
    """A fully convolutional network from infrared to RGB.

    Attributes:
        grid_px: height and width that the network itself can take are multiples of this.
        halo_px: how far, in px, an output pixel looks: with this much context around a tile that lies on
            the grid, the tile's pixels equal those of the whole image.
        bytes_per_px: peak memory of its ONNX form on the CPU over the number of pixels, measured.
        bytes_per_px_int8: the same of its int8 form.
        exact_layers: names of its modules whose convolutions stay in float32 in its int8 form.
        pretrained: what parts of it were trained on before, by others; empty for nothing.
    """

    grid_px: int
    halo_px: int
    bytes_per_px: int
    bytes_per_px_int8: int
    exact_layers: Sequence[str] = ()
    pretrained: str = ""

    def load_pretrained(self) -> None:
        """Take the weights that training begins with where these are not random; most nets have none.

        Raises:
            UserError: they are not installed.
        """

    @abstractmethod
    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        """Colorize images whose height and width are multiples of `grid_px`.

        Args:
            infrared: (B, 1, H, W) in [-1, 1].

        Returns:
            RGB, (B, 3, H, W) in [-1, 1].
        """

    def forward(self, infrared: Tensor) -> Tensor:
        """Colorize images of any size: reflect-padded to the grid, colorized, cropped back.

        Args:
            infrared: (B, 1, H, W) in [-1, 1].

        Returns:
            RGB, (B, 3, H, W) in [-1, 1].
        """
        height, width = infrared.shape[-2:]
        padded = reflect_pad_to(infrared, self.grid_px)
        return self.forward_on_grid(padded)[..., :height, :width]


def enlarged(maps: Tensor, factor: int) -> Tensor:
    """Maps, (B, C, H, W), bilinearly enlarged.

    With align_corners=False it is shift-equivariant: an image colorized in tiles equals the image colorized whole. With
    align_corners=True the result would depend on the image's size.
    """
    return F.interpolate(maps, scale_factor=float(factor), mode="bilinear", align_corners=False)


def reflect_pad_to(images: Tensor, grid_px: int) -> Tensor:
    """Pad (..., H, W) at the bottom and right to multiples of the grid, reflecting as often as it takes.

    Unlike `torch.nn.functional.pad` it also takes images smaller than the padding, down to 1x1; equal to
    `numpy.pad(mode="reflect")`, which the runtime uses.
    """
    for dim in (-2, -1):
        size = images.shape[dim]
        missing = -size % grid_px
        if missing:
            period = max(2 * (size - 1), 1)
            index = torch.arange(size + missing, device=images.device) % period
            images = images.index_select(dim, torch.minimum(index, period - index) if size > 1 else index)
    return images
