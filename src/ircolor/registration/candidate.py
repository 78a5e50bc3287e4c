"""Transforms that a pair may have, and what speaks for each.

All of it happens at the size that a pair is aligned at, with both images at about one resolution.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.registration.consensus import find_consensus
from ircolor.registration.features import Matches, find_features, match_features
from ircolor.registration.refine import Pyramid, refine
from ircolor.registration.resample import Points, resample, shrink
from ircolor.registration.residual import Residual, find_residual
from ircolor.registration.result import ModelName
from ircolor.registration.search import search_similarity
from ircolor.registration.structure import Map, structure_correlation, structure_map
from ircolor.registration.transforms import Matrix, Warp, apply_matrix

# Long side that images are aligned at: detail finer than this would cost time and add hardly any precision.
WORK_PX = 1600
# Noise of right matches: of points, of the long side; of blocks, in px of the size they are compared at.
POINT_SIGMA, BLOCK_SIGMA_PX = 0.0025, 0.5
# Long sides refined at: usually; where little supports the start; and where it was found at a small size.
FINE_LEVELS, THOROUGH_LEVELS, COARSE_LEVELS = (256, WORK_PX), (256, 512, WORK_PX), (128, 256, 512, WORK_PX)
# A richer model must bring this many times the blocks to agree that a simpler one does. It bends what lies beyond the
# evidence, so it must also have evidence in most of the overlap, unless the simpler model fails altogether.
RICHER_GAIN, RICHER_COVERAGE, FAILING_GAIN = 1.25, 0.8, 2.0
RICHER: tuple[ModelName, ...] = ("affine", "homography")


class View:
    """A pair at the size that it is aligned at.

    Args:
        rgb: (H, W), luma of the RGB image, on 0..255.
        infrared: (h, w) on 0..255.

    Attributes:
        rgb: structure at all sizes, `rgb.gray` the image.
        infrared: the same.
        from_rgb: (3, 3), px of the RGB image given to px of this size.
        from_infrared: the same of the infrared image.
    """

    def __init__(self, rgb: Map, infrared: Map) -> None:
        # The cameras see about one field of view, so images of one size are of one resolution.
        long_side = min(max(rgb.shape), max(infrared.shape), WORK_PX)
        small_rgb, self.from_rgb = shrink(rgb, long_side)
        small_infrared, self.from_infrared = shrink(infrared, long_side)
        self.rgb, self.infrared = Pyramid(small_rgb), Pyramid(small_infrared)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the infrared image at this size."""
        height, width = self.infrared.gray.shape
        return height, width

    @property
    def unit_px(self) -> float:
        """Px of the infrared image given per px of this size."""
        return float(1 / self.from_infrared[0, 0])

    @cached_property
    def infrared_structure(self) -> Map:
        """Structure map of the infrared image, (H, W)."""
        return structure_map(self.infrared.gray)

    @cached_property
    def point_matches(self) -> Matches:
        """Points of the two images that look alike, in px of this size."""
        return match_features(find_features(self.rgb.gray), find_features(self.infrared.gray))

    def to_work(self, matrix: Matrix) -> Matrix:
        """A transform of the images given as one of this size."""
        return np.asarray(self.from_infrared @ matrix @ np.linalg.inv(self.from_rgb))

    def to_original(self, matrix: Matrix) -> Matrix:
        """The reverse of `to_work`, with the last element 1."""
        original = np.linalg.inv(self.from_infrared) @ matrix @ self.from_rgb
        return np.asarray(original / original[2, 2])


@dataclass(frozen=True, eq=False)
class Candidate:
    """A transform and what the blocks of the warped image say of it.

    Attributes:
        model: of the transform.
        matrix: (3, 3), RGB px to infrared px, at the size of the view.
        warped: (H, W), luma of the RGB image on the infrared grid.
        valid: (H, W), where it is known.
        residual: what is left, block by block.
        correlation: structure correlation of the two images; NaN where they have next to nothing in common.
        note: what happened on the way that the user should know of; usually empty.
    """

    model: ModelName
    matrix: Matrix
    warped: Map
    valid: NDArray[np.bool_]
    residual: Residual
    correlation: float
    note: str = ""

    @property
    def num_telling(self) -> int:
        """Number of blocks that found a place of their own."""
        return int(self.residual.telling.sum())

    @property
    def support(self) -> int:
        """Number of blocks that agree."""
        return int(self.residual.agreed.sum())

    @property
    def agreement(self) -> float:
        """Their share in the telling blocks, in [0, 1]."""
        return self.support / max(self.num_telling, 1)

    @property
    def coverage(self) -> float:
        """Their share in all blocks of the overlap, in [0, 1]."""
        return self.support / max(len(self.residual.places), 1)

    @property
    def block_matches(self) -> tuple[Points, Points]:
        """Where the telling blocks are in the RGB image warped by `matrix`, and in the infrared image; (N, 2) each."""
        telling = self.residual.telling
        places = self.residual.places[telling]
        return places + self.residual.shifts_px[telling], places


def assess(view: View, matrix: Matrix, model: ModelName, note: str = "", warp: Warp | None = None) -> Candidate:
    """Warp the RGB image and compare it block by block.

    Args:
        view: the pair.
        matrix: (3, 3), at the size of the view.
        model: what it is.
        note: goes into the result.
        warp: what to warp by in place of the matrix, of the images given: a spline.
    """
    gray = view.rgb.gray
    if warp is None:
        size = view.size[::-1]
        warped = cv2.warpPerspective(gray, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        valid = cv2.warpPerspective(np.ones(gray.shape, np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    else:
        back: Matrix = np.asarray(np.linalg.inv(view.from_infrared))
        warped, valid = resample(
            gray, lambda points: apply_matrix(view.from_rgb, warp.to_rgb(apply_matrix(back, points))), view.size
        )
    residual = find_residual(warped, view.infrared.gray, valid)
    correlation = structure_correlation(structure_map(warped), view.infrared_structure, valid)
    return Candidate(model, matrix, warped, valid, residual, correlation, note)


def from_points(view: View, levels: Sequence[int] = FINE_LEVELS) -> Candidate | None:
    """The similarity that most point matches agree with, refined at the given sizes; None where there is none."""
    matches = view.point_matches
    consensus = find_consensus(matches.rgb, matches.infrared, "similarity", POINT_SIGMA * max(view.size))
    return refined(view, consensus.matrix, "similarity", levels) if consensus else None


def from_contours(view: View) -> Candidate | None:
    """The best of the similarities at which contours agree, refined; None where no block agrees with any."""
    starts = search_similarity(view.rgb.gray, view.infrared.gray)
    return best(refined(view, matrix, "similarity", COARSE_LEVELS) for matrix in starts)


def best(candidates: Iterable[Candidate | None]) -> Candidate | None:
    """The candidate at which the images correlate best, of those that have any block on their side."""
    supported = [candidate for candidate in candidates if candidate and candidate.support]
    return max(supported, key=lambda candidate: candidate.correlation, default=None)


def refined(view: View, matrix: Matrix, model: ModelName, levels: Sequence[int] = FINE_LEVELS) -> Candidate:
    """A transform that is right to a few px, improved to a fraction of one, or as it was where that diverges."""
    result = refine(view.rgb, view.infrared, matrix, model, levels)
    return assess(view, result.matrix, model, "could not be refined to sub-pixel" if result.diverged else "")


def explained(view: View, candidate: Candidate, model: ModelName) -> Candidate | None:
    """The transform of another model that the blocks of a candidate point at; None where they are too few."""
    source, target = candidate.block_matches
    sigma_px = BLOCK_SIGMA_PX * candidate.residual.unit_px
    consensus = find_consensus(source, target, model, sigma_px)
    return refined(view, consensus.matrix @ candidate.matrix, model, (WORK_PX,)) if consensus else None


def improved(view: View, candidate: Candidate) -> Candidate:
    """A candidate moved to where its blocks point, as long as the images correlate the better for it.

    Refinement ends at the nearest optimum; blocks look further.
    """
    while (moved := explained(view, candidate, candidate.model)) and moved.correlation > candidate.correlation:
        candidate = moved
    return candidate


def simplest(view: View, candidate: Candidate) -> Candidate:
    """The candidate, or a richer model's where clearly more blocks agree with that.

    Args:
        view: the pair.
        candidate: a similarity.
    """
    for model in RICHER:
        if candidate.agreement * RICHER_GAIN >= 1:
            break  # no model can explain so many more
        richer = explained(view, candidate, model)
        gain = FAILING_GAIN if richer is None or richer.coverage < RICHER_COVERAGE else RICHER_GAIN
        if richer and richer.support > gain * candidate.support:
            candidate = improved(view, richer)
    return candidate
