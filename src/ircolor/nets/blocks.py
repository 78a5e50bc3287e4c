"""Layers that several networks are made of."""

from torch import nn


class ConvNorm(nn.Sequential):
    """3x3 convolution, batch normalisation, ReLU; halves the size with a stride of 2, looks further with a dilation."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, stride, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )
