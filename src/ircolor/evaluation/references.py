"""Rows that need no trained network and stand in every comparison: what a model has to beat."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ircolor.evaluation.score import Image, Row
from ircolor.metrics import lab_to_rgb, load_skimage
from ircolor.pairs.index import Pair

INFRARED_COPY = "infrared-copy"
CUBIC_CURVE = "cubic-curve"
TRUE_CHROMA = "true-chroma"


def infrared_copy(_stem: str, infrared: Image) -> Image:
    """The infrared image as all three channels, (H, W) -> (H, W, 3): first column of the paper's table."""
    return np.repeat(infrared[..., None], 3, axis=2)


def true_chroma_on_infrared(pairs: Sequence[Pair]) -> Row:
    """What a system that keeps the infrared image as luminance scores where its chroma is that of the truth.

    No bound by PSNR: at a wrong luminance, chroma that differs from the truth's can come nearer to its RGB values.

    Args:
        pairs: whose truth it looks at, with distinct stems.

    Returns:
        A row: (H, W) uint8 -> (H, W, 3) float in [0, 1]: CIELAB a and b of the truth, L of the infrared image as gray.
    """
    by_stem = {pair.stem: pair for pair in pairs}
    color = load_skimage("color")

    def colorize(stem: str, infrared: Image) -> Image:
        _, true_rgb = by_stem[stem].read()
        lab = color.rgb2lab(true_rgb)
        lab[..., 0] = color.rgb2lab(infrared_copy(stem, infrared))[..., 0]
        return lab_to_rgb(lab)

    return colorize


def fit_cubic_curve(images: Iterable[tuple[Image, Image]]) -> Row:
    """The best colour that brightness alone can tell: one cubic polynomial per channel, RGB = p(infrared).

    Least squares over all pixels of all images, so that large images weigh more. One pass, with one pair in
    memory: pixels of equal infrared share a row of the equations, so 256 counts and sums hold everything.

    Args:
        images: infrared (H, W) and RGB (H, W, 3) of the training split, or their usable pixels, both uint8.

    Returns:
        A row: (H, W) uint8 -> (H, W, 3) uint8, clipped to the range.

    Raises:
        ValueError: no images.
    """
    counts = np.zeros(256)
    sums = np.zeros((256, 3))
    for infrared, rgb in images:
        levels = infrared.ravel()
        counts += np.bincount(levels, minlength=256)
        for channel in range(3):
            sums[:, channel] += np.bincount(levels, weights=rgb[..., channel].ravel(), minlength=256)
    if not counts.any():
        raise ValueError("no images to fit the curve on")
    powers = np.vander(np.arange(256) / 255, 4)
    seen = counts > 0
    weights = np.sqrt(counts[seen])[:, None]
    coefficients = np.linalg.lstsq(weights * powers[seen], sums[seen] / weights, rcond=None)[0]
    curve: NDArray[np.uint8] = np.rint(powers @ coefficients).clip(0, 255).astype(np.uint8)

    def look_up(_stem: str, infrared: Image) -> Image:
        return curve[infrared]

    return look_up
