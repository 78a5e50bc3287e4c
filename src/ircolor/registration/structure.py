"""What an infrared and a colour image of one view have in common: where edges are and which way they run.

Vegetation, sky and paint swap bright and dark between the spectra, so intensities do not compare, and not even the sign
of a gradient does. Strength relative to the surroundings and direction without sign do.
"""

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.media.images import Image
from ircolor.media.intensity import IntensityRule

# (H, W) or (H, W, channels) float32.
Map = NDArray[Any]

SMOOTHING_PX = 1.2
# Added to the strength around, on 0..255 values, so that noise in flat areas stays weak.
NOISE_FLOOR = 3.0
# Surroundings that an edge is compared with. Narrow ones serve the refinement, as every part of the image then pulls
# alike; the wide ones are those of the published structure correlation.
NARROW_PX, WIDE_PX = 6.0, 15.0
# An erosion by 25 px leaves out what the border of the warped image, and the smoothing across it, would add.
BORDER_PX = 25
SHRINK = 4


def to_luma(pixels: Image, rule: Literal["auto", "percentile"] = "percentile") -> Map:
    """Gray on 0..255 of any image.

    Args:
        pixels: (H, W) or (H, W, 3) RGB; uint8 as it is, floats by the `auto` intensity rule.
        rule: of uint16: by percentiles to see what structure there is, as thermal cameras put a scene into a few
            hundred of its values; `auto` to see it as others will.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
    if gray.dtype == np.uint8:
        return np.asarray(gray, np.float32)
    window = IntensityRule(rule if gray.dtype == np.uint16 else "auto").window(gray)
    return np.asarray(window.apply(gray) * np.float32(255), np.float32)


def gradient(gray: Map) -> tuple[Map, Map, Map]:
    """Smoothed Sobel derivatives along x and y of a (H, W) image, and their magnitude."""
    smooth = cv2.GaussianBlur(gray, (0, 0), SMOOTHING_PX)
    along_x, along_y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return along_x, along_y, cv2.magnitude(along_x, along_y)


def structure_map(gray: Map) -> Map:
    """Edge strength relative to the surroundings, whichever side is brighter.

    The s of the structure correlation: gradient magnitude m over (gaussian of m with sigma 15 px, plus 3).

    Args:
        gray: (H, W) on 0..255.

    Returns:
        (H, W), from 0 up; about 1 on average, several on edges.
    """
    return _relative(gradient(gray)[2], WIDE_PX)


def structure_channels(gray: Map) -> Map:
    """Strength and direction of edges without their sign, for alignment to a fraction of a pixel.

    Args:
        gray: (H, W) on 0..255.

    Returns:
        (H, W, 3): r, r cos 2a and r sin 2a, where a is the direction of the gradient (opposite ones share 2a) and r the
        square root of its strength relative to the surroundings, so that no single edge outweighs the rest.
    """
    along_x, along_y, strength = gradient(gray)
    root = cv2.sqrt(_relative(strength, NARROW_PX))
    weight = root / np.maximum(strength * strength, 1e-6)
    cosine = (along_x * along_x - along_y * along_y) * weight
    sine = 2 * along_x * along_y * weight
    return cv2.merge([root, cosine, sine])


def _relative(strength: Map, around_px: float) -> Map:
    """Strength of edges over that around them."""
    # A gaussian this wide is much the same, and far faster, on a quarter of the size.
    height, width = strength.shape
    small = cv2.resize(strength, (-(-width // SHRINK), -(-height // SHRINK)), interpolation=cv2.INTER_AREA)
    around = cv2.resize(cv2.GaussianBlur(small, (0, 0), around_px / SHRINK), (width, height))
    return cv2.divide(strength, around + NOISE_FLOOR)


def structure_correlation(first: Map, second: Map, valid: NDArray[np.bool_]) -> float:
    """Structure correlation of two images on one grid, as `../shared/data/README.md` defines it.

    Numbers compare between transforms of one pair, not between pairs: texture decides how high it can get.

    Args:
        first: (H, W), `structure_map` of the warped RGB image's luma.
        second: (H, W), that of the infrared image.
        valid: (H, W), where both are known.

    Returns:
        Pearson correlation in [-1, 1]; NaN where next to nothing is left to compare.
    """
    inner = cv2.erode(valid.astype(np.uint8), np.ones((BORDER_PX, BORDER_PX), np.uint8), borderValue=0) > 0
    if inner.sum() < BORDER_PX * BORDER_PX:
        return float("nan")
    a, b = first[inner], second[inner]
    a, b = a - a.mean(), b - b.mean()
    energy = float(a @ a) * float(b @ b)
    return float(a @ b) / energy**0.5 if energy > 0 else float("nan")
