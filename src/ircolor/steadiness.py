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

from ircolor.motion import Motion, MotionFinder, look_up, pixel_grid
from ircolor.noise import at_brightness, spatial_variance, temporal_variance

Image = NDArray[np.float32]

NEW = 0.2  # share of the new frame where motion was understood; the rest is the frame before
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
MAX_SIDE_PX = 32766  # and larger ones, in which OpenCV cannot look up places
_OUTSIDE = 3.0  # no infrared is so bright: what comes from outside the frame is not trusted


@dataclass(frozen=True)
class Look:
    """What `Steadier.settle` needs to know of one frame.

    Attributes:
        infrared: (H, W) in [0, 1], what the network is to be shown: the frame without the drift of the gain.
        places: (H, W, 2), (x, y) in px where each pixel was in the frame before; None in the first frame of a scene.
        trust: (H/2, W/2) in [0, 1], where that is so; None in the first frame of a scene.
    """

    infrared: Image
    places: Image | None = None
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
        if min(small.shape) < MIN_MOTION_PX or max(infrared.shape) > MAX_SIDE_PX:
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
        was = look_up(self._rgb, look.places, cv2.INTER_CUBIC)
        kept = (1 - NEW) * look.trust * _same_color(np.subtract(was, rgb), look.trust)
        kept = np.asarray(cv2.resize(kept, rgb.shape[1::-1]), np.float32)
        steadied = np.asarray(cv2.blendLinear(was, rgb, kept, 1 - kept), np.float32)
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
    was = look_up(before, places, cv2.INTER_CUBIC, outside=_OUTSIDE)
    difference = now - was
    may_be_so_bright = (infrared >= CLIPPED) & (difference < 0) & (was < _OUTSIDE / 2)
    difference[may_be_so_bright] = 0
    half = max(infrared.shape[1] // 2, 1), max(infrared.shape[0] // 2, 1)
    squares = np.asarray(cv2.resize(difference * difference, half, interpolation=cv2.INTER_AREA), np.float32)
    levels = np.asarray(cv2.resize(now, half, interpolation=cv2.INTER_AREA), np.float32)
    variance = np.minimum(temporal_variance(levels, squares), MAX_SPATIAL**2 * spatial_variance(now))
    expected = at_brightness(np.maximum(variance, np.float32(LEAST_NOISE**2)), levels)
    surprise = cv2.blur(squares, (TRUST_PX // 2, TRUST_PX // 2)) / expected
    trust = np.clip((UNSURE - surprise) / (UNSURE - SURE), 0, 1)
    if abs(gain) > MAX_UNDONE:
        trust[:] = 0  # the colours of the frame before are those of another light
    return Look(np.clip(now, 0, 1, out=now), places, trust)


def _places(flow: Image, size: tuple[int, ...]) -> Image:
    """(H, W, 2): where each pixel of a frame of a size, (height, width), was, by a flow at any size."""
    height, width = size
    scaled = flow * np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
    places = np.asarray(cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    places += pixel_grid(height, width)
    return places


def _same_color(difference: Image, trust: Image) -> Image:
    """0 beside things that moved otherwise, where colours say that it is not the same thing; elsewhere 1.

    Infrared of two things may be alike. Elsewhere colours that jump are flicker.

    Args:
        difference: (H, W, 3), of the colours.
        trust: at any size.

    Returns:
        (h, w) in [0, 1], of the size of `trust`.
    """
    height, width = difference.shape[:2]
    size = max(width // COLOR_PX, 1), max(height // COLOR_PX, 1)
    change = cv2.blur(cv2.resize(difference, size, interpolation=cv2.INTER_AREA), (3, 3))
    change = np.maximum.reduce(cv2.split(np.abs(change)))
    neighbourhood = (DOUBT_PX // COLOR_PX, DOUBT_PX // COLOR_PX)
    trusted = cv2.blur(cv2.resize(trust, size, interpolation=cv2.INTER_AREA), neighbourhood)
    allowed = max(NEW_COLOR, NEW_COLOR_TO_MEDIAN * float(np.median(change)))
    doubt = np.clip(DOUBT * (1 - trusted), 0, 1) * np.clip(change / allowed - 1, 0, 1)
    return np.asarray(cv2.resize(1 - doubt, trust.shape[::-1]))
