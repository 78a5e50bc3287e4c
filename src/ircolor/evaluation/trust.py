"""How well an expected colour error tells the true one: order, the trusted half, calibration."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUM_BINS = 10
MIN_SHARE = 0.05  # bins with fewer of the pixels say little


@dataclass(frozen=True)
class Bin:
    """Pixels whose expected error lies in one interval.

    Attributes:
        share: of all pixels, 0 to 1.
        expected: their mean expected error, CIEDE2000.
        true: their mean true error, CIEDE2000.
    """

    share: float
    expected: float
    true: float

    @property
    def miscalibration(self) -> float:
        """How far the expectation is off, as a share of the true error."""
        return abs(self.expected - self.true) / self.true if self.true else float("inf")


@dataclass(frozen=True)
class TrustScores:
    """Scores of an expected error, over the pixels of all images together.

    Attributes:
        spearman: rank correlation of expected and true error, -1 to 1.
        trusted_half: mean true error of the half of the pixels with the smallest expected error, over that of all.
        worst_miscalibration: the largest of the bins that hold 5 % of the pixels or more.
        bins: ten intervals of equal width, from the smallest to the largest expected error; empty ones left out.
    """

    spearman: float
    trusted_half: float
    worst_miscalibration: float
    bins: tuple[Bin, ...]


def can_be_scored(expected: NDArray[np.float32], true: NDArray[np.float32]) -> bool:
    """Whether there is anything to order: two pixels or more, not all of one expected or of one true error."""
    return len(expected) > 1 and bool(np.ptp(expected) and np.ptp(true))


def score_trust(expected: NDArray[np.float32], true: NDArray[np.float32]) -> TrustScores:
    """Compare expected and true errors.

    Args:
        expected: (N,) CIEDE2000, of the pixels of all images; `can_be_scored`.
        true: (N,) CIEDE2000, of the same pixels.
    """
    order = np.argsort(expected, kind="stable")
    half = order[: len(order) // 2]
    edges = np.linspace(expected.min(), expected.max(), NUM_BINS + 1)
    place = np.clip(np.searchsorted(edges, expected, side="right") - 1, 0, NUM_BINS - 1)
    counts = np.bincount(place, minlength=NUM_BINS)
    sums = [np.bincount(place, values.astype(np.float64), NUM_BINS) for values in (expected, true)]
    bins = tuple(
        Bin(float(count / len(expected)), float(expected_sum / count), float(true_sum / count))
        for count, expected_sum, true_sum in zip(counts, *sums, strict=True)
        if count
    )
    return TrustScores(
        spearman=_correlation(_ranks(expected), _ranks(true)),
        trusted_half=float(true[half].mean(dtype=np.float64) / true.mean(dtype=np.float64)),
        worst_miscalibration=max(each.miscalibration for each in bins if each.share >= MIN_SHARE),
        bins=bins,
    )


def _ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[place])


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.corrcoef(first, second)[0, 1])
