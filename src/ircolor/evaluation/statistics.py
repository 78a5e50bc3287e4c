"""How sure a mean over images is, and a difference between two systems on the same images."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ircolor.errors import UserError

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Of one system to another, image by image.

    Attributes:
        mean: over the images.
        low: lower end of its 95 % interval.
        high: upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def standard_error(values: Sequence[float]) -> float:
    """Of the mean, from the sample's standard deviation; NaN for fewer than two values that are defined."""
    defined = _defined(values)
    return float(np.std(defined, ddof=1) / np.sqrt(len(defined))) if len(defined) > 1 else float("nan")


def paired_difference(values: Sequence[float], others: Sequence[float]) -> Difference:
    """Mean of `values - others` with its 95 % interval, by Student's t on the differences.

    Images on which either is not defined are left out; NaN where fewer than two are left.

    Args:
        values: a score of one system, an image each.
        others: the same score of another system, on the same images.

    Raises:
        ValueError: they differ in number.
    """
    differences = _defined([one - other for one, other in zip(values, others, strict=True)])
    if len(differences) < 2:
        return Difference(*[float("nan")] * 3)
    reach = _student_t(len(differences) - 1) * standard_error(list(differences))
    mean = float(np.mean(differences))
    return Difference(mean, mean - reach, mean + reach)


def _student_t(degrees_of_freedom: int) -> float:
    """The quantile between which a share of CONFIDENCE lies."""
    try:
        stats = importlib.import_module("scipy.stats")
    except ImportError as error:
        raise UserError("intervals need SciPy; install it with: pip install 'ircolor[eval]'") from error
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees_of_freedom))


def _defined(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    array = np.asarray(values, np.float64).ravel()
    return array[~np.isnan(array)]
