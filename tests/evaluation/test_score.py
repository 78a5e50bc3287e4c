import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ircolor import metrics
from ircolor.evaluation.score import PSNR_CEILING_DB, image_values, mean_scores, score_image, score_pairs
from ircolor.pairs.index import find_pairs

GRAY = np.full((12, 12, 3), 90, np.uint8)
RED = np.full((12, 12, 3), (200, 30, 20), np.uint8)
ORANGE = np.full((12, 12, 3), (200, 120, 20), np.uint8)
REPORTED = {
    "psnr_db",
    "ssim",
    "angular_error_deg",
    "delta_e_2000",
    "chroma_error",
    "chroma_gain",
    "colorfulness_ratio",
    "cosine",
    "cosine_paper",
}


def test_the_mean_holds_exactly_the_scores_of_the_contract() -> None:
    assert set(mean_scores([score_image(RED, ORANGE)])) == REPORTED


def test_scores_of_one_image_are_those_of_the_metrics() -> None:
    scores = score_image(RED, ORANGE)
    for key in REPORTED - {"chroma_gain", "colorfulness_ratio"}:
        assert scores[key] == getattr(metrics, key)(RED, ORANGE)
    assert scores["chroma_gain"] == pytest.approx(
        1 - metrics.chroma_error(RED, ORANGE) / metrics.chroma_error(GRAY, ORANGE), abs=1e-4
    )
    assert scores["colorfulness_ratio"] == metrics.colorfulness(RED) / metrics.colorfulness(ORANGE)


def test_a_perfect_image_has_a_finite_psnr() -> None:
    assert score_image(RED, RED)["psnr_db"] == PSNR_CEILING_DB


def test_means_are_over_images_and_ratios_are_of_means() -> None:
    images = [score_image(RED, ORANGE), score_image(GRAY, ORANGE), score_image(RED, GRAY)]
    mean = mean_scores(images)
    assert mean["psnr_db"] == pytest.approx(np.mean([scores["psnr_db"] for scores in images]))
    errors = metrics.chroma_error(RED, ORANGE) + metrics.chroma_error(GRAY, ORANGE) + metrics.chroma_error(RED, GRAY)
    gray_errors = 2 * metrics.chroma_error(GRAY, ORANGE)
    assert mean["chroma_gain"] == pytest.approx(1 - errors / gray_errors, abs=1e-3)
    colourful = 2 * metrics.colorfulness(RED)
    assert mean["colorfulness_ratio"] == pytest.approx(colourful / (2 * metrics.colorfulness(ORANGE)))


def test_a_ratio_of_means_scatters_as_it_does_over_other_images() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(5, 60, 200)
    images: list[dict[str, float]] = [
        {"chroma_error": error, "gray_chroma_error": gray, "colorfulness": 0.9 * gray, "true_colorfulness": gray}
        for error, gray in zip(true * rng.uniform(0.5, 1, 200), true, strict=True)
    ]
    assert image_values(images, "colorfulness_ratio") == pytest.approx(
        [0.9] * 200
    )  # the same of each image: no scatter
    gains = image_values(images, "chroma_gain")

    def gain_of(chosen: NDArray[np.intp]) -> float:
        error, gray = ([images[number][key] for number in chosen] for key in ("chroma_error", "gray_chroma_error"))
        return metrics.chroma_gain(error, gray)

    assert np.mean(gains) == pytest.approx(gain_of(np.arange(200)))
    drawn = [gain_of(rng.integers(200, size=200)) for _ in range(1000)]
    assert np.std(gains) / math.sqrt(200) == pytest.approx(np.std(drawn), rel=0.1)


def test_undefined_scores_do_not_count_in_the_mean() -> None:
    black = np.zeros_like(RED)
    assert math.isnan(score_image(black, ORANGE)["angular_error_deg"])
    both = mean_scores([score_image(black, ORANGE), score_image(RED, ORANGE)])
    assert both["angular_error_deg"] == metrics.angular_error_deg(RED, ORANGE)
    assert math.isnan(mean_scores([score_image(black, ORANGE)])["angular_error_deg"])


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), top=st.integers(0, 12), left=st.integers(0, 14))
def test_scores_under_a_mask_are_those_of_the_usable_part_alone(seed: int, top: int, left: int) -> None:
    rng = np.random.default_rng(seed)
    pred, true = rng.integers(0, 256, (2, 24, 28, 3), np.uint8)
    mask = np.zeros((24, 28), np.bool_)
    part = np.s_[top : top + 12, left : left + 14]
    mask[part] = True
    scores, expected = score_image(pred, true, mask), score_image(pred[part], true[part])
    assert scores.pop("masked_share") == pytest.approx(1 - 12 * 14 / (24 * 28))
    assert scores.pop("cosine_paper") == metrics.cosine_paper(pred, true)
    assert scores == pytest.approx({key: expected[key] for key in scores})
    noise = rng.integers(0, 256, (2, 24, 28, 3), np.uint8)
    again = score_image(np.where(mask[..., None], pred, noise[0]), np.where(mask[..., None], true, noise[1]), mask)
    assert scores == {key: again[key] for key in scores}


def test_without_a_mask_nothing_is_left_out() -> None:
    assert score_image(RED, ORANGE)["masked_share"] == 0


def test_every_row_sees_every_pair_once_and_its_scores_are_kept_by_stem(data: Path) -> None:
    pairs = find_pairs(data)
    seen: list[str] = []
    shown: list[str] = []

    def truth(stem: str, infrared: NDArray[Any]) -> NDArray[Any]:
        seen.append(stem)
        rgb = next(pair for pair in pairs if pair.stem == stem).read()[1]
        assert infrared.shape == rgb.shape[:2]
        return rgb

    def black(_stem: str, infrared: NDArray[Any]) -> NDArray[Any]:
        return np.zeros((*infrared.shape, 3))

    def track(sequence: Any, description: str, total: float | None = None) -> Any:
        assert total is None
        shown.append(description)
        return sequence

    scores = score_pairs({"truth": truth, "black": black}, pairs, track)
    assert seen == ["a", "b", "c", "t1", "t2"] == list(scores["truth"].images)
    assert scores["truth"].mean["psnr_db"] == PSNR_CEILING_DB
    assert scores["black"].mean["psnr_db"] < 15
    assert shown == ["scoring"]
