"""What ColorNet's encoder is told by one that knows photographs, while it learns to colorize. Not in the paper.

A few hundred pairs do not teach an encoder what things are. That of EfficientNet, trained on ImageNet, tells sky from
water; it looks at the same crops, and ColorNet's features must tell what its features are (hints; Romero et al. 2015,
"FitNets"). Afterwards ColorNet is alone, and as fast as ever.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from ircolor.nets import ColorNet
from ircolor.nets.base import reflect_pad_to
from ircolor.nets.colornet import encoder_channels
from ircolor.nets.efficientnet import EfficientNetLite0

# EfficientNet's features at a 4th to a 32nd of the size: finer ones tell edges, which ColorNet finds alone.
HINTED_SCALES = slice(1, None)


class Encoded(NamedTuple):
    """What a ColorNet gave: RGB, (B, 3, H, W) in [-1, 1], and its features at a 4th, 8th and 16th of the size.

    RGB is None where the features alone were wanted.
    """

    rgb: Tensor | None
    features: list[Tensor]


class Encoding(nn.Module):
    """A ColorNet that also gives its features, for images of any size."""

    grid_px = EfficientNetLite0.grid_px  # of what hints

    def __init__(self, net: ColorNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, infrared: Tensor, *, colorize: bool = True) -> Encoded:
        """Colorize images, (B, 1, H, W) in [-1, 1], or not; the features are those of images padded to the grid."""
        height, width = infrared.shape[-2:]
        features = self.net.encode(reflect_pad_to(infrared, self.grid_px))
        rgb = self.net.decode(features)[..., :height, :width] if colorize else None
        return Encoded(rgb, features[2:])


class Hints(nn.Module):
    """From ColorNet's features to those of EfficientNet, by a convolution for each scale; trained beside ColorNet.

    Args:
        width: of the ColorNet.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        *ours, deepest = encoder_channels(width)[2:]
        # A 32nd of the size has no features of its own in ColorNet. 3x3, as EfficientNet looks further there.
        ours, theirs = [*ours, deepest, deepest], EfficientNetLite0.channels[HINTED_SCALES]
        self.heads = nn.ModuleList(nn.Conv2d(*both, 3, padding=1) for both in zip(ours, theirs, strict=True))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """What EfficientNet's features must be, at 1/4 to 1/32, by ColorNet's at 1/4 to 1/16."""
        own = [*features, F.avg_pool2d(features[-1], 2)]
        return [head(each) for head, each in zip(self.heads, own, strict=True)]
