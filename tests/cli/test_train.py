"""`ircolor train` and `ircolor export`, and with them the way from pairs to a picture."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from ircolor.weights.catalogue import find_model
from tests.cli.conftest import Done
from tests.tiny_pairs import scene, write_pairs

Run = Callable[..., Done]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_pairs(tmp_path / "pairs", [f"frame_{number:02d}" for number in range(15)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["snet_papr", "--data", "d", "--run", "r"], "error: recipe 'snet_papr': unknown; did you mean snet_paper?"),
        (
            ["smoke", "--data", "d", "--run", "r", "--loss-network", "v"],
            "error: --loss-network: recipe smoke does not look through",
        ),
        (["smoke", "--data", "absent", "--run", "r"], "error: absent: no such folder"),
        (["smoke", "--data", ".", "--run", "r", "--resume"], "error: r: no run to go on with"),
    ],
)
def test_wrong_use_of_train_is_one_line(
    ircolor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = ircolor("train", *arguments)
    assert done.status == 2
    assert done.err.startswith(message)
    assert done.err.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_a_seed_that_no_generator_takes_is_refused(ircolor: Run, tmp_path: Path) -> None:
    done = ircolor("train", "smoke", "--data", tmp_path, "--run", tmp_path / "run", "--seed", 2**64)
    assert done.status == 2
    assert "--seed" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("command", "module"), [("train", "trust"), ("export", "export")])
def test_without_torch_the_extra_is_named(
    ircolor: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, f"ircolor.training.{module}", None)
    arguments = ["smoke", "--data", "d", "--run", "r"] if command == "train" else ["r", "-o", tmp_path / "m.onnx"]
    done = ircolor(command, *arguments)
    assert done.status == 2
    assert "pip install 'ircolor[train]'" in done.err


def test_wrong_use_of_export_is_one_line(ircolor: Run, tmp_path: Path) -> None:
    taken = tmp_path / "taken.onnx"
    taken.write_text("mine")
    for arguments, message in (
        (["r", "-o", tmp_path / "m.bin"], "a model file ends in .onnx"),
        (["r", "-o", taken], "exists; choose another name, or replace it with --overwrite"),
        (["r", "-o", tmp_path / "m.onnx", "--int8"], "give their folder with --data"),
        (["r", "-o", tmp_path / "m.onnx", "--name", taken.with_suffix("")], "is a path; give a plain name"),
        (["r", "-o", tmp_path / f"{'m' * 101}.onnx"], "is too long for the name of a model"),
        (["r", "-o", tmp_path / "m.onnx", "--name", "my\tnet"], "'my\\tnet': is too long for the name of a model, or"),
        ([tmp_path, "-o", tmp_path / "m.onnx"], "holds no checkpoint"),
    ):
        done = ircolor("export", *arguments)
        assert done.status == 2
        assert message in done.err
    assert taken.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["taken.onnx"]


@pytest.mark.slow
def test_from_pairs_to_a_picture(ircolor: Run, data: Path, tmp_path: Path) -> None:
    run, model = tmp_path / "run", tmp_path / "mine.onnx"
    done = ircolor("train", "smoke", "--data", data, "--run", run, "--epochs", "3", "--seed", "7")
    assert done.status == 0
    recipe = json.loads((run / "run.json").read_text())["recipe"]
    assert (recipe["epochs"], recipe["seed"]) == (3, 7)
    assert ircolor("export", run, "-o", model, "--int8", "--data", data).status == 0
    card = find_model(model).card
    assert (card.name, card.arithmetic, card.protocol) == ("mine", "int8", "folder")
    assert card.latency_ms.keys() == {"224x224", "640x480"}
    assert min(card.latency_ms.values()) > 0
    assert card.latency_hardware.endswith("int8")
    assert card.scores["val"].keys() == card.scores["test"].keys() >= {"psnr_db", "ssim", "chroma_gain"}
    report = tmp_path / "scores.json"
    assert ircolor("evaluate", model, "--data", data, "--json", report).status == 0
    mean = json.loads(report.read_text())["models"]["mine"]["mean"]
    assert mean["psnr_db"] == pytest.approx(card.scores["test"]["psnr_db"], abs=1e-3)
    assert cv2.imwrite(str(tmp_path / "night.png"), scene(33, 50, 0)[0])
    assert ircolor("colorize", tmp_path / "night.png", "--model", model).status == 0
    picture = cv2.imread(str(tmp_path / "night_rgb.png"))
    assert picture is not None
    assert picture.shape == (33, 50, 3)


@pytest.mark.slow
def test_a_model_of_all_pairs_is_scored_on_test_alone(ircolor: Run, data: Path, tmp_path: Path) -> None:
    run, model = tmp_path / "run", tmp_path / "mine.onnx"
    done = ircolor("train", "smoke", "--data", data, "--run", run, "--include-val")
    assert done.status == 0
    assert "the last weights count" in done.err
    assert ircolor("export", run, "-o", model, "--data", data).status == 0
    assert find_model(model).card.scores.keys() == {"test"}


@pytest.mark.slow
def test_two_runs_become_one_model(ircolor: Run, data: Path, tmp_path: Path) -> None:
    runs, model = [tmp_path / "one", tmp_path / "other"], tmp_path / "both.onnx"
    for seed, run in enumerate(runs):
        assert ircolor("train", "smoke", "--data", data, "--run", run, "--seed", str(seed)).status == 0
    done = ircolor("export", *runs, "-o", model, "--data", data)
    assert done.status == 0
    assert f"exporting {runs[0]} and {runs[1]}" in done.err
    assert done.err.splitlines()[-1].endswith(", the mean of 2 runs")
    assert find_model(model).card.scores.keys() == {"val", "test"}


# Runs a command in a terminal of its own, closes that when a file is there, and tells how the command ended.
IN_A_TERMINAL = """
import os, pty, select, sys
file, *command = sys.argv[1:]
process, terminal = pty.fork()
if process == 0:
    os.execv(command[0], command)
while not os.path.exists(file):
    if select.select([terminal], [], [], 0.05)[0]:
        os.read(terminal, 65536)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals")
def test_a_run_whose_terminal_closes_can_be_gone_on_with(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "ircolor", "train", "smoke", "--data", str(data), "--run", str(run)]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_TERMINAL, str(run / "log.jsonl"), *command, "--epochs", "5000"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == f"{128 + signal.SIGHUP}\n", done.stderr
    assert (run / "checkpoints" / "last.safetensors").exists()


@pytest.mark.slow
def test_a_terminated_run_says_how_to_go_on(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ircolor", "train", "smoke", "--data", str(data), "--run", str(tmp_path / "run")]
    process = subprocess.Popen([*command, "--epochs", "5000"], stderr=subprocess.PIPE, env=os.environ)
    log = tmp_path / "run" / "log.jsonl"
    deadline_s = time.monotonic() + 120
    while not log.exists() and process.poll() is None and time.monotonic() < deadline_s:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 128 + signal.SIGTERM
    assert "go on with --resume" in errors
    assert (tmp_path / "run" / "checkpoints" / "last.safetensors").exists()
