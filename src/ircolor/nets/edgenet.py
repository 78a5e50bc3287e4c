"""EdgeNet, the shallow network that acts as a learned loss (section 3.2 of Dong et al. 2018). Training only."""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from ircolor.nets.base import reflect_pad_to

EdgeNetVariant = Literal["text", "figure"]


class EdgeNet(nn.Module):
    """Difference map in, edge map of the true image out.

    Args:
        width: feature maps of the first encoding layer (the paper says only "increasing"; 64 is ours and the figure's).
        variant: "text" has two encoding and two decoding layers (3 -> w -> 2w -> w -> 1), "figure" one of each
            (3 -> w -> 1), as the paper's Fig. 2 draws it.
    """

    def __init__(self, width: int = 64, variant: EdgeNetVariant = "text") -> None:
        super().__init__()
        channels = [3, width, 2 * width] if variant == "text" else [3, width]
        self.grid_px = 2 ** (len(channels) - 1)
        layers: list[nn.Module] = []
        for in_channels, out_channels in pairwise(channels):
            layers += [
                nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1),
                nn.BatchNorm2d(out_channels),
                nn.LeakyReLU(0.2),
            ]
        for in_channels, out_channels in pairwise([*channels[:0:-1], 1]):
            layers += [
                nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1),
                nn.BatchNorm2d(out_channels),
                nn.Tanh(),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, difference: Tensor) -> Tensor:
        """Predict the edges of the true image from where the prediction is wrong.

        Args:
            difference: ColorNet's output minus the true image (equation 4), (B, 3, H, W), in [-2, 2]; any size.

        Returns:
            (B, 1, H, W) in [-1, 1].
        """
        height, width = difference.shape[-2:]
        edges: Tensor = self.layers(reflect_pad_to(difference, self.grid_px))
        return edges[..., :height, :width]
