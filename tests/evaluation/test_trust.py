import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr  # type: ignore[import-untyped]

from ircolor.evaluation.trust import score_trust


def errors(noise: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    expected = rng.uniform(2, 22, 20_000).astype(np.float32)
    return expected, (expected * rng.lognormal(-(noise**2) / 2, noise, len(expected))).astype(np.float32)


def test_a_perfect_expectation() -> None:
    expected, _ = errors(0)
    scores = score_trust(expected, expected)
    assert scores.spearman == pytest.approx(1)
    assert scores.trusted_half == pytest.approx(7 / 12, abs=0.01)
    assert scores.worst_miscalibration == pytest.approx(0, abs=1e-5)
    assert len(scores.bins) == 10
    assert sum(each.share for each in scores.bins) == pytest.approx(1)


def test_rank_correlation_is_that_of_scipy() -> None:
    expected, true = errors(0.5)
    assert score_trust(expected, true).spearman == pytest.approx(spearmanr(expected, true).statistic, abs=1e-4)


def test_a_noisy_expectation_is_calibrated_and_a_scaled_one_is_not() -> None:
    expected, true = errors(0.5)
    assert score_trust(expected, true).worst_miscalibration < 0.1
    assert score_trust(1.5 * expected, true).worst_miscalibration == pytest.approx(0.5, abs=0.1)


def test_bins_with_few_pixels_do_not_count() -> None:
    expected, true = (
        np.append(values, outlier).astype(np.float32) for values, outlier in zip(errors(0.2), (90, 1), strict=True)
    )
    assert score_trust(expected, true).worst_miscalibration < 0.2


def test_an_expectation_that_knows_nothing() -> None:
    expected, true = errors(0.5)
    scores = score_trust(expected, np.random.default_rng(1).permutation(true).astype(np.float32))
    assert abs(scores.spearman) < 0.05
    assert scores.trusted_half == pytest.approx(1, abs=0.05)
