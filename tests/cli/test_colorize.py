import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ircolor.media import sources
from ircolor.media.images import read_rgb
from tests.cli.conftest import Done, files, run_process
from tests.conftest import gray_png, noise

Run = Callable[..., Done]
Gray = Callable[..., Path]


def test_one_image_goes_beside_the_input_and_that_is_said(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    done = colorize(gray("night.png", 20, 30))
    assert done.status == 0
    assert f"{tmp_path}/night.png -> {tmp_path}/night_rgb.png" in done.err
    assert done.out == ""
    assert read_rgb(tmp_path / "night_rgb.png").shape == (20, 30, 3)


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.tiff", "out.webp", "new/out.png"])
def test_output_may_name_a_file(colorize: Run, gray: Gray, tmp_path: Path, name: str) -> None:
    assert colorize(gray(), "-o", tmp_path / name).status == 0
    assert read_rgb(tmp_path / name).shape == (20, 30, 3)


def test_a_folder_keeps_its_tree_and_a_second_run_does_nothing_new(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    for name in ("in/a.png", "in/sub/b.png"):
        gray(name)
    assert colorize(tmp_path / "in").status == 0
    assert files(tmp_path / "in_rgb") == ["a.png", "sub/b.png"]
    again = colorize(tmp_path / "in", tmp_path / "in_rgb", "--resume")
    assert again.status == 0
    assert "left out 2 files that are results of this command" in again.err
    assert "skipped 2 files that are done" in again.err
    assert files(tmp_path) == ["in/a.png", "in/sub/b.png", "in_rgb/a.png", "in_rgb/sub/b.png"]


def test_outputs_inside_the_source_are_not_colorized_again(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    gray("a.png")
    for _ in range(2):
        assert colorize(tmp_path, "-o", tmp_path / "out", "--overwrite").status == 0
    assert files(tmp_path) == ["a.png", "out/a.png"]


def test_results_beside_their_inputs_are_not_colorized_again(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    gray("a.png"), gray("b.png")
    for _ in range(2):
        assert colorize(f"{tmp_path}/*.png", "--overwrite").status == 0
    assert files(tmp_path) == ["a.png", "a_rgb.png", "b.png", "b_rgb.png"]


def test_nothing_is_overwritten_unasked(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    image = gray()
    (tmp_path / "night_rgb.png").write_bytes(b"precious")
    done = colorize(image)
    assert done.status == 2
    said = f"error: {tmp_path}/night_rgb.png: exists; use --overwrite to replace it, --resume to keep it\n"
    assert done.err == said
    assert (tmp_path / "night_rgb.png").read_bytes() == b"precious"
    assert colorize(image, "--overwrite").status == 0
    assert read_rgb(tmp_path / "night_rgb.png").shape == (20, 30, 3)


def test_resume_does_what_is_missing(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    gray("in/a.png"), gray("in/b.png")
    colorize(tmp_path / "in" / "a.png", "-o", tmp_path / "out")
    before = (tmp_path / "out/a.png").stat().st_mtime_ns
    done = colorize(tmp_path / "in", "-o", tmp_path / "out", "--resume")
    assert done.status == 0
    assert "skipped 1 files that are done" in done.err
    assert files(tmp_path / "out") == ["a.png", "b.png"]
    assert (tmp_path / "out/a.png").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["in", "-o", "out"], "in/a.png: its result out/a.png is also that of in/a.bmp; rename one"),
        (["in/a.png", "-o", "in"], "in/a.png: would be replaced by its own result; give another -o"),
        (["in/a.png", "-o", "out.gif"], "out.gif: cannot write .gif; use .png"),
        (["in", "-o", "out.png"], "out.png: is the name of a file, but the results of the"),
        (["in", "-o", "in/a.png"], "in/a.png: is a file, but the results of the sources need a folder"),
        (["in", "-o", "-"], "-o -: standard output takes one image or video, not 2"),
        (["in", "--resume", "--overwrite"], "--overwrite and --resume contradict each other"),
        (["in/a.png", "--tile", "big"], "tile 'big': expected auto, off or a number of pixels"),
        (["in/a.png", "--intensity", "bright"], "intensity 'bright': use auto"),
        (["in/a.png", "--device", "tpu"], "device 'tpu': unknown; did you mean cpu? use one of: auto, cuda"),
        (["in/a.png", "-o", "-", "--json"], "--json and an image on standard output exclude each other"),
        (["in/a.png", "--depth", "10"], "depth 10: results have 8 or 16 bits a channel"),
        (["-", "in/a.png"], "-: standard input must be the only source"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_is_begun(
    colorize: Run,
    gray: Gray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    gray("in/a.png"), gray("in/a.bmp")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gray_png())))
    done = colorize(*arguments)
    assert done.status == 2
    assert done.err.startswith(f"error: {said}")
    assert done.err.count("\n") == 1
    assert files(tmp_path) == ["in/a.bmp", "in/a.png"]


def test_json_is_all_that_standard_output_holds(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    gray("in/a.png"), gray("in/b.png")
    (tmp_path / "in/c.png").write_bytes(b"I am text")
    done = colorize(tmp_path / "in", "--json", "--intensity", "0:100")
    assert done.status == 1
    summary = json.loads(done.out)
    assert (summary["model"], summary["device"]) == ("tiny", "cpu")
    assert (summary["num_done"], summary["num_skipped"], summary["num_failed"]) == (2, 0, 1)
    first, _, last = summary["files"]
    assert first["input"] == f"{tmp_path}/in/a.png"
    assert first["output"] == f"{tmp_path}/in_rgb/a.png"
    assert (first["low"], first["high"], first["error"]) == (0, 100, None)
    assert first["seconds"] > 0
    assert "not an image" in last["error"]


def test_side_by_side_shows_both(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    image = gray("night.png", 20, 30)
    assert colorize(image, "--side-by-side").status == 0
    picture = read_rgb(tmp_path / "night_rgb.png")
    assert picture.shape == (20, 64, 3)
    np.testing.assert_array_equal(picture[:, :30, 0], noise(20, 30))


def test_standard_input_to_standard_output(tiny_onnx: Path, tmp_path: Path) -> None:
    done = run_process("colorize", "-", "--model", tiny_onnx, stdin=gray_png(20, 30))
    assert done.returncode == 0
    assert read_rgb(done.stdout).shape == (20, 30, 3)
    done = run_process("colorize", "-", "-o", "x.jpg", "--model", tiny_onnx, stdin=gray_png(), cwd=tmp_path)
    assert (done.returncode, done.stdout, files(tmp_path)) == (0, b"", ["x.jpg"])
    empty = run_process("colorize", "-", "--model", tiny_onnx)
    assert (empty.returncode, empty.stdout) == (1, b"")
    assert b"error: standard input: the file is empty" in empty.stderr


def test_tiles_are_said(colorize: Run, gray: Gray) -> None:
    done = colorize(gray("night.png", 200, 200), "--tile", "96")
    assert "tiles of 96 px, as asked" in done.err


@pytest.mark.parametrize("source", ["camera", "camera/*.png"])
@pytest.mark.parametrize("output", [".", "camera"])
def test_results_may_go_into_the_source_or_above_it(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, output: str
) -> None:
    jpeg = gray("camera/a.png").rename(tmp_path / "camera" / "a.jpg") if source == "camera" else gray("camera/a.png")
    monkeypatch.chdir(tmp_path)
    done = colorize(source, "-o", output)
    if jpeg.suffix == ".png" and output == "camera":
        assert done.status == 2
        assert "would be replaced by its own result" in done.err
    else:
        assert done.status == 0, done.err
        assert (tmp_path / output / "a.png").exists()


def test_results_in_the_source_are_no_sources_later(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray("camera/a.png").rename(tmp_path / "camera" / "a.jpg")
    monkeypatch.chdir(tmp_path)
    assert colorize("camera", "-o", "camera").status == 0
    again = colorize("camera", "-o", "camera", "--resume")
    assert again.status == 0, again.err
    assert "left out 1 files that are results of this command" in again.err
    assert "skipped 1 files that are done" in again.err


@pytest.mark.parametrize("sources", [["camera"], ["camera/a.jpg", "camera/a.png"]])
def test_a_source_is_not_replaced_by_the_result_of_another(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: list[str]
) -> None:
    gray("camera/a.png").rename(tmp_path / "camera" / "a.jpg")
    monkeypatch.chdir(tmp_path)
    before = gray("camera/a.png").read_bytes()
    done = colorize(*sources, "-o", "camera", "--overwrite")
    assert done.status == 2
    assert "a.png: would be replaced by the result of another source; give another -o" in done.err
    assert (tmp_path / "camera" / "a.png").read_bytes() == before
    (tmp_path / "camera" / "a.png").unlink()
    for _ in range(2):  # what is a result may be made again
        assert colorize("camera", "-o", "camera", "--overwrite").status == 0


def test_links_to_one_file_have_results_of_their_own(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    gray("in/b.png")
    (tmp_path / "in" / "a.png").symlink_to("b.png")
    assert colorize(tmp_path / "in", tmp_path / "in" / "b.png", "-o", tmp_path / "out").status == 0
    assert files(tmp_path / "out") == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("", "an empty -o (an unset variable?)"),
        ("rtmp://host/live/key", "-o rtmp://host/live/***: results of files do not go to a URL"),
    ],
)
def test_an_output_that_is_no_place_on_disk_is_refused(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, message: str
) -> None:
    gray("night.png")
    monkeypatch.chdir(tmp_path)
    done = colorize("night.png", "-o", output)
    assert (done.status, files(tmp_path)) == (2, ["night.png"])
    assert message in done.err


def test_a_pipe_is_read_once(tmp_path: Path, tiny_onnx: Path) -> None:
    pipe = tmp_path / "night.png"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[gray_png(20, 30)], daemon=True)
    writer.start()
    command: list[str | Path] = [sys.executable, "-m", "ircolor", "colorize", pipe, "-o", tmp_path / "out.png"]
    command += ["--model", tiny_onnx]
    subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=True)
    assert read_rgb(tmp_path / "out.png").shape == (20, 30, 3)


def test_with_standard_error_closed_the_image_stays_whole(tmp_path: Path, tiny_onnx: Path) -> None:
    command = f"{sys.executable} -m ircolor colorize - -o - --model {tiny_onnx} 2>&-"
    done = subprocess.run(command, shell=True, input=gray_png(), stdout=subprocess.PIPE, cwd=tmp_path, check=True)
    assert done.stdout.startswith(b"\x89PNG")


def test_with_standard_input_closed_it_is_one_line(tmp_path: Path) -> None:
    command = f"{sys.executable} -m ircolor colorize - -o x.png <&-"
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("error: -: standard input is closed")


def test_an_empty_source_is_not_the_current_folder(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray("a.png")
    monkeypatch.chdir(tmp_path)
    done = colorize("")
    assert (done.status, files(tmp_path)) == (2, ["a.png"])
    assert "an empty SOURCE" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["in", "-o", "IN"], "in/a.png: would be replaced by its own result"),
        (["in/a.png", "in/sub/A.jpg", "-o", "out"], "its result out/A.png is also that of in/a.png"),
    ],
)
def test_names_that_differ_by_case_alone_are_one_file_on_some_systems(
    colorize: Callable[..., Done],
    gray: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(sources, "FOLDS_NAMES", True)
    monkeypatch.chdir(tmp_path)
    gray("in/a.png"), gray("in/sub/A.jpg")
    done = colorize(*arguments)
    assert done.status == 2
    assert said in done.err
