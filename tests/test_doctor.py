import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from ircolor import doctor, machine
from ircolor.colorizer import Colorizer
from ircolor.machine import Memory
from ircolor.weights import catalogue


@pytest.fixture(autouse=True)
def bundle(tiny_sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one tiny network, on a machine without cameras."""
    (tmp_path / "snet.onnx").write_bytes(tiny_sealed)
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path)
    (tmp_path / "dev").mkdir()
    monkeypatch.setattr(doctor, "DEVICES_FOLDER", tmp_path / "dev")
    return tmp_path


def test_no_network_at_all_is_a_problem(bundle: Path) -> None:
    (bundle / "snet.onnx").unlink()
    assert doctor.examine()["models"].problems == [
        "models: none in this installation; reinstall with: pip install --force-reinstall ircolor"
    ]


def test_a_network_that_paints_one_colour_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Colorizer, "__call__", lambda *_: np.full((48, 64, 3), [9, 8, 7], np.uint8))
    (problem,) = doctor.examine()["models"].problems
    assert problem.startswith("model snet: paints a scene in one colour")


def test_a_device_that_does_not_start_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from ircolor.sessions import onnx, providers

    gpu = replace(providers.DEVICES["cuda"], providers=("NoSuchExecutionProvider",))
    for module in (onnx, providers):
        monkeypatch.setattr(module, "devices_to_try", lambda _: [gpu, providers.DEVICES["cpu"]])
    (problem,) = doctor.examine()["models"].problems
    assert problem.startswith("model snet: cuda does not start: ")
    assert problem.endswith("; check its driver and libraries, or give --device cpu")


def test_what_is_missing_is_named_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "versions", lambda: {"PyAV": None, "torch": None})
    assert doctor.examine()["versions"].problems == ["PyAV: not installed; pip install av"]
    monkeypatch.setattr(machine, "memory", lambda: Memory(8 << 30, 1 << 29, 1 << 29))
    (problem,) = doctor.examine()["memory"].problems
    assert problem.startswith("memory: 0.5 GB can be had where a photograph takes 1.1; close other programs")

    really_find = av.Codec

    def find(name: str, mode: str) -> av.Codec:
        return really_find("nothing" if name == "hevc" else name, "w" if mode == "w" else "r")

    monkeypatch.setattr(av, "Codec", find)
    video = doctor.examine()["video"]
    assert video.problems == ["video: no encoder for hevc; pip install --force-reinstall av"]
    assert video.facts["encoders"]["hevc"] is None


@pytest.mark.skipif(sys.platform != "linux", reason="cameras are listed on Linux only")
def test_cameras_are_listed_and_one_that_is_locked_is_a_problem(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [bundle / "dev" / f"video{number}" for number in (0, 2)]
    for file in files:
        file.touch()
    monkeypatch.setattr(os, "access", lambda file, _: not file.endswith("2"))
    cameras = doctor.examine()["cameras"]
    assert cameras.facts["found"] == list(map(str, files))
    assert cameras.problems == [
        f"{files[1]}: you may not use this camera; sudo usermod -aG video $USER, and log in again"
    ]


def test_cameras_of_other_systems_are_listed_by_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    device = av.device.DeviceInfo("0", "FaceTime HD Camera", True, ["video"])
    monkeypatch.setattr("ircolor.doctor.sys", SimpleNamespace(platform="darwin"))
    monkeypatch.setattr("ircolor.media.connection.listed_cameras", lambda: [device])
    assert doctor.PROBES["cameras"]().facts == {"found": ["FaceTime HD Camera"]}
