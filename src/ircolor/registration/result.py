"""What is known of one pair once it was registered."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["accept", "review", "reject"]
# From the simplest to the richest; the last one is for points given by hand only.
ModelName = Literal["similarity", "affine", "homography", "thin-plate spline"]


@dataclass(frozen=True)
class Registration:
    """The transform of one pair, what speaks for it, and whether to trust it.

    Attributes:
        stem: name of the pair.
        verdict: accept (use it), review (look at it first), reject (do not use it).
        reason: one line of why, for people.
        model: the simplest model that explains the matches; None where none could be estimated.
        matrix: (3, 3) float64, maps (x, y, 1) of the RGB image as stored to the infrared image as stored, in px with
            the centre of the first pixel at (0, 0); NaN where none could be estimated. For a thin-plate spline, its
            affine part.
        num_inliers: matches that agree with the transform.
        coverage: share of the overlap, in [0, 1], that has evidence for the transform near it.
        residual_median_px: median over blocks of the displacement left after warping, in infrared px.
        residual_p90_px: its 90th percentile.
        correlation_before: structure correlation in [-1, 1] of the two images as they came (RGB resized to the infrared
            grid).
        correlation_after: the same after warping.
        overlap: share of the infrared image, in [0, 1], that the warped RGB image covers.
        seconds: time that the pair took.
    """

    stem: str
    verdict: Verdict
    reason: str
    model: ModelName | None
    matrix: NDArray[np.float64]
    num_inliers: int
    coverage: float
    residual_median_px: float
    residual_p90_px: float
    correlation_before: float
    correlation_after: float
    overlap: float
    seconds: float
