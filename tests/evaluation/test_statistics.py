import math

import numpy as np
import pytest

from ircolor.evaluation.statistics import paired_difference, standard_error


def test_standard_error() -> None:
    assert standard_error([1, 2, 3, 4]) == pytest.approx(math.sqrt(5 / 3) / 2)
    assert standard_error([1, float("nan"), 3]) == pytest.approx(1)
    assert math.isnan(standard_error([1]))


def test_the_interval_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(1, 2, 30), rng.normal(0.5, 2, 30)
    found = paired_difference(list(ours), list(theirs))
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean(ours - theirs))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_difference_is_clear_where_its_interval_leaves_out_zero() -> None:
    values = [1.0, 1.1, 0.9, 1.05]
    assert paired_difference(values, [0.0] * 4).is_clear
    assert not paired_difference(values, [1.0, 1.0, 1.0, 1.0]).is_clear
    assert paired_difference([0.0] * 4, values).is_clear


def test_images_without_a_score_are_left_out() -> None:
    nan = float("nan")
    assert paired_difference([1, nan, 3, 5], [0, 5, nan, 4]).mean == 1
    assert math.isnan(paired_difference([1, nan], [0, 1]).mean)
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1, 2], [1])
