"""Systems side by side: their numbers, how sure these are, and the page."""

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.evaluation.confusion import confused
from ircolor.evaluation.references import true_chroma_on_infrared
from ircolor.evaluation.systems import category_of, compare_systems
from ircolor.evaluation.systems_report import systems_report
from ircolor.evaluation.systems_tables import verdict
from ircolor.metrics import chroma_error, load_skimage
from ircolor.pairs.index import Pair
from ircolor.pairs.protocols import split_pairs
from tests.evaluation.test_comparison import mask_upper_quarters, refuse_constant
from tests.test_metrics import flat, scene


@pytest.fixture
def models(tiny_onnx: Path) -> dict[str, list[Path | str]]:
    """A system of two trainings, and one of one."""
    return {"snet": [tiny_onnx, tiny_onnx], "limmer": [tiny_onnx]}


def test_rows_numbers_and_how_sure_they_are(
    models: dict[str, list[Path | str]], data: Path, predictions: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("")
    latency_ms = {"snet": {"224x224": 3.5}}
    comparison = compare_systems(
        models, data, predictions={"theirs": predictions}, latency_ms=latency_ms, logs={"snet": [log]}
    )
    assert list(comparison.systems) == ["infrared-copy", "cubic-curve", "true-chroma", "snet", "limmer", "theirs"]
    assert comparison.measure == "snet"
    content: dict[str, Any] = json.loads(comparison.to_json(), parse_constant=refuse_constant)
    assert content["num_images"] == 3
    snet, theirs = content["systems"]["snet"], content["systems"]["theirs"]
    assert len(snet["seeds"]) == 2
    assert snet["minus_snet"] == {}
    assert snet["num_parameters"] > 0
    assert snet["latency_ms"] == {"224x224": 3.5}
    assert "num_parameters" not in theirs
    images = [theirs["images"][stem]["psnr_db"] - snet["images"][stem]["psnr_db"] for stem in "abc"]
    assert theirs["minus_snet"]["psnr_db"]["mean"] == pytest.approx(np.mean(images))
    assert theirs["minus_snet"]["psnr_db"]["low"] < np.mean(images) < theirs["minus_snet"]["psnr_db"]["high"]
    assert theirs["standard_error"]["psnr_db"] == 0
    for key in ("chroma_gain", "colorfulness_ratio", "ssim"):  # the interval is one about the numbers that are shown
        shown = theirs["mean"][key] - snet["mean"][key]
        assert theirs["minus_snet"][key]["mean"] == pytest.approx(shown)
        assert theirs["minus_snet"][key]["low"] < shown < theirs["minus_snet"][key]["high"]
    gray = content["systems"]["infrared-copy"]["standard_error"]
    assert (gray["chroma_gain"], gray["colorfulness_ratio"]) == pytest.approx((0, 0), abs=1e-4)  # of any set of images
    assert set(snet["categories"]) == {"a", "b", "c"}
    assert comparison.systems["limmer"].mean == comparison.systems["snet"].mean
    assert theirs["mean"]["gray_psnr_db"] < theirs["mean"]["shift_tolerant_psnr_db"] == 100


def test_masked_pixels_are_left_out_and_it_is_said(
    models: dict[str, list[Path | str]], data: Path, predictions: Path
) -> None:
    whole = compare_systems(models, data)
    mask_upper_quarters(data, {"a": (20, 24)})
    comparison = compare_systems(models, data, predictions={"theirs": predictions}, measure="theirs")
    assert comparison.notes == [*whole.notes, *(note for note in comparison.notes if note.startswith("Masks of 1 of"))]
    assert len(comparison.notes) == len(whole.notes) + 1
    masked_px = 5 * 24
    for name in ("snet", "infrared-copy"):
        counts = [each.systems[name].anatomy.num_pixels.sum() for each in (whole, comparison)]
        assert counts[0] - counts[1] == masked_px
    assert whole.truth.num_pixels.sum() - comparison.truth.num_pixels.sum() == masked_px
    # What the report tells of the worst images is of the same pixels.
    rgb = cv2.imread(str(predictions / "a.png"))
    assert rgb is not None
    rgb[:5] = (0, 0, 255)
    cv2.imwrite(str(predictions / "a.png"), rgb)
    wrong_where_masked = compare_systems({}, data, predictions={"theirs": predictions})
    assert "as red" not in systems_report(wrong_where_masked)


def test_scores_that_masks_leave_undefined_are_dashes(models: dict[str, list[Path | str]], data: Path) -> None:
    mask_upper_quarters(data, {pair.stem: pair.read()[0].shape for pair in split_pairs(data, "folder", "test")})
    page = systems_report(compare_systems(models, data))
    cells = re.findall(r'<td[^>]*data-value="nan"[^>]*>.*?</td>', page)
    assert cells
    assert all(re.fullmatch(r'<td data-value="nan">-</td>', cell) for cell in cells)


def test_predictions_are_never_taken_for_a_training(
    models: dict[str, list[Path | str]], data: Path, predictions: Path
) -> None:
    alone = compare_systems(models, data).systems["limmer"].mean
    beside = compare_systems(models, data, predictions={"limmer 0": predictions}).systems
    assert beside["limmer"].mean == alone
    assert beside["limmer 0"].mean != alone


def test_the_true_chroma_on_infrared_luminance_has_no_error_but_that_of_luminance(tmp_path: Path) -> None:
    true = (scene() * 0.6 + 60).astype(np.uint8)
    infrared = (true @ [0.3, 0.6, 0.1] * 0.9 + 10).astype(np.uint8)
    for name, image in (("rgb", true[..., ::-1]), ("infrared", infrared)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    pair = Pair("x", tmp_path / "infrared.png", tmp_path / "rgb.png", "x")
    rgb = true_chroma_on_infrared([pair])("x", infrared)
    assert chroma_error(rgb, true) < 3  # what sRGB does not hold is clipped
    lightness = load_skimage("color").rgb2lab(rgb)[..., 0]
    expected = load_skimage("color").rgb2lab(np.repeat(infrared[..., None], 3, axis=2))[..., 0]
    assert np.abs(lightness - expected).mean() < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"models": {}}, "nothing to compare"),
        ({"predictions": {"truth": Path()}}, "truth: stands for another row already"),
        ({"predictions": {"snet": Path()}}, "snet: stands for another row already"),
        ({"measure": "nosuch"}, "nosuch: is not among the systems; there are: snet, limmer"),
        ({"split": "val"}, "val"),
        ({"protocol": "nirscene"}, "nirscene"),
        ({"data": Path("absent")}, "absent: no such folder"),
    ],
)
def test_bad_input_is_named(
    models: dict[str, list[Path | str]], data: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        compare_systems(**(dict[str, Any](models=models, data=data) | arguments))


def test_missing_and_odd_predictions_are_all_named(
    models: dict[str, list[Path | str]], data: Path, predictions: Path
) -> None:
    (predictions / "a.png").unlink()
    cv2.imwrite(str(predictions / "c.png"), np.zeros((5, 6, 3), np.uint8))
    with pytest.raises(UserError) as caught:
        compare_systems(models, data, predictions={"theirs": predictions})
    assert "no image of this stem" in str(caught.value)
    assert "6x5, but the truth is 17x33" in str(caught.value)


def test_gray_predictions_are_scored_as_gray(data: Path, predictions: Path) -> None:
    for file in predictions.iterdir():
        gray = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert gray is not None
        cv2.imwrite(str(file), gray)
    comparison = compare_systems({}, data, predictions={"gray": predictions})
    mean = comparison.systems["gray"].mean
    assert mean["chroma_gain"] == pytest.approx(0, abs=0.01)
    assert mean["colorfulness_ratio"] == 0
    assert mean["gray_psnr_db"] == pytest.approx(mean["psnr_db"], abs=1e-6)


def test_categories() -> None:
    def pair(scene: str, **columns: str) -> Pair:
        return Pair("x", Path(), Path(), scene, columns)

    assert category_of(pair("oldbuilding_0012")) == "oldbuilding"
    assert category_of(pair("0012")) == "all"
    assert category_of(pair("x_1", category="night")) == "night"


def test_confusions() -> None:
    true = np.concatenate([flat(30, 60, 220)] * 3 + [flat(40, 160, 40)])
    pred = np.concatenate([flat(120, 120, 120)] * 2 + [flat(30, 60, 220), flat(200, 50, 60)])
    (blue, as_gray, first), (green, as_red, second) = confused(pred, true)
    assert (blue, as_gray, first) == ("blue", "gray", 0.5)
    assert (green, as_red, second) == ("green", "red", 0.25)
    assert confused(true, true) == []


@pytest.mark.parametrize(
    ("name", "rgb"),
    [
        ("red", (255, 0, 0)),
        ("red", (178, 34, 34)),  # bricks
        ("orange", (255, 165, 0)),
        ("yellow", (255, 255, 0)),
        ("yellow", (194, 178, 128)),  # sand
        ("green", (0, 255, 0)),
        ("green", (100, 130, 60)),  # grass
        ("green", (87, 108, 67)),  # foliage
        ("cyan", (0, 255, 255)),
        ("blue", (0, 0, 255)),
        ("blue", (120, 160, 220)),  # sky
        ("blue", (135, 206, 235)),
        ("violet", (128, 0, 128)),
        ("pink", (255, 105, 180)),
        ("pink", (255, 192, 203)),
        ("black", (20, 20, 20)),
        ("gray", (120, 120, 120)),
        ("white", (240, 240, 240)),
    ],
)
def test_colours_are_called_as_people_call_them(name: str, rgb: tuple[int, int, int]) -> None:
    other = (120, 120, 120) if name != "gray" else (0, 255, 0)
    ((true, _, _),) = confused(flat(*other), flat(*rgb))
    assert true == name


def test_the_page(models: dict[str, list[Path | str]], data: Path, predictions: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    records = [{"event": "train", "step": step, "color_loss": 1 / step} for step in (1, 2, 3)]
    log.write_text("\n".join(map(json.dumps, records)))
    comparison = compare_systems(
        {"colornet": models["limmer"]} | models, data, predictions={"<theirs>": predictions}, measure="snet",
        logs={"snet": [log]},
    )  # fmt: skip
    page = systems_report(comparison)
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert "<theirs>" not in page
    assert page.count("<svg") == 4
    # One of each category, best to worst, the best and worst of each category (each has one image), failures.
    assert page.count('<div class="images compared">') == 3 + 3 + 3 + 3
    for stem in "abc":
        assert page.count(f'id="scores-{stem}"') == 1
        assert page.count(f'href="#scores-{stem}"') >= 4
    assert "ColorNet alone and SNet at edges" in page
    for name in comparison.systems:
        assert f"<td>{name.replace('<', '&lt;').replace('>', '&gt;')}" in page
    assert "2 trainings" in page
    assert "Each training had 0 epochs, which took 0 minutes (" in page
    assert page.count("of a training &plusmn; 0.00</small>") >= 1  # two of one file
    assert "clearly above snet: " in verdict(comparison) or "not clearly apart" in verdict(comparison)
    without = systems_report(compare_systems({"snet": models["snet"]}, data))
    assert "at edges</h2>" not in without
    assert without.count("<svg") == 3  # no learning curves


def test_nobody_leads_by_a_score_that_is_not_defined(models: dict[str, list[Path | str]], data: Path) -> None:
    for file in (data / "rgb").glob("*.png"):
        cv2.imwrite(str(file), np.full_like(cv2.imread(str(file)), 120))  # gray: no chroma to gain
    said = verdict(compare_systems(models, data))
    assert "by PSNR" in said
    assert "chroma gain" not in said


def test_only_references_and_predictions(data: Path, predictions: Path) -> None:
    comparison = compare_systems({}, data, predictions={"theirs": predictions})
    assert "No system here was trained" in verdict(comparison)
    assert "ms at" not in systems_report(comparison)
    assert len(split_pairs(data, "folder", "test")) == len(comparison.pairs)
