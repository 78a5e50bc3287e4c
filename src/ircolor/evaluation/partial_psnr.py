"""PSNR that forgives one kind of error, so that its distance to the plain PSNR tells how much that kind costs.

All take (H, W, 3) RGB, uint8 or float in [0, 1], of one shape. Comparable with themselves on the same images only.
"""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ircolor.metrics import psnr_db, unit_rgb

Image = NDArray[Any]

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
MAX_SHIFT_PX = 2


def gray_psnr_db(pred_rgb: Image, true_rgb: Image) -> float:
    """PSNR of the prediction's own gray version: where it is near the plain PSNR, colours hardly help it."""
    luma = np.clip(unit_rgb(pred_rgb) @ LUMA, 0, 1)
    return psnr_db(np.repeat(luma[..., None], 3, axis=2), true_rgb)


def shift_tolerant_psnr_db(pred_rgb: Image, true_rgb: Image, max_shift_px: int = MAX_SHIFT_PX) -> float:
    """The best PSNR over shifts of the truth: pairs of two cameras are often a pixel or two off.

    All shifts are scored on the same inner part of the prediction, which leaves out `max_shift_px` at each border; an
    image that has none is scored unshifted.
    """
    height, width = (length - 2 * max_shift_px for length in true_rgb.shape[:2])
    if min(height, width) < 1:
        return psnr_db(pred_rgb, true_rgb)
    pred, true = unit_rgb(pred_rgb), unit_rgb(true_rgb)
    inner = pred[max_shift_px : max_shift_px + height, max_shift_px : max_shift_px + width]
    shifted = [true[y : y + height, x : x + width] for y, x in product(range(2 * max_shift_px + 1), repeat=2)]
    return psnr_db(inner, min(shifted, key=lambda part: float(np.square(inner - part).mean())))


def aligned_psnr_db(pred_rgb: Image, true_rgb: Image) -> float:
    """PSNR after the gain and offset of each channel that fit the truth best: exposure and white balance forgiven.

    A channel without any variation takes the truth's mean. Fitted values are clipped to [0, 1].
    """
    pred, true = unit_rgb(pred_rgb), unit_rgb(true_rgb)
    pred_mean, true_mean = pred.mean(axis=(0, 1)), true.mean(axis=(0, 1))
    variance = pred.var(axis=(0, 1))
    covariance = ((pred - pred_mean) * (true - true_mean)).mean(axis=(0, 1))
    gain = np.divide(covariance, variance, out=np.zeros(3), where=variance > 0)
    return psnr_db(np.clip(gain * (pred - pred_mean) + true_mean, 0, 1), true)
