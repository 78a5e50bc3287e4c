"""Robust estimation: the transform that most matches agree with, wherever the rest point.

MAGSAC++ (Barath et al., CVPR 2020): instead of one inlier threshold, a match weighs by how likely it is an inlier,
averaged over all noise levels up to a largest one. OpenCV's implementation serves for affine maps and homographies; it
has none for similarities, so theirs is here: two matches give a similarity, thousands are tried at once.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.registration.resample import Points
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import FITS, MIN_POINTS, Matrix, apply_matrix

NUM_HYPOTHESES = 1500
NUM_REWEIGHTINGS = 8
SEED = 2018
# 0.99 quantile of the chi distribution with 4 degrees of freedom, as in the paper.
QUANTILE = 3.64
MAX_SCALE = 8.0
# Weights of residuals from 0 to QUANTILE sigmas: the upper incomplete gamma function of 3/2, in closed form.


def _incomplete_gamma(x: float) -> float:
    return math.sqrt(x) * math.exp(-x) + math.sqrt(math.pi) / 2 * math.erfc(math.sqrt(x))


_WEIGHTS = np.array([_incomplete_gamma(step**2 / 2) for step in np.linspace(0, QUANTILE, 512)])
_WEIGHTS = (_WEIGHTS - _WEIGHTS[-1]) / (_WEIGHTS[0] - _WEIGHTS[-1])


class Consensus(NamedTuple):
    """A transform and who agrees with it.

    Attributes:
        matrix: (3, 3), source to target.
        weights: (N,) in [0, 1] of the matches; 0 is an outlier.
    """

    matrix: Matrix
    weights: NDArray[np.float64]


def magsac_weights(residuals_px: NDArray[np.float64], max_sigma_px: float) -> NDArray[np.float64]:
    """Weight of each residual of any shape, from 1 at 0 px to 0 at 3.64 times the largest noise level (equation 7)."""
    steps = np.minimum(residuals_px * ((len(_WEIGHTS) - 1) / (QUANTILE * max_sigma_px)), len(_WEIGHTS) - 1)
    return np.asarray(_WEIGHTS[steps.astype(np.int32)])


def find_consensus(source: Points, target: Points, model: ModelName, max_sigma_px: float) -> Consensus | None:
    """The transform that most matches agree with.

    Args:
        source: (N, 2).
        target: (N, 2), in px of the same N matches.
        model: similarity, affine or homography.
        max_sigma_px: largest noise level of a right match, in target px.

    Returns:
        None where there are too few matches, or no transform that more than the few which define it agree with.
    """
    if len(source) <= MIN_POINTS[model]:
        return None
    matrix = _search(source, target, model, max_sigma_px)
    if matrix is None:
        return None
    # Iteratively reweighted least squares from wide to narrow: a first guess from two matches is off further away.
    for sigma_px in np.geomspace(2 * max_sigma_px, max_sigma_px, NUM_REWEIGHTINGS):
        weights = magsac_weights(_residuals(matrix, source, target), sigma_px)
        if (weights > 0).sum() <= MIN_POINTS[model]:
            return None
        matrix = FITS[model](source, target, weights)
    return Consensus(matrix, magsac_weights(_residuals(matrix, source, target), max_sigma_px))


def _search(source: Points, target: Points, model: ModelName, max_sigma_px: float) -> Matrix | None:
    if model == "similarity":
        return _search_similarity(source, target, max_sigma_px)
    find = cv2.findHomography if model == "homography" else cv2.estimateAffine2D
    matrix, _ = find(source, target, method=cv2.USAC_MAGSAC, ransacReprojThreshold=max_sigma_px)
    return None if matrix is None else np.vstack([matrix, [[0, 0, 1]]])[:3]


def _search_similarity(source: Points, target: Points, max_sigma_px: float) -> Matrix | None:
    """The similarity through two of the matches that has the largest sum of weights over all."""
    rng = np.random.default_rng(SEED)
    first, second = rng.integers(0, len(source), (2, NUM_HYPOTHESES))
    # In the plane a similarity is one complex multiplication and addition.
    z, w = source @ [1, 1j], target @ [1, 1j]
    apart = np.minimum(abs(z[first] - z[second]), abs(w[first] - w[second])) > 4 * max_sigma_px
    first, second = first[apart], second[apart]
    turn = (w[first] - w[second]) / (z[first] - z[second])
    sane = (abs(turn) < MAX_SCALE) & (abs(turn) > 1 / MAX_SCALE)
    turn, first = turn[sane, None], first[sane, None]
    if not len(turn):
        return None
    shift = w[first] - turn * z[first]
    # Twice the noise, since the two matches themselves are noisy.
    scores = magsac_weights(abs(turn * z + shift - w), 2 * max_sigma_px).sum(axis=1)
    best = scores.argmax()
    m, t = turn[best, 0], shift[best, 0]
    return np.array([[m.real, -m.imag, t.real], [m.imag, m.real, t.imag], [0, 0, 1]])


def _residuals(matrix: Matrix, source: Points, target: Points) -> NDArray[np.float64]:
    residuals = np.linalg.norm(apply_matrix(matrix, source) - target, axis=1)
    return np.asarray(np.nan_to_num(residuals, nan=np.inf))
