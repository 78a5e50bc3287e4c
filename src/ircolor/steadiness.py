"""Hold the colours of a video steady: undo what noise and automatic gain change between frames, and no more.

Before the network, gain that drifts is undone. After the network, the result of the frame before is moved to where
things are now and blended in, but only where the infrared shows, against the noise of the camera, that motion was
understood; elsewhere the new frame stands for itself, so nothing smears. Noise is left to the network: to remove it
beforehand helps or harms single scenes by many dB, as the network takes noise for the right texture or a wrong one.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.motion import Motion, MotionFinder
from ircolor.noise import at_brightness, spatial_variance, temporal_variance

Image = NDArray[np.float32]

# Shares of the new frame where motion was understood; the rest is the frame before.
NEW_LUMA, NEW_CHROMA = 0.2, 0.2
FOLLOW_FRAMES = 50  # brightness is held at the mean of the scene so far, at most of so many frames
MAX_UNDONE = 0.4  # of the gain's logarithm, so from 2/3 to 3/2: beyond that somebody has switched the light
CLIPPED = 0.98  # brighter pixels may be brighter than the camera can tell
# The difference to the frame before, as a multiple of the noise: trusted in full below the first, not at all above the
# second. Squared differences are averaged over TRUST_PX.
SURE, UNSURE = 1.6, 3.0
LEAST_NOISE = 0.006  # standard deviation; differences below it are nothing that smears
MAX_SPATIAL = 1.5  # times the spatial estimate of the noise: what is above it is motion not understood
TRUST_PX = 6
# Beside regions that are not trusted, colour that differs by more than this from the frame before is new.
NEW_COLOR = 0.02
NEW_COLOR_TO_MEDIAN = 4.0
DOUBT = 10.0  # a tenth of the neighbourhood not trusted raises full doubt
DOUBT_PX, COLOR_PX = 28, 4
# Motion is found on smaller frames: long side and factor.
MOTION_LONG_SIDE_PX, MAX_SHRINK = 160, 6.0
MIN_MOTION_PX = 16  # frames that get smaller than this are left as they are
_OUTSIDE = 3.0  # no infrared is so bright: what comes from outside the frame is not trusted
_LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)


@dataclass(frozen=True)
class Look:
    """What `Steadier.settle` needs to know of one frame.

    Attributes:
        infrared: (H, W) in [0, 1], what the network is to be shown: the frame without the drift of the gain.
        places: where each pixel was in the frame before, as `cv2.convertMaps` packs it; None in the first frame of a
            scene.
        trust: (H, W) in [0, 1], where that is so; None in the first frame of a scene.
    """

    infrared: Image
    places: tuple[NDArray[np.int16], NDArray[np.uint16]] | None = None
    trust: Image | None = None


class Steadier:
    """Steadies the frames of one video or camera, all of one size, in their order; memory stays constant.

    `look` and `settle` may run in two threads, `look` any number of frames ahead; neither may run in two at once.

    Attributes:
        num_cuts: how often `look` has seen a new scene begin, the first not counted.
    """

    def __init__(self) -> None:
        self.num_cuts = 0
        self._finder: MotionFinder | None = None
        self._infrared: Image | None = None  # state of look
        self._small: Image | None = None
        self._num_frames = 0  # of the scene
        self._rgb: Image | None = None  # state of settle

    def look(self, infrared: Image) -> Look:
        """Compare a frame with those before, before the network sees it.

        Args:
            infrared: (H, W) float32 in [0, 1]; of the same size as the first.
        """
        small = _shrink(infrared)
        if min(small.shape) < MIN_MOTION_PX:
            return Look(infrared)
        if self._infrared is None or self._small is None:
            return self.begin(infrared)
        self._finder = self._finder or MotionFinder((small.shape[0], small.shape[1]))
        motion = self._finder(self._small, small)
        if motion.is_cut:
            self.num_cuts += 1
            return self.begin(infrared)
        self._num_frames += 1
        look = _continue(infrared, self._infrared, motion, 1 / min(self._num_frames, FOLLOW_FRAMES))
        self._infrared, self._small = look.infrared, _shrink(look.infrared)
        return look

    def settle(self, look: Look, rgb: Image) -> Image:
        """Steady the colours that the network gave a frame.

        Args:
            look: of this frame.
            rgb: (H, W, 3) float32 in [0, 1], what the network made of `look.infrared`.

        Returns:
            (H, W, 3) float32 in [0, 1].
        """
        if self._rgb is None or look.places is None or look.trust is None:
            self._rgb = rgb
            return rgb
        was = cv2.remap(self._rgb, *look.places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        difference = np.asarray(was - rgb, np.float32)
        trust = look.trust * _same_color(difference, look.trust)
        # The share of chroma for all of the difference; along the gray axis what makes it the share of luma.
        share = np.eye(3, dtype=np.float32) * (1 - NEW_CHROMA) + (NEW_CHROMA - NEW_LUMA) * _LUMA
        steadied = rgb + cv2.transform(difference, share) * trust[..., None]
        self._rgb = np.clip(steadied, 0, 1, out=steadied)
        return self._rgb

    def begin(self, infrared: Image) -> Look:
        """As `look`, for the first frame of a scene."""
        self._infrared, self._small, self._num_frames = infrared, _shrink(infrared), 1
        return Look(infrared)


def _shrink(image: Image) -> Image:
    """At the size that motion is found at."""
    height, width = image.shape
    factor = min(max(1.0, max(height, width) / MOTION_LONG_SIDE_PX), MAX_SHRINK)
    size = max(round(width / factor), 1), max(round(height / factor), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _continue(infrared: Image, before: Image, motion: Motion, followed: float) -> Look:
    """A frame whose scene was seen before.

    Args:
        infrared: (H, W), the frame.
        before: (H, W), what the network was shown of the frame before.
        motion: between the two, at any size.
        followed: share of a change of the gain that is let pass.
    """
    # The frame before was itself held back, so this is all of the drift; what is left of it now follows the light.
    gain = math.log(motion.gain)
    undone = min(max(gain * (1 - followed), -MAX_UNDONE), MAX_UNDONE)
    now = infrared * np.float32(math.exp(-undone))
    places = _places(motion.flow, infrared.shape)
    before = before * np.float32(math.exp(gain - undone))
    was = np.asarray(
        cv2.remap(before, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=_OUTSIDE), np.float32
    )
    difference = now - was
    may_be_so_bright = (infrared >= CLIPPED) & (difference < 0) & (was < _OUTSIDE / 2)
    difference[may_be_so_bright] = 0
    half = max(infrared.shape[1] // 2, 1), max(infrared.shape[0] // 2, 1)
    squares = np.asarray(cv2.resize(difference * difference, half, interpolation=cv2.INTER_AREA), np.float32)
    levels = np.asarray(cv2.resize(now, half, interpolation=cv2.INTER_AREA), np.float32)
    variance = np.minimum(temporal_variance(levels, squares), MAX_SPATIAL**2 * spatial_variance(now))
    expected = at_brightness(np.maximum(variance, np.float32(LEAST_NOISE**2)), levels)
    surprise = cv2.blur(squares, (TRUST_PX // 2, TRUST_PX // 2)) / expected
    trust = cv2.resize(np.clip((UNSURE - surprise) / (UNSURE - SURE), 0, 1), infrared.shape[::-1])
    return Look(np.clip(now, 0, 1, out=now), places, trust)


def _places(flow: Image, size: tuple[int, ...]) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Where each pixel of a frame of a size, (height, width), was, by a flow at any size."""
    height, width = size
    x, y = (
        cv2.resize(np.ascontiguousarray(flow[..., axis]), (width, height), interpolation=cv2.INTER_LINEAR)
        for axis in (0, 1)
    )
    x = x * np.float32(width / flow.shape[1]) + np.arange(width, dtype=np.float32)
    y = y * np.float32(height / flow.shape[0]) + np.arange(height, dtype=np.float32)[:, None]
    whole, fraction = cv2.convertMaps(x, y, cv2.CV_16SC2)
    return np.asarray(whole, np.int16), np.asarray(fraction, np.uint16)


def _same_color(difference: Image, trust: Image) -> Image:
    """(H, W) in [0, 1]: 0 beside things that moved otherwise, where colours say that it is not the same thing.

    Infrared of two things may be alike. Elsewhere colours that jump are flicker.
    """
    height, width = trust.shape
    size = max(width // COLOR_PX, 1), max(height // COLOR_PX, 1)
    change = np.abs(cv2.blur(cv2.resize(difference, size, interpolation=cv2.INTER_AREA), (3, 3))).max(axis=2)
    neighbourhood = (DOUBT_PX // COLOR_PX, DOUBT_PX // COLOR_PX)
    trusted = cv2.blur(cv2.resize(trust, size, interpolation=cv2.INTER_AREA), neighbourhood)
    allowed = max(NEW_COLOR, NEW_COLOR_TO_MEDIAN * float(np.median(change)))
    doubt = np.clip(DOUBT * (1 - trusted), 0, 1) * np.clip(change / allowed - 1, 0, 1)
    return np.asarray(cv2.resize(1 - doubt, (width, height)))
