"""How sure a mean over images is, and a difference between two systems on the same images."""

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def standard_error(values: Sequence[float], scenes: Sequence[str]) -> float:
    """Of the mean of a score, by the spread of its sums over scenes: images of one scene may err alike.

    Where each image has a scene of its own that is the sample's standard deviation over the root of their number.

    Args:
        values: an image each; those that are not defined are left out.
        scenes: of the images.

    Returns:
        NaN for fewer than two scenes.

    Raises:
        ValueError: they differ in number.

    Source: Liang and Zeger 1986, "Longitudinal data analysis using generalized linear models", as for any mean of
    clusters.
    """
    kept, numbers = _defined(values, scenes)
    num_scenes = len(set(numbers))
    if num_scenes < 2:
        return float("nan")
    sums = np.bincount(numbers, weights=kept - kept.mean())
    return float(np.sqrt(num_scenes / (num_scenes - 1) * (sums**2).sum()) / len(kept))


def paired_difference(values: Sequence[float], others: Sequence[float], scenes: Sequence[str]) -> Difference:
    """Mean of `values - others` with its 95 % interval, by Student's t on the differences of scenes.

    Images on which either is not defined are left out; NaN where fewer than two scenes are left.

    Args:
        values: a score of one system, an image each.
        others: the same score of another system, on the same images.
        scenes: of the images.

    Raises:
        ValueError: they differ in number.
    """
    differences = [one - other for one, other in zip(values, others, strict=True)]
    kept, numbers = _defined(differences, scenes)
    num_scenes = len(set(numbers))
    if num_scenes < 2:
        return Difference(*[float("nan")] * 3)
    reach = _student_t(num_scenes - 1) * standard_error(differences, scenes)
    mean = float(kept.mean())
    return Difference(mean, mean - reach, mean + reach)


def _student_t(degrees_of_freedom: int) -> float:
    """The quantile between which a share of CONFIDENCE lies."""
    try:
        stats = importlib.import_module("scipy.stats")
    except ImportError as error:
        raise UserError("intervals need SciPy; install it with: pip install 'ircolor[eval]'") from error
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, degrees_of_freedom))


def _defined(values: Sequence[float], scenes: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Values that are defined, and for each the number of its scene, from 0."""
    kept = [(value, scene) for value, scene in zip(values, scenes, strict=True) if not math.isnan(value)]
    numbers = {scene: number for number, scene in enumerate(dict.fromkeys(scene for _, scene in kept))}
    return np.array([value for value, _ in kept], np.float64), [numbers[scene] for _, scene in kept]
