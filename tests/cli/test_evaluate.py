import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from ircolor.cli.evaluate import evaluate
from ircolor.errors import UserError

app = typer.Typer()
app.command()(evaluate)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "pairs"
    rng = np.random.default_rng(0)
    for kind in ("infrared", "rgb"):
        (folder / kind).mkdir(parents=True)
        for number in range(10):
            shape = (20, 30) if kind == "infrared" else (20, 30, 3)
            cv2.imwrite(str(folder / kind / f"{number}.png"), rng.integers(0, 256, shape, np.uint8))
    return folder


def test_predictions_to_table_json_and_report(data: Path, tmp_path: Path) -> None:
    scores, report = tmp_path / "scores.json", tmp_path / "report.html"
    outputs = ["--json", str(scores), "--report", str(report)]
    result = CliRunner().invoke(app, ["--data", str(data), "--predictions", str(data / "rgb"), *outputs])
    assert result.exit_code == 0, result.output
    for name in ("infrared-copy", "cubic-curve", "rgb", "100.00"):
        assert name in result.stdout
    content = json.loads(scores.read_text())
    assert content["models"]["rgb"]["mean"]["chroma_gain"] == 1
    assert content["num_images"] == len(content["models"]["rgb"]["images"]) > 0
    assert report.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs", "report.html", "scores.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_scores_are_kept_where_they_cannot_be_shown(data: Path, tmp_path: Path) -> None:
    scores, report = tmp_path / "scores.json", tmp_path / "report.html"
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ircolor", "evaluate", "--data", str(data), "--predictions", str(data / "rgb")]
        done = subprocess.run([*command, "--json", str(scores), "--report", str(report)], stdout=full, check=False)
    assert done.returncode == 2
    assert json.loads(scores.read_text())["num_images"]
    assert report.read_text().startswith("<!doctype html>")


def test_nothing_is_written_where_scoring_fails(data: Path, tmp_path: Path) -> None:
    for file in (data / "rgb").glob("9*"):
        file.write_bytes(b"")
    scores = tmp_path / "scores.json"
    arguments = ["--data", str(data), "--predictions", str(data / "infrared"), "--json", str(scores)]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, UserError)
    assert not scores.exists()


def test_data_is_required() -> None:
    assert CliRunner().invoke(app, ["snet"]).exit_code == 2
