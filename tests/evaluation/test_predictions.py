from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from ircolor.errors import UserError
from ircolor.evaluation.predictions import predictions_row
from ircolor.pairs.index import Pair, find_pairs


@pytest.fixture
def pairs(data: Path) -> list[Pair]:
    return [pair for pair in find_pairs(data) if pair.columns["split"] == "test"]


def test_predictions_are_found_with_and_without_the_suffix(predictions: Path, pairs: list[Pair]) -> None:
    (predictions / "unrelated.png").write_bytes(b"never looked at")
    row = predictions_row(predictions, pairs)
    for pair in pairs:
        infrared, true_rgb = pair.read()
        np.testing.assert_array_equal(row(pair.stem, infrared), true_rgb)


def test_every_problem_is_named(predictions: Path, pairs: list[Pair]) -> None:
    (predictions / "a.png").unlink()
    (predictions / "b_rgb.png").write_text("not an image")
    cv2.imwrite(str(predictions / "c.png"), np.zeros((9, 17, 3), np.uint8))
    with pytest.raises(UserError) as caught:
        predictions_row(predictions, pairs)
    message = str(caught.value)
    assert "3 of 3 predictions" in message
    for part in (
        f"{predictions / 'a'}: no image",
        "b_rgb.png: not an image",
        "c.png: 17x9, but the truth is 17x33",
    ):
        assert part in message


def test_two_predictions_of_one_image(predictions: Path, pairs: list[Pair]) -> None:
    (predictions / "a_rgb.png").write_bytes((predictions / "a.png").read_bytes())
    with pytest.raises(UserError, match=r"a\.png and .*a_rgb\.png: two predictions"):
        predictions_row(predictions, pairs)


def test_a_stem_that_ends_in_the_suffix_keeps_its_file(predictions: Path, pairs: list[Pair]) -> None:
    twin = Pair("a_rgb", pairs[0].infrared, pairs[0].rgb, scene="a")
    (predictions / "a_rgb.png").write_bytes((predictions / "a.png").read_bytes())
    predictions_row(predictions, [*pairs, twin])


def test_depths(predictions: Path, pairs: list[Pair]) -> None:
    infrared, true_rgb = pairs[0].read()
    (predictions / "a.png").unlink()
    tifffile.imwrite(predictions / "a.tiff", true_rgb.astype(np.uint16) * 257, photometric="rgb")
    np.testing.assert_allclose(predictions_row(predictions, pairs)("a", infrared), true_rgb / 255)
    tifffile.imwrite(predictions / "a.tiff", true_rgb.astype(np.float32) / 255, photometric="rgb")
    np.testing.assert_allclose(predictions_row(predictions, pairs)("a", infrared), true_rgb / 255, atol=1e-6)
    tifffile.imwrite(predictions / "a.tiff", true_rgb.astype(np.float32), photometric="rgb")
    with pytest.raises(UserError, match=r"a\.tiff: float32 values outside \[0, 1\]"):
        predictions_row(predictions, pairs)


def test_a_broken_truth_is_named_before_scoring(predictions: Path, pairs: list[Pair]) -> None:
    pairs[1].rgb.write_bytes(b"")
    with pytest.raises(UserError, match=r"rgb/b\.png: the file is empty"):
        predictions_row(predictions, pairs)


def test_no_such_folder(tmp_path: Path, pairs: list[Pair]) -> None:
    with pytest.raises(UserError, match="nowhere: cannot be listed"):
        predictions_row(tmp_path / "nowhere", pairs)
