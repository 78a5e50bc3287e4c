"""Which colours a system takes for which others, in words."""

import numpy as np
from numpy.typing import NDArray

from ircolor.evaluation.score import Image
from ircolor.metrics import load_skimage

# Where the hues that people call so begin in CIELAB, in degrees: there the sky is at 235 to 280, grass at 115 to 130,
# and blue, green and red of sRGB at 306, 136 and 40. Pink goes on from 340 over 0.
HUES = {"red": 15, "orange": 50, "yellow": 83, "green": 112, "cyan": 170, "blue": 220, "violet": 310, "pink": 340}
NAMES = (*HUES, "black", "gray", "white")
GRAY_CHROMA = 8.0  # below it a pixel has no hue
LIGHTNESS = (30.0, 75.0)  # where black ends, and white begins
MIN_SHARE = 0.02  # of the pixels, for a confusion to be told


def confused(pred_rgb: Image, true_rgb: Image, num: int = 4) -> list[tuple[str, str, float]]:
    """The most frequent confusions of colours: true and predicted name, and their share of all pixels, from 2 %.

    Colours are named by lightness where they are nearly gray, else by hue.
    """
    true, pred = (_named(rgb) for rgb in (true_rgb, pred_rgb))
    counts = np.bincount(true.ravel() * len(NAMES) + pred.ravel(), minlength=len(NAMES) ** 2) / true.size
    counts[:: len(NAMES) + 1] = 0
    order = np.argsort(counts)[::-1][:num]
    return [(NAMES[n // len(NAMES)], NAMES[n % len(NAMES)], float(counts[n])) for n in order if counts[n] >= MIN_SHARE]


def _named(rgb: Image) -> NDArray[np.intp]:
    """Number of each pixel's name: that of a hue, or of black, gray, white."""
    unit = (rgb / 255.0 if rgb.dtype == np.uint8 else rgb).astype(np.float32)
    lightness, a, b = np.moveaxis(load_skimage("color").rgb2lab(unit), -1, 0)
    hue = (np.digitize(np.degrees(np.arctan2(b, a)) % 360, list(HUES.values())) - 1) % len(HUES)
    gray = len(HUES) + np.digitize(lightness, LIGHTNESS)
    return np.asarray(np.where(np.hypot(a, b) < GRAY_CHROMA, gray, hue), np.intp)
