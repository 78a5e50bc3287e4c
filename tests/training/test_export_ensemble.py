"""Several runs as one model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.grade import Grade
from ircolor.training.export import export_runs
from ircolor.training.recipe import Recipe, TrustConfig
from ircolor.training.recipes import smoke
from ircolor.training.trust import train_with_trust
from ircolor.weights.card import Card
from ircolor.weights.seal import seal
from tests.tiny_pairs import scene, write_pairs
from tests.training.runs import run_quietly

PLAIN = replace(smoke(), epochs=1, validate_every=1, view_px=32)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs"), [f"frame_{number:02d}" for number in range(13)])


@pytest.fixture(scope="module")
def trained(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: `plain`, `wide`, and `trusty`, which has learned its expected error."""
    runs = tmp_path_factory.mktemp("runs")
    run_quietly(PLAIN, pairs, runs / "plain")
    run_quietly(replace(PLAIN, name="wide", width=6, seed=1), pairs, runs / "wide")
    trusty = replace(PLAIN, name="trusty", seed=2, grade=Grade(0.5), trust=TrustConfig(folds=2, fold_epochs=1, steps=2))
    train_with_trust(trusty, pairs, None, runs / "trusty")
    return runs


@pytest.fixture(scope="module")
def exported(trained: Path) -> dict[str, tuple[bytes, Card]]:
    """Models of one run each, and of both."""
    runs = {"plain": ["plain"], "wide": ["wide"], "both": ["plain", "wide"]}
    return {name: export_runs([trained / run for run in names], name) for name, names in runs.items()}


def colors(body: bytes) -> NDArray[np.float32]:
    infrared = np.random.default_rng(0).random((1, 1, 32, 48), np.float32) * 2 - 1
    (rgb,) = onnxruntime.InferenceSession(body).run(["rgb"], {"infrared": infrared})
    return np.asarray(rgb)


def test_a_model_of_two_runs_gives_their_mean_colours(exported: dict[str, tuple[bytes, Card]]) -> None:
    rgb = {name: colors(body) for name, (body, _) in exported.items()}
    np.testing.assert_allclose(rgb["both"], (rgb["plain"] + rgb["wide"]) / 2, atol=1e-4, rtol=0)
    assert np.abs(rgb["plain"] - rgb["wide"]).max() > 0.1


def test_in_int8_it_stays_near(exported: dict[str, tuple[bytes, Card]], trained: Path, pairs: Path) -> None:
    body, card = export_runs([trained / "plain", trained / "wide"], "both", pairs, int8=True)
    assert card.arithmetic == "int8"
    assert np.abs(colors(body) - colors(exported["both"][0])).mean() < 0.05


def test_its_card_tells_of_all_runs(exported: dict[str, tuple[bytes, Card]]) -> None:
    plain, wide, both = (exported[name][1] for name in ("plain", "wide", "both"))
    assert both.recipe == "smoke + wide"
    assert "the mean colours of 2 nets, smoke (" in both.summary
    assert " and wide (" in both.summary
    assert both.num_parameters == plain.num_parameters + wide.num_parameters
    assert both.gflop_224 == pytest.approx(plain.gflop_224 + wide.gflop_224, abs=0.02)
    assert both.epochs == 2
    assert both.train_seconds == pytest.approx(plain.train_seconds + wide.train_seconds, abs=0.2)
    assert both.hardware == plain.hardware  # told once
    assert both.view == plain.view


def test_grade_and_expected_error_are_those_of_the_first(trained: Path, pairs: Path, tmp_path: Path) -> None:
    def expected_error(runs: list[str], data: Path | None) -> NDArray[np.float32]:
        body, card = export_runs([trained / run for run in runs], "x", data)
        assert card.cast == 0.5
        file = tmp_path / "x.onnx"
        file.write_bytes(seal(body, card))
        _, error = Colorizer(file, return_trust=True)(scene(40, 60, seed=5)[0])
        return np.asarray(error)

    learned = expected_error(["trusty", "plain"], None)
    assert learned.shape == (40, 60)
    assert learned.min() > 0
    factors = expected_error(["trusty", "plain"], pairs) / learned  # brought to the scale of these colours
    assert factors.std() < 1e-3
    assert abs(factors.mean() - 1) > 0.01
    _, card = export_runs([trained / "plain", trained / "trusty"], "x", pairs)
    assert card.error_halo_px == 0  # the second one's knows another grade
    assert card.view == PLAIN.view


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"include_val": True}, r"other: did not train on the pairs of .*plain; give runs of the same pairs"),
        ({"view_px": 48}, {}, r"other: is shown pictures at 48 px, .*plain at 32 px; give runs that see the same"),
        ({"view_px": 0}, {}, r"other: is shown pictures as they are, .*plain at 32 px; give runs"),
    ],
)
def test_runs_that_do_not_go_together_are_refused(
    change: dict[str, int], options: dict[str, bool], message: str, trained: Path, pairs: Path, tmp_path: Path
) -> None:
    recipe: Recipe = replace(PLAIN, **change)  # type: ignore[arg-type]
    run_quietly(recipe, pairs, tmp_path / "other", **options)
    with pytest.raises(UserError, match=message):
        export_runs([trained / "plain", tmp_path / "other"], "x")


def test_runs_of_other_pairs_are_refused(trained: Path, tmp_path: Path) -> None:
    fewer = write_pairs(tmp_path / "fewer", [f"frame_{number:02d}" for number in range(11)])
    run_quietly(PLAIN, fewer, tmp_path / "other")
    with pytest.raises(UserError, match="other: did not train on the pairs of"):
        export_runs([trained / "plain", tmp_path / "other"], "x")


def test_a_run_is_named_once(trained: Path) -> None:
    with pytest.raises(UserError, match=r"plain.*: is given twice; name each run once"):
        export_runs([trained / "plain", trained / "wide", trained / ".." / trained.name / "plain"], "x")
