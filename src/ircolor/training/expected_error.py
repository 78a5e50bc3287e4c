"""What the head for the expected error learns from, and how its scale is set afterwards."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ircolor.nets import WithExpectedError
from ircolor.pairs.index import Pair
from ircolor.training.lab import delta_e_2000, rgb_to_lab
from ircolor.training.losses import mean_of_usable

STRIDE_PX = 2  # every second pixel a side tells as much, for a quarter of the time


def expected_error_loss(
    expected_error: Tensor, pred_rgb: Tensor, true_rgb: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Negative log-likelihood of the true error under an exponential distribution of the expected mean.

    log e + d / e is smallest where e is the mean of d given what the head sees: errors of 2 and of 20 weigh alike, and
    the expectation is calibrated, not only ordered.

    Args:
        expected_error: e, (B, 1, H, W), above 0, in CIEDE2000.
        pred_rgb: (B, 3, H, W) in [-1, 1]; no gradient reaches it.
        true_rgb: the same shape.
        mask: usable pixels, (B, 1, H, W); None for all.
    """
    thin = (..., slice(None, None, STRIDE_PX), slice(None, None, STRIDE_PX))
    with torch.no_grad():
        true_error = true_error_delta_e(pred_rgb[thin], true_rgb[thin])
    expected = expected_error[thin][:, 0]
    return mean_of_usable(expected.log() + true_error / expected, None if mask is None else mask[thin])


def true_error_delta_e(pred_rgb: Tensor, true_rgb: Tensor) -> Tensor:
    """CIEDE2000 of each pixel, (B, 3, H, W) in [-1, 1] each -> (B, H, W)."""
    return delta_e_2000(*(rgb_to_lab((rgb.float() + 1) / 2) for rgb in (pred_rgb, true_rgb)))


def calibrate(model: WithExpectedError, pairs: Sequence[Pair]) -> float:
    """Scale the expected error so that its mean over held-out pairs is the mean of the true error.

    On pairs that a net was trained on, its errors are smaller than on others.

    Args:
        model: in eval mode; its head is changed.
        pairs: whole images are colorized; of each, every second pixel a side counts that may be used.

    Returns:
        The factor.
    """
    expected_sum = true_sum = 0.0
    for pair in pairs:
        infrared, true_rgb, mask = pair.read_masked()
        with torch.inference_mode():
            pred, expected = model(torch.from_numpy(infrared)[None, None].float() / 127.5 - 1)
            true = torch.from_numpy(true_rgb).movedim(-1, 0)[None].float() / 127.5 - 1
            thin = (..., slice(None, None, STRIDE_PX), slice(None, None, STRIDE_PX))
            usable = torch.ones_like(expected[thin], dtype=torch.bool)[:, 0]
            if mask is not None:
                usable &= torch.from_numpy(mask)[thin]
            true_sum += float(true_error_delta_e(pred[thin], true[thin])[usable].double().mean())
            expected_sum += float(expected[thin][:, 0][usable].double().mean())
    factor = true_sum / expected_sum
    model.error_head.rescale(factor)
    return factor
