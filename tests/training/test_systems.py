"""What is missing is trained, and nothing else."""

import json
import signal
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.training import systems as systems_module
from ircolor.training import train as train_module
from ircolor.training.systems import SYSTEMS, TrainedSystem, train_missing
from ircolor.weights.catalogue import find_model
from tests.training.runs import signal_at_call
from tests.training.test_baseline_recipes import tiny


@pytest.fixture(autouse=True)
def tiny_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("snet", "limmer", "johnson"):
        make_tiny(monkeypatch, name)


def make_tiny(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    recipe = tiny(SYSTEMS[name]())
    monkeypatch.setitem(SYSTEMS, name, lambda: recipe)


def trained(data: Path, runs: Path, *names: str, **settings: Any) -> list[TrainedSystem] | None:
    return train_missing(names, data, None, runs, num_seeds=2, console=Console(file=StringIO()), **settings)


def test_each_is_trained_once_and_becomes_a_model(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = trained(data, tmp_path / "runs", "limmer", "snet")
    assert found
    assert [(system.name, system.seed) for system in found] == [("limmer", 0), ("snet", 0), ("snet", 1)]
    for system in found:
        assert system.log.exists()
        assert Colorizer(str(system.model))(np.zeros((40, 50), np.uint8)).shape == (40, 50, 3)
    monkeypatch.setattr(systems_module, "train", None)  # would fail if it were called
    assert trained(data, tmp_path / "runs", "limmer", "snet") == found


def test_each_is_shown_pictures_at_the_size_that_suits_it_on_validation(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systems_module, "psnr_by_view", lambda _net, _pairs, _view: {96: 14.2, 128: 14.3, 224: 14.1})
    found = trained(data, tmp_path / "runs", "limmer")
    assert found
    assert find_model(found[0].model).card.view_px == 128
    views = json.loads((tmp_path / "runs" / "folder-limmer-0" / "views.json").read_text())
    assert views == {"val_psnr_db": {"96": 14.2, "128": 14.3, "224": 14.1}}


def test_a_stopped_training_is_gone_on_with(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_module, "total_loss", signal_at_call(3, signal.SIGINT))
    assert trained(data, tmp_path / "runs", "limmer") is None
    assert not list(tmp_path.glob("runs/*/*.onnx"))
    monkeypatch.undo()
    make_tiny(monkeypatch, "limmer")
    found = trained(data, tmp_path / "runs", "limmer")
    assert found
    assert found[0].log.read_text().count('"sitting"') == 2


def test_a_run_of_another_budget_is_not_taken_for_this_one(data: Path, tmp_path: Path) -> None:
    trained(data, tmp_path / "runs", "limmer")
    with pytest.raises(UserError, match=r"folder-limmer-0: was trained with another .* --epochs"):
        trained(data, tmp_path / "runs", "limmer", epochs=1)
    with pytest.raises(UserError, match=r"folder-limmer-0: was trained with another .* --seconds"):
        trained(data, tmp_path / "runs", "limmer", budget_s=0.0)
    for _ in range(2):
        assert trained(data, tmp_path / "cut", "limmer", budget_s=0.0)
    with pytest.raises(UserError, match=r"folder-limmer-0: was trained with another .* --seconds"):
        trained(data, tmp_path / "cut", "limmer")
    trained(data, tmp_path / "runs", "johnson")
    (tmp_path / "vgg16.safetensors").write_bytes(b"told apart by its digest, and not read before")
    with pytest.raises(UserError, match=r"folder-johnson-0: was trained with another .* --loss-network"):
        trained(data, tmp_path / "runs", "johnson", loss_network=tmp_path / "vgg16.safetensors")
    (tmp_path / "runs" / "folder-limmer-0" / "run.json").write_text("{")
    with pytest.raises(UserError, match=r"run\.json: missing or damaged"):
        trained(data, tmp_path / "runs", "limmer")


def test_a_run_of_other_pairs_is_not_taken_for_this_one(data: Path, tmp_path: Path) -> None:
    trained(data, tmp_path / "runs", "limmer")
    for folder in ("infrared", "rgb"):
        (data / folder / "frame_01.png").unlink()
    with pytest.raises(UserError, match=r"folder-limmer-0: was trained on other pairs"):
        trained(data, tmp_path / "runs", "limmer")


def test_an_unknown_name_is_said_before_anything_is_trained(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="system 'limer': unknown; did you mean limmer"):
        trained(data, tmp_path / "runs", "snet", "limer")
    assert not (tmp_path / "runs").exists()
