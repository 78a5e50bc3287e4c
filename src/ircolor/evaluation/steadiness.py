"""How steady a video's colours are: what changes between frames where only the view should change.

Each frame is compared with the one before, moved to where things are now, on the pixels where that motion is
reliable. What is left is jitter: flicker of the colours, noise, drift of brightness.

Numbers are comparable for outputs of the same frames with the same motion: jitter grows with detail and with the
error of the motion. Motion that was estimated comes from DIS at full size, checked forth and back; no filter may
set it, and numbers with estimated motion compare with no numbers with known motion. An output that is gray, blurred
or frozen has little jitter: read it beside PSNR against true colours, or beside the picture.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.metrics import load_skimage

Image = NDArray[np.float32]

BACK_AND_FORTH_PX = 0.5  # where the flow forth and back ends further from its start, it is not reliable
MIN_FRAME_PX = 16  # a side; in smaller frames DIS reads outside of its arrays
MARGIN_PX = 3  # from the border of the frame: interpolation needs neighbours


@dataclass(frozen=True)
class FrameMotion:
    """Where the pixels of a frame were in the frame before.

    Attributes:
        flow: (H, W, 2) float32, (x, y) in px from where a pixel is to where it was.
        reliable: (H, W) bool, where that is so.
    """

    flow: Image
    reliable: NDArray[np.bool_]


@dataclass(frozen=True)
class Jitter:
    """Mean change between consecutive frames after motion compensation, each from 0.

    Attributes:
        color_jitter: distance in the CIELAB (a, b) plane; about 1 is just noticeable when it flickers.
        rgb_jitter: absolute difference of RGB, mean of the channels, in levels of 8 bits: brightness too.
        infrared_jitter: absolute difference of the infrared input, in levels of 8 bits.
    """

    color_jitter: float
    rgb_jitter: float
    infrared_jitter: float

    @property
    def steadiness(self) -> float:
        """Jitter of the output over that of the input: 1 as (un)steady as the camera, 0 at best; NaN where it has none.

        Comparable between videos of about the same contrast of output to input.
        """
        return self.rgb_jitter / self.infrared_jitter if self.infrared_jitter > 0 else float("nan")


def estimate_motion(infrared: Image, before: Image) -> FrameMotion:
    """Motion between two frames, from their infrared.

    Args:
        infrared: (H, W) in [0, 1].
        before: as `infrared`, the frame before.

    Raises:
        ValueError: the frames are smaller than MIN_FRAME_PX.
    """
    if min(infrared.shape) < MIN_FRAME_PX:
        raise ValueError(f"frames of {infrared.shape}: too small to find motion; at least {MIN_FRAME_PX} px a side")
    now_8, before_8 = (cv2.convertScaleAbs(_normalised(image), alpha=255.0) for image in (infrared, before))
    dense = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    still = np.zeros((*infrared.shape, 2), np.float32)
    to_before = np.asarray(dense.calc(now_8, before_8, still.copy()), np.float32)
    to_now = np.asarray(dense.calc(before_8, now_8, still.copy()), np.float32)
    back = _moved(to_now, to_before)
    return FrameMotion(to_before, _inside(to_before) & (np.linalg.norm(to_before + back, axis=2) < BACK_AND_FORTH_PX))


def measure_jitter(
    infrared: Iterable[Image], rgb: Iterable[Image], motions: Iterable[FrameMotion] | None = None
) -> Jitter:
    """Jitter of a video, with two frames in memory at a time.

    Args:
        infrared: the frames of the camera, (H, W) in [0, 1], as they were before any filter.
        rgb: the output for each, (H, W, 3) in [0, 1].
        motions: of each frame but the first; estimated from the infrared when not given.

    Raises:
        ValueError: fewer than two frames, not as many of the one as of the other, or nowhere reliable motion; or motion
            is to be estimated in frames that are too small.
    """
    sums, num_pixels = np.zeros(3), 0
    frames = pairwise(zip(infrared, rgb, strict=True))
    moved = zip(frames, motions, strict=True) if motions is not None else ((pair, None) for pair in frames)
    for ((before, rgb_before), (now, rgb_now)), known in moved:
        motion = known or estimate_motion(now, before)
        used = motion.reliable & _inside(motion.flow)
        color, level = frame_jitter(rgb_now, rgb_before, FrameMotion(motion.flow, used))
        seen = 255 * np.abs(now - _moved(before, motion.flow))[used]
        sums += [color.sum(dtype=np.float64), level.sum(dtype=np.float64), seen.sum(dtype=np.float64)]
        num_pixels += seen.size
    if not num_pixels:
        raise ValueError("no pixel with reliable motion; give at least two frames of one scene")
    return Jitter(*(sums / num_pixels).tolist())


def frame_jitter(rgb: Image, before: Image, motion: FrameMotion) -> tuple[Image, Image]:
    """Change of each reliable pixel to the frame before.

    Args:
        rgb: (H, W, 3) in [0, 1].
        before: as `rgb`, the frame before.
        motion: from `rgb` to `before`.

    Returns:
        Two arrays of one entry a reliable pixel: CIELAB (a, b) distance, and mean absolute difference of RGB in levels
        of 8 bits.
    """
    now, was = rgb[motion.reliable][None], np.clip(_moved(before, motion.flow), 0, 1)[motion.reliable][None]
    to_lab = load_skimage("color").rgb2lab
    change = (to_lab(now) - to_lab(was))[0, :, 1:]
    return np.hypot(change[:, 0], change[:, 1]), 255 * np.abs(now - was)[0].mean(axis=1)


def _normalised(image: Image) -> Image:
    """At one mean and spread, so that gain moves nothing."""
    return np.asarray(np.clip((image - image.mean()) * (0.2 / max(float(image.std()), 1e-6)) + 0.5, 0, 1))


def _moved(image: Image, flow: Image) -> Image:
    """An image of the frame before, where its pixels are now."""
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def _inside(flow: Image) -> NDArray[np.bool_]:
    """(H, W): whether a pixel comes from inside the frame, and not from its very border."""
    height, width = flow.shape[:2]
    x, y = flow[..., 0] + np.arange(width), flow[..., 1] + np.arange(height)[:, None]
    within = (x >= MARGIN_PX) & (x <= width - 1 - MARGIN_PX) & (y >= MARGIN_PX) & (y <= height - 1 - MARGIN_PX)
    return np.asarray(within)
