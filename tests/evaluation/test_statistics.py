import math

import numpy as np
import pytest

from ircolor.evaluation.statistics import paired_difference, standard_error


def scenes(num: int) -> list[str]:
    """Of images of which no two show one scene."""
    return [f"scene {number}" for number in range(num)]


def test_standard_error() -> None:
    assert standard_error([1, 2, 3, 4], scenes(4)) == pytest.approx(math.sqrt(5 / 3) / 2)
    assert standard_error([1, float("nan"), 3], scenes(3)) == pytest.approx(1)
    assert math.isnan(standard_error([1], scenes(1)))


def test_images_of_one_scene_tell_less_than_as_many_scenes() -> None:
    once = standard_error([1, 2, 4], scenes(3))
    assert standard_error([1, 1, 2, 2, 4, 4], [*"aabbcc"]) == pytest.approx(once)
    assert standard_error([1, 1, 2, 2, 4, 4], scenes(6)) < 0.7 * once
    ours, theirs = [1.0, 1.1, 1.3, 1.2], [0.0] * 4
    assert paired_difference(ours, theirs, scenes(4)).is_clear
    assert not paired_difference(ours, theirs, [*"aabb"]).is_clear  # Student's t of two scenes reaches far
    assert math.isnan(paired_difference(ours, theirs, [*"aaaa"]).low)
    assert math.isnan(standard_error(ours, [*"aaaa"]))


def test_the_interval_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(1, 2, 30), rng.normal(0.5, 2, 30)
    found = paired_difference(list(ours), list(theirs), scenes(30))
    expected = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean(ours - theirs))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_difference_is_clear_where_its_interval_leaves_out_zero() -> None:
    values = [1.0, 1.1, 0.9, 1.05]
    assert paired_difference(values, [0.0] * 4, scenes(4)).is_clear
    assert not paired_difference(values, [1.0, 1.0, 1.0, 1.0], scenes(4)).is_clear
    assert paired_difference([0.0] * 4, values, scenes(4)).is_clear


def test_images_without_a_score_are_left_out() -> None:
    nan = float("nan")
    assert paired_difference([1, nan, 3, 5], [0, 5, nan, 4], scenes(4)).mean == 1
    assert math.isnan(paired_difference([1, nan], [0, 1], scenes(2)).mean)
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1, 2], [1], scenes(2))
