import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.evaluation.comparison import compare
from ircolor.evaluation.score import mean_scores
from tests.tiny_pairs import write_mask

pytestmark = pytest.mark.usefixtures("fake_models")


def refuse_constant(token: str) -> NoReturn:
    raise AssertionError(f"{token} is no JSON")


def test_references_stand_before_models_and_predictions(data: Path, predictions: Path) -> None:
    comparison = compare(["half"], data, predictions=predictions)
    assert list(comparison.scores) == ["infrared-copy", "cubic-curve", "half", "results"]
    assert comparison.first_model == "half"
    assert comparison.title == "protocol folder, split test: means over 3 images"
    assert comparison.notes == []
    means = {name: scores.mean["psnr_db"] for name, scores in comparison.scores.items()}
    assert means["infrared-copy"] < means["cubic-curve"] < means["results"] == 100
    assert compare([], data, predictions=predictions).first_model == "results"


def test_json(data: Path) -> None:
    black = np.zeros((20, 24, 3), np.uint8)
    cv2.imwrite(str(data / "rgb/a.png"), black)  # scores without a value
    text = compare(["half"], data).to_json()
    content: dict[str, Any] = json.loads(text, parse_constant=refuse_constant)
    assert set(content) == {"models", "protocol", "split", "num_images"}
    assert (content["protocol"], content["split"], content["num_images"]) == ("folder", "test", 3)
    assert list(content["models"]) == ["infrared-copy", "cubic-curve", "half"]
    half = content["models"]["half"]
    assert set(half) == {"mean", "images"}
    assert list(half["images"]) == ["a", "b", "c"]
    assert half["images"]["a"]["angular_error_deg"] is None
    assert half["images"]["a"]["chroma_gain"] is None
    assert half["images"]["b"]["chroma_gain"] == pytest.approx(0, abs=1e-2)
    # The means can be had from the images in the file.
    images = [
        {key: float("nan") if value is None else value for key, value in scores.items()}
        for scores in half["images"].values()
    ]
    assert half["mean"] == pytest.approx(mean_scores(images))


def test_without_training_pairs_the_curve_is_left_out_and_it_is_said(data: Path) -> None:
    index = data / "index.csv"
    index.write_text("\n".join(line for line in index.read_text().splitlines() if "train" not in line))
    comparison = compare(["half"], data)
    assert list(comparison.rows) == ["infrared-copy", "half"]
    assert comparison.first_model == "half"
    assert len(comparison.notes) == 1
    assert "cubic-curve" in comparison.notes[0]


def mask_upper_quarters(data: Path, masks: Mapping[str, tuple[int, int]]) -> None:
    """Mask the upper quarter of images given by stem and size."""
    lines = (data / "index.csv").read_text().splitlines()
    for stem, size in masks.items():
        usable = np.ones(size, np.bool_)
        usable[: size[0] // 4] = False
        write_mask(data, stem, usable)
    rows = [f"{line},{f'mask/{stem}.png' if (stem := line.split(',')[0]) in masks else ''}" for line in lines[1:]]
    (data / "index.csv").write_text("\n".join([lines[0] + ",mask", *rows]))


def test_masks_leave_pixels_out_of_scores_and_of_the_curve_and_it_is_said(data: Path, predictions: Path) -> None:
    masks = {"a": (20, 24), "t1": (18, 18)}
    mask_upper_quarters(data, masks)
    first = compare(["half"], data, predictions=predictions)
    assert len(first.notes) == 1
    assert first.notes[0].startswith("Masks of 1 of 3 images leave out 8.3 % of the pixels")
    for stem, (height, _) in masks.items():
        file = str(data / "rgb" / f"{stem}.png")
        rgb = cv2.imread(file)
        assert rgb is not None
        rgb[: height // 4] = 255 - rgb[: height // 4]
        assert cv2.imwrite(file, rgb)
    second = compare(["half"], data, predictions=predictions)
    for name, scores in first.scores.items():
        means = dict(second.scores[name].mean)
        assert means.pop("cosine_paper") != scores.mean["cosine_paper"]
        assert means == {key: scores.mean[key] for key in means}


def test_stems_must_be_unique(data: Path) -> None:
    index = data / "index.csv"
    index.write_text(index.read_text() + "a,infrared/b.png,rgb/b.png,test\n")
    with pytest.raises(UserError, match="a: 2 pairs"):
        compare(["half"], data)


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        ([], {}, "nothing to score"),
        (["unknown"], {}, "no such model"),
        (["half"], {"split": "other"}, "no split other"),
        (["half"], {"protocol": "other"}, "no protocol is called other"),
    ],
)
def test_what_cannot_be_compared(models: list[str], options: dict[str, Any], message: str, data: Path) -> None:
    with pytest.raises(UserError, match=message):
        compare(models, data, **options)
