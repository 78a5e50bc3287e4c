"""How noisy a camera is at each brightness."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

NUM_BINS = 8  # of brightness: shot noise grows with it, and gamma turns that about
NUM_LEVELS = 256
BLOCK_PX = 8
MIN_BLOCKS = 16  # of one brightness, to tell its noise
# Of a natural picture some blocks show noise alone, and no texture: the flattest fifth. Their variance is a little
# below that of all blocks with noise alone.
FLATTEST = 0.2
FLATTEST_TO_MEAN = 1.25
ROUNDING = 0.003  # standard deviation that 8 bits leave in any picture
# Passes white noise as it is; slopes and straight edges along the axes vanish (Immerkaer 1996).
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6


def spatial_variance(image: Image) -> Image:
    """Variance of the noise by brightness, from one frame; too high where all of it is finely textured.

    Args:
        image: (H, W) in [0, 1].

    Returns:
        (NUM_LEVELS,), from black to white.
    """
    detail = cv2.filter2D(image, -1, _LAPLACIAN, borderType=cv2.BORDER_REFLECT_101)
    return _by_brightness(image, detail * detail, FLATTEST) * FLATTEST_TO_MEAN


def temporal_variance(image: Image, squares: Image) -> Image:
    """As `spatial_variance`, from squared differences to another frame; too high where motion is not known.

    Args:
        image: (H, W) in [0, 1].
        squares: (H, W), the squared differences.
    """
    return _by_brightness(image, squares, 0.5)


def at_brightness(table: Image, image: Image) -> Image:
    """(H, W): the entry of a table, from black to white, for each pixel of an image in [0, 1]."""
    return np.asarray(cv2.LUT(cv2.convertScaleAbs(image, alpha=NUM_LEVELS - 1.0), table))


def _by_brightness(image: Image, squares: Image, quantile: float) -> Image:
    size = max(image.shape[1] // BLOCK_PX, 1), max(image.shape[0] // BLOCK_PX, 1)
    levels, variances = (cv2.resize(each, size, interpolation=cv2.INTER_AREA).ravel() for each in (image, squares))
    bins = np.minimum((levels * NUM_BINS).astype(np.int64), NUM_BINS - 1)
    counts = np.bincount(bins, minlength=NUM_BINS)
    known = np.flatnonzero(counts >= MIN_BLOCKS)
    if not known.size:  # a tiny picture
        bins, counts, known = 0 * bins, np.array([bins.size]), np.array([0])
    # Sorted at once: bin after bin, as each is lifted above the one before.
    lift = 2 * float(variances.max()) + 1e-9
    ordered = np.sort(variances + lift * bins)
    ranks = (np.cumsum(counts) - counts + quantile * (counts - 1))[known]
    found = np.interp(ranks, np.arange(len(ordered)), ordered) - lift * known
    table = np.interp(np.linspace(0, 1, NUM_LEVELS), (known + 0.5) / NUM_BINS, found)
    return np.asarray(np.maximum(table, ROUNDING**2), np.float32)
