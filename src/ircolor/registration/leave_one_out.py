"""Which of a few given points contradict the others, and which model they need.

Points are (N, 2) in both images, rgb and infrared; distances are in px of the infrared image.
"""

import numpy as np
from numpy.typing import NDArray

from ircolor.registration.resample import Points
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import FITS, MIN_POINTS, Warp, fit_thin_plate

# A point is suspect when it is further off than this many times what the others are off, and than this many px.
SUSPECT_RATIO = 6.0
SUSPECT_PX = 3.0
# A richer model must be better by this factor and by this many px.
CLEAR_RATIO = 1.5
CLEAR_PX = 0.1
# Points whose spread across their line is less than this share of that along it lie on one line.
LINE_RATIO = 0.01


def fit_warp(rgb: Points, infrared: Points, model: ModelName) -> Warp:
    """Fit a model to all points, which must not be degenerate for it."""
    if model == "thin-plate spline":
        return fit_thin_plate(rgb, infrared)
    return Warp(model, FITS[model](rgb, infrared, None))


def is_degenerate(rgb: Points, infrared: Points, model: ModelName) -> bool:
    """Whether the points do not determine the model: too few, or too few off one line."""
    if len(rgb) < MIN_POINTS[model]:
        return True
    return model != "similarity" and any(_on_line(places, model == "homography") for places in (rgb, infrared))


def simplest_model(rgb: Points, infrared: Points) -> ModelName:
    """The simplest model whose leave-one-out error no richer one clearly improves.

    Without a point to spare, nothing tells how good a model is: it is not considered then, but for the similarity.
    """
    scores: dict[ModelName, float] = {}
    for model, num_needed in MIN_POINTS.items():
        if len(rgb) > num_needed and not is_degenerate(rgb, infrared, model):
            # The worst third may be mis-clicked, whichever model judges.
            errors_px = np.sort(leave_one_out(rgb, infrared, model)[0])[: -(-2 * len(rgb) // 3)]
            scores[model] = float(np.sqrt(np.nanmean(np.square(errors_px))))
    best = min(scores.values(), default=0.0)
    good_enough = (model for model, score in scores.items() if score <= max(CLEAR_RATIO * best, best + CLEAR_PX))
    return next(good_enough, "similarity")


def leave_one_out(rgb: Points, infrared: Points, model: ModelName) -> tuple[NDArray[np.float64], list[int]]:
    """How far each point is from where the trusted others put it, and which can be trusted.

    One bad point spoils the errors of all others, and two can hide each other. So the worst one is put aside again
    and again, up to a third of the points, and then those that fit what is left are taken back.

    Returns:
        (N,) in px, NaN where the others do not determine the model; and the numbers of the trusted points.
    """
    num = len(rgb)
    trusted = list(range(num))
    for _ in range(min(num - MIN_POINTS[model] - 1, (num - 1) // 3)):
        errors_px = _errors_px(rgb[trusted], infrared[trusted], model)
        worst = int(np.nanargmax(errors_px))
        if errors_px[worst] <= SUSPECT_PX:
            break
        trusted.pop(worst)
    while True:
        warp = fit_warp(rgb[trusted], infrared[trusted], model)
        errors_px = np.linalg.norm(warp.to_infrared(rgb) - infrared, axis=1)
        errors_px[trusted] = _errors_px(rgb[trusted], infrared[trusted], model)
        aside = sorted(set(range(num)) - set(trusted))
        limit_px = max(SUSPECT_PX, SUSPECT_RATIO * float(np.nanmedian(errors_px[trusted]))) if aside else 0.0
        fitting = [number for number in aside if errors_px[number] <= limit_px]
        if not fitting:
            return errors_px, trusted
        trusted = sorted(trusted + fitting)


def _errors_px(rgb: Points, infrared: Points, model: ModelName) -> NDArray[np.float64]:
    """By how much the fit of all others misses each point; NaN where the others do not determine one."""
    errors_px = np.full(len(rgb), np.nan)
    for number in range(len(rgb)):
        others = np.delete(rgb, number, 0), np.delete(infrared, number, 0)
        if not is_degenerate(*others, model):
            place = fit_warp(*others, model).to_infrared(rgb[[number]])
            errors_px[number] = np.linalg.norm(place - infrared[number])
    return errors_px


def _on_line(places: Points, all_but_one: bool) -> bool:
    """Whether all points lie on one line, or all but any one of them."""
    sets = np.stack([np.delete(places, number, 0) for number in range(len(places))]) if all_but_one else places[None]
    spreads = np.linalg.svd(sets - sets.mean(axis=1, keepdims=True), compute_uv=False)
    return bool((spreads[:, 1] < LINE_RATIO * spreads[:, 0]).any())
