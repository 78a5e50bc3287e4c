"""Whole pictures colorized by a net in torch, as the runtime does it: at the size that the net is to see."""

from contextlib import nullcontext

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import nn

from ircolor.sessions.prediction import Prediction
from ircolor.shrink import seen_size, shrink_mapped
from ircolor.view import View, color_map


def seen(infrared: NDArray[np.uint8], view_px: int) -> NDArray[np.float32]:
    """What a net is shown of an infrared picture: (H, W) uint8 -> (h, w) float32 in [0, 1]."""
    return shrink_mapped(infrared, seen_size(infrared.shape, view_px), _unit)


def predict(net: nn.Module, infrared: NDArray[np.float32], accelerator: Accelerator | None = None) -> Prediction:
    """Run a net on one picture.

    Args:
        net: in eval mode: a colorizing net, or one with its head for the expected error.
        infrared: (h, w), in [0, 1].
        accelerator: for its device and precision; None for float32 on the CPU.

    Returns:
        At rest: RGB, (h, w, 3), in [0, 1], and of a net with a head the expected error, (h, w).
    """
    images = torch.from_numpy(infrared)[None, None] * 2 - 1
    if accelerator:
        images = images.to(accelerator.device)
    with torch.inference_mode(), accelerator.autocast() if accelerator else nullcontext():
        output = net(images)
    rgb, error = output if isinstance(output, tuple) else (output, None)
    pixels = ((rgb[0].float().clamp(-1, 1) + 1) / 2).permute(1, 2, 0).cpu().contiguous().numpy()
    return Prediction(pixels, None if error is None else error[0, 0].float().cpu().numpy())


def predict_whole(
    net: nn.Module, infrared: NDArray[np.uint8], view: View, accelerator: Accelerator | None = None
) -> Prediction:
    """As `predict`, for a stored picture, (H, W), uint8: its colours graded and carried to its size."""
    small = seen(infrared, view.px)
    return carried(predict(net, small, accelerator), small, infrared, view)


def carried(prediction: Prediction, small: NDArray[np.float32], infrared: NDArray[np.uint8], view: View) -> Prediction:
    """What a net gave to a picture as it was shown, `seen`, graded and at the size of the stored picture."""
    if not view.carries(infrared.shape):
        return prediction
    return color_map(small, prediction, view.grade).paint(_unit(infrared), slice(0, len(infrared)), len(infrared))


def colorized(
    net: nn.Module, infrared: NDArray[np.uint8], view: View, accelerator: Accelerator | None = None
) -> NDArray[np.uint8]:
    """The colours of `predict_whole` as they are stored: (H, W, 3), uint8."""
    return np.rint(predict_whole(net, infrared, view, accelerator).rgb * 255).astype(np.uint8)


def _unit(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return pixels.astype(np.float32) / np.float32(255)
