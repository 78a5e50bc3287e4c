"""Score rows of a comparison, image by image, with one pair in memory at a time.

A row is anything that turns the infrared image of a pair into a colour image: a model, a folder of
predictions, a reference that needs no training.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ircolor import metrics
from ircolor.evaluation.trust import TrustScores, can_be_scored, score_trust
from ircolor.machine import cores
from ircolor.pairs.index import Pair

Image = NDArray[Any]
# (stem of the pair, infrared (H, W) uint8) -> RGB (H, W, 3), uint8 or float in [0, 1].
Row = Callable[[str, Image], Image]
Scores = Mapping[str, float]
# (predicted RGB, true RGB, mask of usable pixels or None) -> scores, among them those of `score_image`.
Score = Callable[[Image, Image, metrics.Mask | None], dict[str, float]]
# Is shown each image as it is scored, on the row's thread: name of the row, predicted RGB, true RGB, mask or None.
Watch = Callable[[str, Image, Image, metrics.Mask | None], object]
T = TypeVar("T")
TRUST_STRIDE_PX = 2  # ranks of a quarter of the pixels are as good, and fit into memory

# Identical images have an infinite PSNR, which JSON cannot hold and which would drown a mean. 100 dB stands
# for it, and for all above: an RMSE of 1e-5, far below one 8-bit level.
PSNR_CEILING_DB = 100.0
# Scores of an image that no mean is taken of: ratios, which become ratios of means, and what these are made of.
NOT_AVERAGED = (
    "chroma_gain",
    "colorfulness_ratio",
    "gray_chroma_error",
    "colorfulness",
    "true_colorfulness",
    "masked_share",
)


@runtime_checkable
class TrustRow(Protocol):
    """A row that also says how wrong each colour is likely to be."""

    def __call__(self, stem: str, infrared: Image, /) -> Image:
        """As of any row."""

    def with_expected_error(self, stem: str, infrared: Image) -> tuple[Image, Image]:
        """As calling the row, and the expected CIEDE2000, (H, W)."""


class Track(Protocol):
    """Shows progress through an iterable while passing it on, as `rich.progress.track` does."""

    def __call__(self, sequence: Iterable[T], description: str, total: float | None = None) -> Iterable[T]:
        """The same items; `total` is their number where the iterable has no length."""


def track_silently(sequence: Iterable[T], description: str, total: float | None = None) -> Iterable[T]:  # noqa: ARG001
    """Progress that nobody watches."""
    return sequence


@dataclass(frozen=True)
class RowScores:
    """The scores of one row.

    Attributes:
        mean: the scores over all images, see `mean_scores`.
        images: for each stem the result of `score_image`.
        trust: how well the expected error tells the true one; None for a row that expects nothing, or on pixels that
            cannot tell.
    """

    mean: Scores
    images: Mapping[str, Scores]
    trust: TrustScores | None = None


def score_image(pred_rgb: Image, true_rgb: Image, mask: metrics.Mask | None = None) -> dict[str, float]:
    """All scores of one image, and with them what `mean_scores` needs for its ratios.

    Args:
        pred_rgb: (H, W, 3), uint8 or float in [0, 1].
        true_rgb: the same shape.
        mask: (H, W), True where a pixel may be used; None where all may. All scores but `cosine_paper` leave the
            other pixels out.

    Returns:
        By name of the function in `ircolor.metrics`; `psnr_db` at most 100. NaN where a score is not defined,
        e.g. the `chroma_gain` of a truth without colour. `masked_share` is the share of the pixels, in [0, 1], that
        the mask leaves out.

    Raises:
        ValueError: the images differ in shape.
    """
    pred, true = (metrics.usable_pixels(rgb, mask) for rgb in (pred_rgb, true_rgb))
    chroma_error = metrics.chroma_error(pred, true)
    gray_chroma_error = metrics.gray_chroma_error(true)
    colorfulness = metrics.colorfulness(pred)
    true_colorfulness = metrics.colorfulness(true)
    return {
        "psnr_db": min(metrics.psnr_db(pred, true), PSNR_CEILING_DB),
        "ssim": metrics.ssim(pred_rgb, true_rgb, mask),
        "angular_error_deg": metrics.angular_error_deg(pred, true),
        "delta_e_2000": metrics.delta_e_2000(pred, true),
        "chroma_error": chroma_error,
        "chroma_gain": metrics.chroma_gain([chroma_error], [gray_chroma_error]),
        "colorfulness_ratio": metrics.colorfulness_ratio([colorfulness], [true_colorfulness]),
        "cosine": metrics.cosine(pred, true),
        "cosine_paper": metrics.cosine_paper(pred_rgb, true_rgb),
        "gray_chroma_error": gray_chroma_error,
        "colorfulness": colorfulness,
        "true_colorfulness": true_colorfulness,
        "masked_share": 0.0 if mask is None else 1 - float(mask.mean()),
    }


def mean_scores(images: Sequence[Scores]) -> dict[str, float]:
    """The scores of a set of images: means of the images' scores, and ratios of means for the two ratios.

    Images for which a score is not defined do not count in its mean; NaN where it is defined for none.
    """
    column = {key: [scores[key] for scores in images] for key in images[0]}
    mean = {key: _mean_of_defined(values) for key, values in column.items() if key not in NOT_AVERAGED}
    gain = metrics.chroma_gain(column["chroma_error"], column["gray_chroma_error"])
    ratio = metrics.colorfulness_ratio(column["colorfulness"], column["true_colorfulness"])
    return mean | {"chroma_gain": gain, "colorfulness_ratio": ratio}


def image_values(images: Sequence[Scores], key: str) -> list[float]:
    """What each image adds to a mean of `mean_scores`: its score, and of the two ratios of means their linearisation.

    The ratio of a single image is another number: that of a nearly gray scene can be anything. The linearised values
    have the ratio of means as their mean, and their standard error is its standard error (Cochran 1977, "Sampling
    Techniques", chapter 6).
    """

    def column(name: str) -> list[float]:
        return [scores[name] for scores in images]

    if key == "chroma_gain":
        errors, gray_errors = column("chroma_error"), column("gray_chroma_error")
        unexplained = 1 - metrics.chroma_gain(errors, gray_errors)
        return [1 - error for error in _linearised(unexplained, errors, gray_errors)]
    if key == "colorfulness_ratio":
        pred, true = column("colorfulness"), column("true_colorfulness")
        return _linearised(metrics.colorfulness_ratio(pred, true), pred, true)
    return column(key)


def _linearised(ratio: float, numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Values whose mean is a ratio of means, and which scatter as it does; NaN where it is not defined."""
    if math.isnan(ratio):
        return [math.nan] * len(numerators)
    mean = float(np.mean(denominators))
    return [ratio + (one - ratio * other) / mean for one, other in zip(numerators, denominators, strict=True)]


def score_pairs(
    rows: Mapping[str, Row],
    pairs: Sequence[Pair],
    track: Track = track_silently,
    score: Score = score_image,
    watch: Watch | None = None,
) -> dict[str, RowScores]:
    """Score every row on every pair.

    Args:
        rows: by name; each is called once for each pair, on one of several threads.
        pairs: at least one, with distinct stems; each is read once.
        track: shows the progress.
        score: the scores of one image.
        watch: is shown every image as it is scored.

    Raises:
        UserError: a pair cannot be read, or a row fails on it.
    """
    images: dict[str, dict[str, Scores]] = {name: {} for name in rows}
    errors: dict[str, list[Image]] = {name: [] for name in rows}
    # Rows side by side: each touches only what is its own, and arrays are worked on without the interpreter's lock.
    with ThreadPoolExecutor(cores().usable) as pool:
        for pair in track(pairs, "scoring"):
            score_row = partial(_score_row, pair.stem, *pair.read_masked(), score, watch)
            for name, (scores, thinned_errors) in zip(rows, pool.map(score_row, rows, rows.values()), strict=True):
                images[name][pair.stem] = scores
                errors[name] += thinned_errors
    return {
        name: RowScores(mean_scores(list(scores.values())), scores, _trust(errors[name]))
        for name, scores in images.items()
    }


def _trust(errors: Sequence[Image]) -> TrustScores | None:
    if not errors:
        return None
    expected, true = np.hstack(errors)
    return score_trust(expected, true) if can_be_scored(expected, true) else None


def _score_row(
    stem: str,
    infrared: Image,
    true_rgb: Image,
    mask: metrics.Mask | None,
    score: Score,
    watch: Watch | None,
    name: str,
    row: Row,
) -> tuple[Scores, list[Image]]:
    """Scores of a row on one pair, and its errors for `score_trust`; none where it expects nothing."""
    errors = []
    if isinstance(row, TrustRow):
        rgb, expected_error = row.with_expected_error(stem, infrared)
        errors.append(_thinned_errors(expected_error, rgb, true_rgb, mask))
    else:
        rgb = row(stem, infrared)
    if watch:
        watch(name, rgb, true_rgb, mask)
    return score(rgb, true_rgb, mask), errors


def _thinned_errors(expected: Image, pred_rgb: Image, true_rgb: Image, mask: metrics.Mask | None) -> Image:
    """Expected and true CIEDE2000, (2, N) float32, of every second usable pixel a side."""
    thin = slice(None, None, TRUST_STRIDE_PX)
    pred, true, kept = (image[thin, thin] for image in (pred_rgb, true_rgb, expected))
    usable = slice(None) if mask is None else mask[thin, thin].ravel()
    return np.stack([kept.ravel(), metrics.delta_e_2000_map(pred, true).ravel()]).astype(np.float32)[:, usable]


def _mean_of_defined(values: Sequence[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return float(np.mean(defined)) if defined else math.nan
