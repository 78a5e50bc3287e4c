from pathlib import Path

import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.evaluation.models import distinct_name, model_rows
from ircolor.evaluation.score import TrustRow
from tests.trust_models import known_errors


@pytest.mark.usefixtures("fake_models")
def test_models_by_name_and_by_file_have_names_of_their_own() -> None:
    rows = model_rows(["snet", "runs/a/snet.onnx", "runs/b/best.onnx", "runs/c/best.onnx"], taken=["infrared-copy"])
    assert list(rows) == ["snet", "runs/a/snet.onnx", "best", "runs/c/best.onnx"]
    np.testing.assert_array_equal(rows["snet"]("", np.full((2, 3), 8, np.uint8)), np.full((2, 3, 3), 4))


@pytest.mark.usefixtures("fake_models")
def test_the_same_model_twice() -> None:
    assert list(model_rows(["snet", "snet"])) == ["snet", "snet (1)"]


@pytest.mark.usefixtures("fake_models")
def test_an_unknown_model_is_an_error_before_any_work() -> None:
    with pytest.raises(UserError, match="unknown"):
        model_rows(["snet", "unknown"])


def test_a_model_with_trust_gives_its_expected_error_too(tmp_path: Path) -> None:
    (row,) = model_rows([str(known_errors(tmp_path))]).values()
    assert isinstance(row, TrustRow)
    rgb, expected_error = row.with_expected_error("", np.full((2, 3), 255, np.uint8))
    np.testing.assert_array_equal(rgb, row("", np.full((2, 3), 255, np.uint8)))
    np.testing.assert_array_equal(expected_error, np.full((2, 3), 30.0, np.float32))


def test_a_model_without_is_a_plain_row(tiny_onnx: Path) -> None:
    (row,) = model_rows([str(tiny_onnx)]).values()
    assert not isinstance(row, TrustRow)


def test_distinct_name() -> None:
    assert distinct_name("a", "x/a", set()) == "a"
    assert distinct_name("a", "x/a", {"a"}) == "x/a"
    assert distinct_name("a", "x/a", {"a", "x/a"}) == "x/a (2)"
