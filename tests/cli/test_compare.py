"""`ircolor compare` from pairs to page."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ircolor.training.systems import SYSTEMS
from tests.cli.conftest import Done
from tests.tiny_pairs import write_pairs
from tests.training.test_systems import make_tiny

Run = Callable[..., Done]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "pairs", [f"frame_{number:02d}" for number in range(15)])


def test_from_pairs_to_page(
    ircolor: Run, data: Path, tmp_path: Path, tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_tiny(monkeypatch, "limmer")
    further = ["--model", tiny_onnx, "--predictions", f"theirs={data / 'rgb'}"]
    done = ircolor("compare", "limmer", "--data", data, "--seeds", "2", "--epochs", "1", *further)
    assert done.status == 0, done.err
    assert "training 1 of 1: limmer, seed 0" in done.err
    for name in ("infrared-copy", "limmer", "theirs", "Best of the trained systems"):
        assert name in done.out
    content = json.loads((tmp_path / "report.json").read_text())
    assert list(content["systems"])[3:] == ["limmer", "tiny", "theirs"]
    assert content["systems"]["limmer"]["latency_ms"].keys() == {"224x224", "640x480"}
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    twins = [tmp_path / "one.onnx", tmp_path / "other.onnx"]
    for twin in twins:
        twin.write_bytes(tiny_onnx.read_bytes())
    models = [option for twin in (tiny_onnx, *twins) for option in ("--model", twin)]
    again = ircolor("compare", "limmer", "--data", data, "--epochs", "1", *models)
    assert again.status == 0
    assert "training" not in again.err
    systems = json.loads((tmp_path / "report.json").read_text())["systems"]
    assert len(systems) == 3 + 1 + 3  # none of several models of one name is lost
    assert {"tiny", "tiny (model)"} < systems.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["snte", "--data", "d"], "error: system 'snte': unknown; did you mean snet?"),
        (["snet", "--data", "d", "--predictions", "folder"], "error: --predictions folder: give them as NAME=DIR"),
        (["snet", "--data", "d", "--model", "nosuch"], "error: model 'nosuch': unknown"),
        (["snet", "--data", "absent"], "error: absent: no such folder"),
    ],
)
def test_bad_input_is_one_line_and_said_before_training(
    ircolor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = ircolor("compare", *arguments)
    assert done.status == 2
    assert done.err.startswith(message)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (["--protocol", "nirscene"], ["error: ", "protocol nirscene"]),
        (["--split", "test-clean"], ["error: protocol folder has no split test-clean"]),
        (["--protocol", "nosuch"], ["error: no protocol is called nosuch"]),
        (["--predictions", "theirs=empty"], ["error: ", "no image of this stem"]),
        (["--predictions", "snet=empty"], ["error: snet: stands for another row already"]),
        (["--predictions", "a=absent", "--predictions", "a=empty"], ["a is named already; call them otherwise"]),
        (["--report", "out", "--json", "./out"], ["error: out: is to be both the report and the JSON"]),
        (["--predictions", "theirs=absent"], ["error: absent: cannot be listed"]),
    ],
)
def test_what_cannot_be_scored_is_said_before_training(
    ircolor: Run,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    messages: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    done = ircolor("compare", "snet", "--data", data, *arguments)
    assert done.status == 2
    for message in messages:
        assert message in done.err
    assert not (tmp_path / "runs").exists()


def test_an_empty_split_is_said_before_training(ircolor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = ircolor("compare", "snet", "--data", write_pairs(tmp_path / "few", ["a", "b"]))
    assert done.status == 2
    assert "no pairs for split test of protocol folder" in done.err
    assert not (tmp_path / "runs").exists()


def test_all_systems_are_named_in_the_help(ircolor: Run) -> None:
    text = " ".join(ircolor("compare", "--help").out.replace("│", " ").split())
    for name in SYSTEMS:
        assert name in text
