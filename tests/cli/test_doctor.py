import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ircolor import doctor, machine
from ircolor.machine import Memory
from ircolor.weights import catalogue
from tests.cli.conftest import ROOT, Done

Run = Callable[..., Done]


@pytest.fixture
def bundle(tiny_sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one tiny network, on a machine with memory and without cameras."""
    (tmp_path / "snet.onnx").write_bytes(tiny_sealed)
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path)
    monkeypatch.setattr(doctor, "DEVICES_FOLDER", tmp_path / "dev")
    monkeypatch.setattr(machine, "memory", lambda: Memory(8 << 30, 4 << 30, None))
    return tmp_path


@pytest.mark.usefixtures("bundle")
def test_a_sound_installation_is_all_good(ircolor: Run) -> None:
    done = ircolor("doctor")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "all good"
    for text in ("onnxruntime: 1.", "h264: libx264", "decoding: OK", "status: OK", "device: cpu", "available: cpu"):
        assert text in done.out


@pytest.mark.usefixtures("bundle")
def test_json_tells_the_same(ircolor: Run) -> None:
    found = json.loads(ircolor("doctor", "--json").out)
    assert found.keys() == {*doctor.PROBES, "problems"}
    assert found["problems"] == []
    assert found["models"]["snet"]["sha256"] == catalogue.find_model("snet").sha256
    assert found["memory"]["total_bytes"] > 0


def test_a_damaged_network_is_named_and_the_others_are_still_tried(
    ircolor: Run, bundle: Path, tiny_sealed: bytes
) -> None:
    (bundle / "another.onnx").write_bytes(tiny_sealed[:-1])
    done = ircolor("doctor")
    assert done.status == 1
    assert done.out.splitlines()[-1].startswith("problem: model another: damaged in this installation; reinstall")
    assert "status: damaged" in done.out
    assert "status: OK" in done.out


@pytest.mark.parametrize("module", ["av", "onnxruntime", "cv2"])
def test_a_library_that_cannot_be_imported_breaks_only_its_topics(module: str) -> None:
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['ircolor', 'doctor', '--json']\n"
        "from ircolor.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    problems = json.loads(done.stdout)["problems"]
    assert done.returncode == 1
    assert 1 < len(problems) <= 3
    assert f": installed, but cannot be loaded (import of {module} halted" in problems[0]
    for problem in problems[1:]:
        assert f"ModuleNotFoundError: import of {module} halted" in problem
        assert problem.endswith("; reinstall with: pip install --force-reinstall ircolor")


def test_a_library_that_is_broken_is_told_by_doctor_and_by_who_needs_it(tiny_onnx: Path, tmp_path: Path) -> None:
    (tmp_path / "tifffile.py").write_text("raise ImportError('libjpeg.so:\\ncannot open')")
    (tmp_path / "a.tiff").write_bytes(b"II*\0")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "src")])}
    command = partial(subprocess.run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    done = command([sys.executable, "-m", "ircolor", "doctor"])
    assert done.returncode == 1
    assert (
        "problem: tifffile: installed, but cannot be loaded (libjpeg.so:); pip install --force-reinstall tifffile"
        in done.stdout
    )
    done = command([sys.executable, "-m", "ircolor", "colorize", "a.tiff", "--model", str(tiny_onnx)])
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: a library cannot be loaded (libjpeg.so:); ircolor doctor")
