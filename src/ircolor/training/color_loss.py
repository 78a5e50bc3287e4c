"""What a predicted colour image is blamed for, beyond the squared error of the paper.

Each term is a switch of `ColorLossConfig`. Images are (B, 3, H, W) in [-1, 1]; a mask is (B, 1, H, W) bool, True where
a pixel may be used, None for all. A window or cell of several pixels counts where all its pixels may be used; a term
without any usable pixel is 0.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from ircolor.nets.lab import rgb_to_lab
from ircolor.training.losses import color_loss, mean_of_usable, squared_error
from ircolor.training.recipe import ColorLossConfig

CHARBONNIER_EPSILON = 1e-3
SSIM_WINDOW_PX, SSIM_STRIDE_PX = 8, 4
CHROMA_CELL_PX = 4  # finer detail of colour is neither seen nor well aligned
COARSE_CELL_PX = 16
LAB_SCALE = 0.01  # brings CIELAB distances, which are some tens, to the size of the other terms


def color_terms(pred_rgb: Tensor, true_rgb: Tensor, mask: Tensor | None, config: ColorLossConfig) -> dict[str, Tensor]:
    """The terms of the colour loss by name, weighted; their sum is to be minimised."""
    if config.max_shift_px:
        pred_rgb, true_rgb, mask = best_aligned(pred_rgb, true_rgb, mask, config.max_shift_px)
    terms: dict[str, Tensor] = {}
    if config.pixel == "squared":
        terms["color_loss"] = color_loss(pred_rgb, true_rgb, mask)
    elif config.pixel == "charbonnier":
        terms["color_loss"] = mean_of_usable(charbonnier(pred_rgb, true_rgb), mask)
    elif config.pixel == "squared_chroma":
        terms["color_loss"] = mean_of_usable(squared_error(chroma(pred_rgb), chroma(true_rgb)), mask)
    if config.ssim:
        terms["ssim_loss"] = config.ssim * ssim_loss(pred_rgb, true_rgb, mask)
    if config.coarse:
        cells = [F.avg_pool2d(image, COARSE_CELL_PX) for image in (pred_rgb, true_rgb)]
        terms["coarse_loss"] = config.coarse * mean_of_usable(charbonnier(*cells), _whole(mask, COARSE_CELL_PX))
    if config.chroma or config.colorfulness:
        pred_ab, true_ab = (chroma(F.avg_pool2d(image, CHROMA_CELL_PX)) for image in (pred_rgb, true_rgb))
        usable = _whole(mask, CHROMA_CELL_PX)
        pred_ab, true_ab = (less_cast(ab, usable, config.cast) for ab in (pred_ab, true_ab))
        if config.chroma:
            error = charbonnier_norm(pred_ab - true_ab)
            if config.rare_chroma:
                error = error * (1 + config.rare_chroma * true_ab.norm(dim=1))
            terms["chroma_loss"] = config.chroma * mean_of_usable(error, usable)
        if config.colorfulness:
            terms["colorfulness_loss"] = config.colorfulness * colorfulness_loss(pred_ab, true_ab, usable)
    return terms


def charbonnier_norm(difference: Tensor) -> Tensor:
    """Euclidean norm over channels, smooth at 0: (B, C, H, W) -> (B, H, W)."""
    return (difference.square().sum(dim=1) + CHARBONNIER_EPSILON**2).sqrt()


def charbonnier(predicted: Tensor, true: Tensor) -> Tensor:
    """The absolute error, smooth at 0 (Charbonnier et al. 1994), summed over channels: (B, C, H, W) -> (B, H, W)."""
    return ((predicted - true).square() + CHARBONNIER_EPSILON**2).sqrt().sum(dim=1)


def ssim_loss(pred_rgb: Tensor, true_rgb: Tensor, mask: Tensor | None = None) -> Tensor:
    """1 - SSIM, in [0, 2], on flat windows, channels averaged (Wang et al. 2004).

    The metric has a Gaussian window of about that width around every pixel; flat ones at every fourth cost a twentieth.
    """
    pred, true = (pred_rgb + 1) / 2, (true_rgb + 1) / 2

    def mean(image: Tensor) -> Tensor:
        return F.avg_pool2d(image, SSIM_WINDOW_PX, SSIM_STRIDE_PX)

    pred_mean, true_mean = mean(pred), mean(true)
    pred_variance = mean(pred * pred) - pred_mean.square()
    true_variance = mean(true * true) - true_mean.square()
    covariance = mean(pred * true) - pred_mean * true_mean
    c1, c2 = 0.01**2, 0.03**2
    similarity = ((2 * pred_mean * true_mean + c1) * (2 * covariance + c2)) / (
        (pred_mean.square() + true_mean.square() + c1) * (pred_variance + true_variance + c2)
    )
    return mean_of_usable(1 - similarity.mean(dim=1), _whole(mask, SSIM_WINDOW_PX, SSIM_STRIDE_PX))


def chroma(rgb: Tensor) -> Tensor:
    """CIELAB a and b in hundreds, (B, 2, H, W), of an image in [-1, 1]."""
    return rgb_to_lab((rgb + 1) / 2)[:, 1:] * LAB_SCALE


def less_cast(ab: Tensor, mask: Tensor | None, kept: float) -> Tensor:
    """Chroma, (B, 2, H, W), of which a share of each image's mean is kept: `ircolor.grade` sees to the mean."""
    if kept == 1:
        return ab
    return ab - (1 - kept) * _image_means(ab, mask)


def colorfulness_loss(pred_ab: Tensor, true_ab: Tensor, mask: Tensor | None = None) -> Tensor:
    """How far the mean chroma of each crop is from the truth's, whatever its hues; averaged over the batch.

    A net in doubt answers with gray, the mean of all it might be. This term does not say which hue to take instead,
    only how much colour there is.
    """
    pred, true = (_image_means(charbonnier_norm(ab)[:, None], mask) for ab in (pred_ab, true_ab))
    return (pred - true).abs().mean()


def best_aligned(
    pred_rgb: Tensor, true_rgb: Tensor, mask: Tensor | None, max_shift_px: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Shift the truth of each pair to where it fits the prediction best, and crop what all shifts have in common.

    Pairs of two cameras are often a pixel or two off; the net shall not blur to allow for that. The shift with the
    smallest squared error is taken, over all whole pixels up to `max_shift_px` in x and y; every second pixel a side
    has a say.
    """
    border = max_shift_px
    height, width = (length - 2 * border for length in pred_rgb.shape[2:])
    inner = slice(border, border + height), slice(border, border + width)
    cropped = pred_rgb[:, :, inner[0], inner[1]]
    steps = range(2 * border + 1)
    with torch.no_grad():
        errors = torch.stack(
            [
                (cropped[..., ::2, ::2] - true_rgb[..., y : y + height : 2, x : x + width : 2])
                .square()
                .mean(dim=(1, 2, 3))
                for y in steps
                for x in steps
            ]
        )
        best = errors.argmin(dim=0).tolist()

    def shifted(images: Tensor) -> Tensor:
        corners = [divmod(number, len(steps)) for number in best]
        return torch.stack([i[:, y : y + height, x : x + width] for i, (y, x) in zip(images, corners, strict=True)])

    return cropped, shifted(true_rgb), None if mask is None else shifted(mask) & mask[:, :, inner[0], inner[1]]


def _image_means(values: Tensor, mask: Tensor | None) -> Tensor:
    """The mean of each image over its usable pixels, 0 where it has none: (B, C, H, W) -> (B, C, 1, 1)."""
    usable = torch.ones_like(values[:, :1]) if mask is None else mask.float()
    return (values * usable).sum(dim=(2, 3), keepdim=True) / usable.sum(dim=(2, 3), keepdim=True).clamp(min=1)


def _whole(mask: Tensor | None, window_px: int, stride: int | None = None) -> Tensor | None:
    """Which windows hold usable pixels only."""
    return None if mask is None else F.max_pool2d((~mask).float(), window_px, stride or window_px) == 0
