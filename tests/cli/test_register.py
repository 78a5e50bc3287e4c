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

from ircolor.pairs.index import find_pairs
from ircolor.registration.table import read_table
from tests.cli.conftest import ROOT, Done, files
from tests.registration.cameras import TURN, corner_error_px, make_estimate, use_estimator, write_noise, write_view

Run = Callable[..., Done]
COMMAND = ("register", "--rgb", "in/rgb", "--infrared", "in/infrared", "-o", "pairs", "--workers", "1")


@pytest.fixture(autouse=True)
def at_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs are accepted with a known shift."""
    use_estimator(monkeypatch, lambda *_, **__: make_estimate())


def write_points(*lines: str) -> str:
    Path("points.csv").write_text("\n".join(("x_rgb,y_rgb,x_ir,y_ir", *lines)))
    return "points.csv"


def test_two_folders_become_pairs(ircolor: Run) -> None:
    for seed in range(2):
        write_view(Path("in"), f"view{seed}", seed=seed)
    done = ircolor(*COMMAND)
    assert done.status == 0
    assert [line.split()[:2] for line in done.out.splitlines()[3:6]] == [
        ["accept", "2"],
        ["review", "0"],
        ["reject", "0"],
    ]
    assert done.err == "report: pairs/report.html\n"
    assert [pair.stem for pair in find_pairs(Path("pairs"))] == ["view0", "view1"]
    assert all(corner_error_px(one.matrix, TURN) < 0.5 for one in read_table(Path("pairs/registration.csv")))


@pytest.mark.usefixtures("known")
def test_missing_and_broken_files_are_listed_while_the_others_are_done(ircolor: Run) -> None:
    partners = write_noise(Path("in"), 4)
    partners[1].infrared.unlink()
    partners[2].rgb.write_bytes(b"no image")
    done = ircolor(*COMMAND, "--json")
    assert done.status == 1
    assert done.err.splitlines()[0] == "1 without a partner, 1 failed:"
    assert done.err.splitlines()[1] == "error: in/rgb/01.png: no image of that name from the infrared camera"
    assert done.err.splitlines()[2].startswith("error: 02: in/rgb/02.png: not an image")
    told = json.loads(done.out)
    assert (told["num_pairs"], told["num_failed"], told["num_unmatched"], told["num_resumed"]) == (3, 1, 1, 0)
    assert told["verdicts"]["accept"] == {"num_pairs": 2, "residual_median_px": 0.2}
    assert told["verdicts"]["reject"] == {"num_pairs": 1, "residual_median_px": None}
    assert told["rig"] is None
    assert Path(told["report"]).is_file()


@pytest.mark.usefixtures("known")
def test_partners_by_table_and_by_time(ircolor: Run) -> None:
    partners = write_noise(Path("in"), 2)
    Path("match.csv").write_text("rgb,infrared,stem\n00.png,01.png,mixed\n")
    assert ircolor(*COMMAND, "--match", "match.csv").status == 0
    assert [pair.stem for pair in find_pairs(Path("pairs"))] == ["mixed"]
    partners[0].rgb.rename("in/rgb/20181007_142530.png")
    partners[0].infrared.rename("in/infrared/20181007_142530_040.png")
    done = ircolor(*COMMAND, "--time-tolerance", "0.05", "--overwrite")
    assert done.status == 1
    assert "in/rgb/01.png: no time" in done.err
    assert [pair.stem for pair in find_pairs(Path("pairs"))] == ["20181007_142530_040"]


@pytest.mark.usefixtures("known")
def test_wrong_use_is_one_line_and_begins_nothing(ircolor: Run) -> None:
    write_noise(Path("in"), 2)
    Path("file").touch()
    too_few = write_points("5,5,6,6")
    cases = {
        ("--model", "tps"): "error: --model tps: a thin-plate spline goes through points by hand; give --points",
        ("--points", "absent.csv"): "error: absent.csv: cannot be read",
        ("--points", too_few): "error: points.csv: 1 point from line 2 on; the similarity model needs at least 2",
        ("--calibration-rgb", "file"): "error: file: ",
        ("--rgb", "absent"): "error: absent: no such folder",
        ("-o", "file"): "error: file: is a file; give a folder",
        ("-o", "in/rgb/pairs"): "error: in/rgb/pairs: lies in ",
        ("-o", "in"): "error: in: lies in ",
        ("--match", "a.csv", "--time-tolerance", "1"): "error: --match and --time-tolerance contradict each other",
        ("--resume", "--overwrite"): "error: --overwrite and --resume contradict each other",
    }
    for arguments, message in cases.items():
        done = ircolor(*COMMAND, *arguments)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(message)
        assert done.err.count("\n") == 1
    assert not Path("pairs").exists()
    assert all(file.startswith(("in/", "file", "points")) for file in files(Path()))


def test_swapped_columns_of_points_are_told(ircolor: Run) -> None:
    write_noise(Path("in"), 1)  # 48x40
    points = write_points("5,45,5,45", "30,2,30,2", "12,30,12,30")
    done = ircolor(*COMMAND, "--points", points)
    assert done.status == 2
    assert "inside with x and y exchanged" in done.err


def test_points_make_the_transform(ircolor: Run) -> None:
    write_view(Path("in"), "a")
    ends = [
        (x, y, *(TURN @ [x, y, 1])[:2]) for x, y in ((20, 30), (290, 40), (150, 120), (40, 210), (280, 200), (90, 90))
    ]
    lines = [",".join(map(str, end)) for end in ends]
    done = ircolor(*COMMAND, "--points", write_points(*lines), "--model", "tps", "--json")
    assert done.status == 0
    (found,) = read_table(Path("pairs/registration.csv"))
    assert found.model == "thin-plate spline"
    assert corner_error_px(found.matrix, TURN) < 1e-6


def test_a_rig_is_told(ircolor: Run) -> None:
    for seed in range(3):
        write_view(Path("in"), f"view{seed}", seed=seed)
    done = ircolor(*COMMAND, "--rig", "--json")
    assert done.status == 0
    assert done.err.startswith("rig: similarity, 3 of 3 frames agree\n")
    told = json.loads(done.out)["rig"]
    assert (told["model"], told["num_agreeing"], told["num_frames"], told["outliers"]) == ("similarity", 3, 3, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_can_go_on(tmp_path: Path, ircolor: Run, number: signal.Signals) -> None:
    for seed in range(8):
        write_view(Path("in"), f"view{seed}", seed=seed % 2)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "ircolor", *COMMAND[:-1], "2"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, process_group=0) as process:
        while not (tmp_path / "pairs/preview").exists():
            assert process.poll() is None
            time.sleep(0.02)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does: the workers get it too
        else:
            process.send_signal(number)
        error = process.communicate()[1].decode()
    assert process.returncode == 130
    assert "pairs: interrupted; go on with --resume" in error
    assert "Traceback" not in error
    assert ircolor(*COMMAND, "--resume").status == 0
    assert len(find_pairs(tmp_path / "pairs")) == 8
    assert cv2.imread("pairs/rgb/view7.png") is not None
