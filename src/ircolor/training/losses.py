"""The loss of Dong et al. 2018, equations 1 to 7; the edge maps that EdgeNet learns are in `ircolor.edge_maps`.

The paper sums over pixels and batch; we average over both. The constant between the two is absorbed by Adam,
and the learning rate does not depend on crop or batch. Channels are summed, not averaged: that keeps the
paper's balance between the 3-channel colour term and the 1-channel edge term.

Pixels that a mask leaves out count in no mean. A mask is (B, 1, H, W) bool, True where a pixel may be used; None
stands for all. A batch without any usable pixel has a loss of 0.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Shown = Literal["difference", "normalised difference", "prediction"]


def squared_error(predicted: Tensor, true: Tensor) -> Tensor:
    """Equation 1: squared L2 norm, over channels, of the difference at each pixel.

    Args:
        predicted: (B, C, H, W).
        true: same shape.

    Returns:
        (B, H, W), at least 0.
    """
    return (predicted - true).square().sum(dim=1)


def color_loss(pred_rgb: Tensor, true_rgb: Tensor, mask: Tensor | None = None) -> Tensor:
    """Equation 2: loss of ColorNet; images (B, 3, H, W) in [-1, 1]. A scalar in [0, 12]."""
    return mean_of_usable(squared_error(pred_rgb, true_rgb), mask)


def edge_loss(predicted_edges: Tensor, true_edges: Tensor, mask: Tensor | None = None) -> Tensor:
    """Equation 3: loss of EdgeNet.

    Args:
        predicted_edges: EdgeNet's output, (B, 1, H, W), in [-1, 1].
        true_edges: edge map of the true RGB image, same shape, in [0, 1].
        mask: usable pixels, same shape; None for all.

    Returns:
        Scalar: squared error summed over channels, averaged over batch and usable pixels.
    """
    return mean_of_usable(squared_error(predicted_edges, true_edges), mask)


def difference_map(pred_rgb: Tensor, true_rgb: Tensor, mask: Tensor | None = None) -> Tensor:
    """Equation 4, left side: D = F(X) - Y, what EdgeNet is shown. (B, 3, H, W) in [-2, 2].

    It is 0 where the mask forbids a pixel: EdgeNet looks at neighbours and normalises over the batch, so anything else
    there would reach its output at usable pixels. 0 says that no error is known, and lets no gradient through.
    """
    difference = pred_rgb - true_rgb
    return difference if mask is None else difference * mask


def edge_enhanced_rgb(true_rgb: Tensor, true_edges: Tensor) -> Tensor:
    """Equation 5: E + Y, the image that the prediction tends to where D tends to E.

    Args:
        true_rgb: (B, 3, H, W) in [-1, 1].
        true_edges: (B, 1, H, W) in [0, 1].

    Returns:
        (B, 3, H, W) in [-1, 2]; the difference map of this image is E in every channel.
    """
    return true_edges + true_rgb


def difference_edge_loss(
    edge_net: nn.Module,
    pred_rgb: Tensor,
    true_rgb: Tensor,
    true_edges: Tensor,
    mask: Tensor | None = None,
    *,
    shown: Shown = "difference",
    scales: int = 1,
    pull: float = 1.0,
) -> Tensor:
    """Equation 6: the edge loss of EdgeNet on the difference map; its gradient reaches both networks.

    The last three arguments are forms of it that are not in the paper; `EdgeNetConfig` tells what they mean.
    """
    losses = []
    for scale in range(scales):
        if scale:
            pred_rgb, true_rgb, true_edges = (F.avg_pool2d(image, 2) for image in (pred_rgb, true_rgb, true_edges))
            mask = None if mask is None else F.max_pool2d((~mask).float(), 2) == 0
        image = pred_rgb if shown == "prediction" else difference_map(pred_rgb, true_rgb, mask)
        if shown == "normalised difference":
            image = image / image.square().mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6).sqrt()
        if pull != 1:  # same value, another gradient
            image = pull * image + (1 - pull) * image.detach()
        losses.append(edge_loss(edge_net(image), true_edges, mask))
    return torch.stack(losses).mean()


def feature_error(predicted: Sequence[Tensor], true: Sequence[Tensor]) -> Tensor:
    """The squared error of features over their mean square, averaged over the scales: 1 for predicting zero.

    Not in the paper. It knows no mask: what is to be left out is made equal before features are taken.

    Args:
        predicted: features at each scale, each of any shape.
        true: what they should be, of the same shapes.
    """
    return torch.stack(
        [
            F.mse_loss(pred.float(), wanted.float()) / wanted.float().square().mean()
            for pred, wanted in zip(predicted, true, strict=True)
        ]
    ).mean()


def total_loss(*terms: Tensor) -> Tensor:
    """Equation 7: the sum of the terms, each with its weight; in the paper two, 1:1."""
    return torch.stack(terms).sum()


def mean_of_usable(error: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of an error (B, H, W) over the usable pixels of the whole batch."""
    if mask is None:
        return error.mean()
    return (error * mask[:, 0]).sum() / mask.sum().clamp(min=1)
