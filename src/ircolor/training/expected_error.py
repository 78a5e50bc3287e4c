"""The true error of colours, what the head for the expected error learns of it, and how its scale is set afterwards."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ircolor.nets import WithExpectedError
from ircolor.nets.lab import delta_e_2000, rgb_to_lab
from ircolor.pairs.index import Pair
from ircolor.training.colorized import predict_whole
from ircolor.training.losses import mean_of_usable
from ircolor.view import View


def expected_error_loss(expected_error: Tensor, true_error: Tensor, mask: Tensor | None = None) -> Tensor:
    """Negative log-likelihood of the true error under an exponential distribution of the expected mean.

    log e + d / e is smallest where e is the mean of d given what the head sees: errors of 2 and of 20 weigh alike, and
    the expectation is calibrated, not only ordered.

    Args:
        expected_error: e, (B, 1, H, W), above 0, in CIEDE2000.
        true_error: d, the same shape.
        mask: usable pixels, (B, 1, H, W) bool; None for all.
    """
    return mean_of_usable((expected_error.log() + true_error / expected_error)[:, 0], mask)


def error_map(pred_rgb: NDArray[np.float32], true_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIEDE2000 of each pixel.

    Args:
        pred_rgb: (H, W, 3), in [0, 1].
        true_rgb: (H, W, 3).

    Returns:
        (H, W).
    """
    pred, true = (
        rgb_to_lab(torch.from_numpy(rgb).movedim(-1, 0)[None]) for rgb in (pred_rgb, true_rgb.astype(np.float32) / 255)
    )
    return np.asarray(delta_e_2000(pred, true)[0].numpy())


def calibrate(model: WithExpectedError, pairs: Sequence[Pair], view: View) -> float:
    """Scale the expected error so that its mean over held-out pairs is the mean of the true error.

    The head learned from the errors of nets that saw fewer pictures.

    Args:
        model: in eval mode; its head is changed.
        pairs: whole images are colorized; of each, the pixels count that may be used.
        view: as of the recipe.

    Returns:
        The factor.
    """
    expected_sum = true_sum = 0.0
    for pair in pairs:
        infrared, true_rgb, mask = pair.read_masked()
        rgb, expected = predict_whole(model, infrared, view)
        assert expected is not None
        usable = np.ones_like(infrared, np.bool_) if mask is None else mask
        true_sum += float(error_map(rgb, true_rgb)[usable].mean(dtype=np.float64))
        expected_sum += float(expected[usable].mean(dtype=np.float64))
    factor = true_sum / expected_sum
    model.error_head.rescale(factor)
    return factor
