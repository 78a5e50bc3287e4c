"""Estimate the transform of one pair: points and contours find it, all edges refine it, blocks doubt it."""

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.media.images import Image
from ircolor.registration.candidate import (
    POINT_SIGMA,
    THOROUGH_LEVELS,
    Candidate,
    View,
    assess,
    best,
    explained,
    from_contours,
    from_points,
    improved,
    refined,
    simplest,
)
from ircolor.registration.features import Matches
from ircolor.registration.points import HandPoints, fit_by_hand
from ircolor.registration.resample import shrink
from ircolor.registration.residual import Residual
from ircolor.registration.result import ModelName, Registration, Verdict
from ircolor.registration.structure import structure_correlation, structure_map, to_luma
from ircolor.registration.transforms import Warp, apply_matrix, geometry_problem
from ircolor.registration.verdict import (
    MIN_AGREED,
    SAFE_AGREED,
    Doubts,
    doubt_depth,
    doubt_evidence,
    doubt_exposure,
    doubt_sameness,
    doubt_trusted,
)

ModelChoice = Literal["auto"] | ModelName
# Of the long side: the most that the evidence of a frame may move the transform of its rig, or points given by hand.
MAX_NUDGE = 0.01
# Blocks that agree, and their share in those that tell, below which a transform found by points is refined more
# thoroughly; and below which it is compared with what contours say.
ENOUGH_BLOCKS, ENOUGH_AGREEMENT = 60, 0.6
FEW_BLOCKS, FEW_AGREEMENT = 32, 0.5


@dataclass(frozen=True, eq=False)
class Estimate:
    """The transform of one pair, and what speaks for it; `Registration` describes what is not told here.

    Attributes:
        warp: None where nothing could be estimated.
        usable: (H, W) on the infrared grid, False where parallax or motion leaves a residual; None without a warp.
        matches: points and blocks that agree with the transform, in px of the images.
    """

    warp: Warp | None
    usable: NDArray[np.bool_] | None
    matches: Matches
    verdict: Verdict
    reason: str
    num_inliers: int = 0
    coverage: float = 0.0
    residual_median_px: float = float("nan")
    residual_p90_px: float = float("nan")
    correlation_before: float = float("nan")
    correlation_after: float = float("nan")
    overlap: float = 0.0

    def to_registration(self, stem: str, seconds: float) -> Registration:
        """As a row of the table.

        Args:
            stem: name of the pair.
            seconds: what it took.
        """
        return Registration(
            stem=stem,
            verdict=self.verdict,
            reason=self.reason,
            model=self.warp.model if self.warp else None,
            matrix=self.warp.matrix if self.warp else np.full((3, 3), np.nan),
            num_inliers=self.num_inliers,
            coverage=self.coverage,
            residual_median_px=self.residual_median_px,
            residual_p90_px=self.residual_p90_px,
            correlation_before=self.correlation_before,
            correlation_after=self.correlation_after,
            overlap=self.overlap,
            seconds=seconds,
        )


def estimate(
    rgb: Image,
    infrared: Image,
    model: ModelChoice = "auto",
    *,
    hand: HandPoints | None = None,
    rig: Warp | None = None,
) -> Estimate:
    """Find the transform between the two images of a pair, and say whether to trust it.

    Args:
        rgb: (H, W, 3) of any depth, undistorted.
        infrared: (h, w) of any depth, undistorted. The two show about the same field of view; the sizes may differ.
        model: what to fit; `auto` takes the simplest that explains the matches. A spline needs points by hand.
        hand: points given by hand, which take the place of those that are found.
        rig: the transform that all pairs of two cameras bolted together share. The pair is allowed the small residual
            that its own evidence supports, and inherits the rest.

    Raises:
        UserError: the points given by hand cannot be used.
    """
    view = View(to_luma(rgb), to_luma(infrared))
    doubts = Doubts()
    trusted = hand is not None or rig is not None
    for pixels, seen, name in ((rgb, view.rgb, "RGB"), (infrared, view.infrared, "infrared")):
        doubt_exposure(doubts, shrink(pixels, max(seen.gray.shape))[0], name, trusted)
    doubt_depth(doubts, rgb)
    warp = None
    found: Candidate | None
    if hand is not None:
        fit = fit_by_hand(hand, model, rgb.shape, infrared.shape)
        doubts.reviewing += fit.complaints
        warp = fit.warp if fit.warp.splines else None
        found = _from_trusted(view, fit.warp, "as points given by hand say")
        if found.support < MIN_AGREED and _fits_reversed(view, fit.warp):
            doubts.rejecting.append(f"{hand.name}: x_rgb,y_rgb look exchanged with x_ir,y_ir; exchange these columns")
    elif rig is not None:
        found = _from_trusted(view, rig, "as the rig says")
    else:
        found = None if doubts.rejecting else _from_images(view, model)
    if found is None:
        doubts.rejecting += [] if doubts.rejecting else ["nothing in the two images matches"]
        nothing = np.zeros((0, 2))
        return Estimate(None, None, Matches(nothing, nothing), doubts.verdict, doubts.reason)
    warp = warp or Warp(found.model, view.to_original(found.matrix))
    problem = geometry_problem(warp.matrix, rgb.shape, infrared.shape)
    if problem:
        doubts.rejecting.append(problem)
    doubt_sameness(doubts, found.warped, view.infrared.gray, found.valid)
    if trusted:
        doubt_trusted(doubts, found, view.rgb.gray, view.infrared.gray)
    else:
        doubt_evidence(doubts, found)
        doubts.reviewing += filter(None, [found.note])
    matches = _agreeing(view, found)
    lengths_px = found.residual.lengths_px * view.unit_px
    return Estimate(
        warp=warp,
        usable=_usable(found.residual, infrared.shape[:2]),
        matches=matches,
        verdict=doubts.verdict,
        reason="; ".join(filter(None, [doubts.reason, found.note if trusted else ""])) or _praise(found),
        num_inliers=len(matches.rgb),
        coverage=found.coverage,
        residual_median_px=float(np.median(lengths_px)) if len(lengths_px) else float("nan"),
        residual_p90_px=float(np.percentile(lengths_px, 90)) if len(lengths_px) else float("nan"),
        correlation_before=_correlation_before(view),
        correlation_after=found.correlation,
        overlap=float(found.valid.mean()),
    )


def _from_images(view: View, model: ModelChoice) -> Candidate | None:
    found = from_points(view)
    if found and _is_weak(found, ENOUGH_BLOCKS, ENOUGH_AGREEMENT):
        found = best([found, from_points(view, THOROUGH_LEVELS)])
    if found is None or _is_weak(found, FEW_BLOCKS, FEW_AGREEMENT):
        found = best([found, from_contours(view)])
        found = improved(view, found) if found else None
    if found is None or model == "similarity":
        return found
    if model == "auto":
        return simplest(view, found)
    return explained(view, found, model)


def _from_trusted(view: View, warp: Warp, note: str) -> Candidate:
    """A transform that is known from elsewhere, with the small residual that the pair itself clearly supports."""
    given = assess(view, view.to_work(warp.matrix), warp.model, note, warp if warp.splines else None)
    if warp.splines or given.support < ENOUGH_BLOCKS:
        return given
    own = refined(view, given.matrix, "similarity")
    height, width = view.rgb.gray.shape
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    moved = np.linalg.norm(apply_matrix(own.matrix, corners) - apply_matrix(given.matrix, corners), axis=1)
    if own.support < given.support or moved.max() > MAX_NUDGE * max(view.size):
        return given
    return replace(own, model=warp.model, note="")


def _is_weak(candidate: Candidate, num_blocks: int, agreement: float) -> bool:
    return candidate.support < num_blocks or candidate.agreement < agreement


def _fits_reversed(view: View, warp: Warp) -> bool:
    """Whether points by hand fit with those of the RGB image taken for those of the infrared image."""
    reverse = np.asarray(np.linalg.inv(warp.matrix), np.float64)
    return assess(view, view.to_work(reverse), warp.model).support >= SAFE_AGREED


def _correlation_before(view: View) -> float:
    """Structure correlation of the images as they came, the RGB image resized to the infrared grid."""
    height, width = view.size
    resized = np.asarray(cv2.resize(view.rgb.gray, (width, height)), np.float32)
    return structure_correlation(structure_map(resized), view.infrared_structure, np.ones((height, width), bool))


def _agreeing(view: View, found: Candidate) -> Matches:
    """Points and blocks that agree with a transform, in px of the images given."""
    back = np.asarray(np.linalg.inv(found.matrix))
    warped, places = found.block_matches
    agreed = found.residual.agreed[found.residual.telling]
    rgb, infrared = apply_matrix(back, warped[agreed]), places[agreed]
    points = view.point_matches
    errors_px = np.linalg.norm(apply_matrix(found.matrix, points.rgb) - points.infrared, axis=1)
    near = errors_px < 2 * POINT_SIGMA * max(view.size)
    return Matches(
        apply_matrix(np.asarray(np.linalg.inv(view.from_rgb)), np.vstack([rgb, points.rgb[near]])),
        apply_matrix(np.asarray(np.linalg.inv(view.from_infrared)), np.vstack([infrared, points.infrared[near]])),
    )


def _usable(residual: Residual, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mask of the pixels that no displaced part of the image covers, (H, W) of the given size.

    A block counts as displaced where the median of it and its neighbours is: one wrong match is not parallax.
    """
    if not len(residual.cells):
        return np.ones(size, bool)
    displaced, told = np.zeros((2, *residual.grid), np.float32)
    displaced.flat[residual.cells] = residual.telling & ~residual.agreed
    told.flat[residual.cells] = residual.telling
    votes, voters = (
        cv2.boxFilter(blocks, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for blocks in (displaced, told)
    )
    return np.asarray(residual.spread((votes > voters / 2).astype(np.uint8), size) == 0)


def _praise(found: Candidate) -> str:
    return f"{found.support} of {found.num_telling} blocks agree"
