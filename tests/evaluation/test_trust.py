import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr  # type: ignore[import-untyped]

from ircolor.evaluation.comparison import compare, defined
from ircolor.evaluation.trust import can_be_scored, score_trust
from tests.evaluation.conftest import SIZES
from tests.tiny_pairs import write_mask
from tests.trust_models import known_errors


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
    few = np.round(expected / 8).astype(np.float32)  # with many equals
    assert score_trust(few, true).spearman == pytest.approx(spearmanr(few, true).statistic, abs=1e-6)


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


def test_pixels_that_cannot_tell_are_said_to_be_too_few(data: Path, tmp_path: Path) -> None:
    lines = (data / "index.csv").read_text().splitlines()
    for stem, size in SIZES.items():
        usable = np.zeros(size, np.bool_)
        usable[1, 1] = True  # not one of every second pixel, which trust is scored on
        write_mask(data, stem, usable)
    named = [f"mask/{line.split(',')[0]}.png" if line.endswith("test") else "" for line in lines[1:]]
    rows = [",".join(both) for both in zip(lines, ["mask", *named], strict=True)]
    (data / "index.csv").write_text("\n".join(rows))
    comparison = compare([str(known_errors(tmp_path))], data)
    assert any(note.startswith("Trust of known: not scored") for note in comparison.notes)
    assert "trust" not in json.loads(comparison.to_json())["models"]["known"]


def test_a_bin_without_any_error_is_valid_json() -> None:
    expected = np.repeat(np.array([1, 10], np.float32), 50)
    scores = score_trust(expected, np.repeat(np.array([0, 10], np.float32), 50))
    assert defined(asdict(scores))["worst_miscalibration"] is None


@pytest.mark.parametrize("values", [[], [3], [3, 3, 3]])
def test_errors_without_an_order_cannot_be_scored(values: list[float]) -> None:
    alike = np.array(values, np.float32)
    rising = np.arange(len(values), dtype=np.float32)
    assert not can_be_scored(alike, rising)
    assert not can_be_scored(rising, alike)
    assert can_be_scored(np.array([1, 2], np.float32), np.array([2, 1], np.float32))
