"""The one rule that maps stored infrared values to [0, 1].

Cameras store infrared in 8 bits, in 10 to 16 bits within uint16, or as float. A network takes [0, 1], so
every part of ircolor that feeds one, in training and at run time, asks the rule here for a window and applies
it.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError

UINT16_DEPTHS_BITS = (8, 10, 12, 14, 16)
PERCENTILES = (0.1, 99.9)
# Frames over which the percentiles of a video are followed: two seconds of most.
FOLLOW_FRAMES = 50

_PERCENTILES = f"percentiles {PERCENTILES[0]} and {PERCENTILES[1]}"
_FOLLOWS = f"{_PERCENTILES}, followed over {FOLLOW_FRAMES} frames"


@dataclass(frozen=True)
class IntensityWindow:
    """The stored values that become black and white.

    Attributes:
        low: stored value that becomes 0.
        high: stored value that becomes 1; larger than `low`.
        reason: how they were found, for the user.
    """

    low: float
    high: float
    reason: str

    def apply(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Map stored values to [0, 1]; what lies outside the window is clipped.

        Args:
            pixels: any shape, uint8, uint16 or finite float.

        Returns:
            Same shape, float32 in [0, 1].
        """
        # 8 and 16 bits are exact in float32; float values may be anything, e.g. 1e38, and so may a window as given.
        plain = np.issubdtype(pixels.dtype, np.integer) and -1e6 < self.low <= self.high - 1 < 1e6
        values: NDArray[Any] = pixels.astype(np.float32 if plain else np.float64)
        values = (values - self.low) / (self.high - self.low)
        return values.clip(0, 1).astype(np.float32, copy=False)


@dataclass(frozen=True)
class IntensityRule:
    """How to find the window of an image.

    Attributes:
        kind: `auto`: uint8 as full; uint16 by the smallest of 8, 10, 12, 14 and 16 bits that the brightest
            pixel fits; float as it is within [0, 1], else as percentile. `full`: the range of the type, [0,
            1] for float. `percentile`: from the 0.1th to the 99.9th percentile of the image. `range`: `low`
            to `high`.
        low: for `range` only, in stored units.
        high: for `range` only, in stored units.
    """

    kind: Literal["auto", "full", "percentile", "range"]
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a rule as the command line spells it: auto, full, percentile or LOW:HIGH.

        Raises:
            UserError: it is none of them.
        """
        match text.strip().lower():
            case "auto" | "full" | "percentile" as kind:
                return cls(kind)
        number = r"([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)"
        numbers = re.fullmatch(rf"{number}:{number}", text.strip().lower())
        try:
            low, high = map(float, numbers.groups()) if numbers else (math.nan, math.nan)
        except ValueError:
            low = high = math.nan
        # The width must be finite too, and not so small that its inverse is not.
        if not (low < high and math.isfinite(high - low) and high - low > 1e-300):
            raise UserError(f"intensity {text!r}: use auto, full, percentile, or LOW:HIGH with LOW < HIGH, e.g. 0:4095")
        return cls("range", low, high)

    def window(self, pixels: NDArray[Any]) -> IntensityWindow:
        """The window of an image.

        Args:
            pixels: (H, W), at least 1x1, uint8, uint16 or finite float.
        """
        if self.kind == "range":
            return IntensityWindow(self.low, self.high, "as given")
        if self.kind == "percentile":
            return _percentile_window(pixels)
        if self.kind == "auto" and pixels.dtype == np.uint16:
            brightest = int(pixels.max())
            bits = depth_in_use(brightest)
            return _bits_window(bits, f"{bits} bits hold the brightest pixel, {brightest}")
        if self.kind == "auto" and np.issubdtype(pixels.dtype, np.floating) and not _within_unit(pixels):
            return _percentile_window(pixels)
        return _full_window(pixels)


def depth_in_use(brightest: int) -> int:
    """The bits of the least depth of cameras that holds a value of uint16."""
    return next(bits for bits in UINT16_DEPTHS_BITS if brightest < 1 << bits)


class IntensityTracker:
    """The windows of the frames of one video or camera: the rule's, held steady so that brightness does not pump.

    Within a scene, `auto` never takes fewer bits than an earlier frame needed, and keeps to percentiles once float
    frames have left [0, 1]. `percentile` follows the scene with a delay of FOLLOW_FRAMES. The other rules are steady by
    themselves.
    """

    def __init__(self, rule: IntensityRule) -> None:
        self._rule = rule
        self._last: IntensityWindow | None = None

    def reset(self) -> None:
        """Forget what was seen: a new scene begins."""
        self._last = None

    def window(self, pixels: NDArray[Any], bits: int | None = None) -> IntensityWindow:
        """The window of the next frame.

        Args:
            pixels: (H, W), at least 1x1, uint8, uint16 or finite float.
            bits: depth of uint16 pixels where their format declares one; 16 may hold less, and tells nothing.
        """
        kind, last = self._rule.kind, self._last
        if kind in ("auto", "full") and pixels.dtype == np.uint16 and bits is not None and bits < 16:
            return _bits_window(bits, f"full range of {bits} bits")
        window = self._rule.window(pixels)
        stretched = np.issubdtype(pixels.dtype, np.floating) and last is not None and last.reason == _FOLLOWS
        if kind == "percentile" or (kind == "auto" and (stretched or window.reason == _PERCENTILES)):
            window = self._followed(_percentile_window(pixels))
        elif kind == "auto" and last is not None and last.high > window.high:
            window = last
        self._last = window
        return window

    def _followed(self, window: IntensityWindow) -> IntensityWindow:
        last = self._last
        if last is None or last.reason != _FOLLOWS:
            return IntensityWindow(window.low, window.high, _FOLLOWS)
        share = 1 / FOLLOW_FRAMES
        low = last.low + share * (window.low - last.low)
        return IntensityWindow(low, last.high + share * (window.high - last.high), _FOLLOWS)


def _bits_window(bits: int, reason: str) -> IntensityWindow:
    return IntensityWindow(0.0, float((1 << bits) - 1), reason)


def _within_unit(pixels: NDArray[Any]) -> bool:
    return bool(pixels.min() >= 0 and pixels.max() <= 1)


def _full_window(pixels: NDArray[Any]) -> IntensityWindow:
    if np.issubdtype(pixels.dtype, np.integer):
        return IntensityWindow(0.0, float(np.iinfo(pixels.dtype).max), f"full range of {pixels.dtype}")
    return IntensityWindow(0.0, 1.0, "full range of float, 0 to 1")


def _percentile_window(pixels: NDArray[Any]) -> IntensityWindow:
    low, high = (float(value) for value in np.percentile(pixels, PERCENTILES))
    if low < high:
        return IntensityWindow(low, high, _PERCENTILES)
    low, high = float(pixels.min()), float(pixels.max())
    if low < high:
        return IntensityWindow(low, high, "darkest to brightest, as nearly all pixels are equal")
    return _full_window(pixels)  # a constant image shows nothing to stretch
