import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ircolor.media.encode import encode_image
from ircolor.media.images import read_rgb
from tests.cli.conftest import ROOT, Done, run_process
from tests.conftest import gray_png, noise

Run = Callable[..., Done]
Gray = Callable[..., Path]


@pytest.fixture
def colorize(ircolor: Run, tiny_onnx: Path) -> Run:
    """`ircolor colorize` with the tiny network."""
    return lambda *arguments: ircolor("colorize", "--model", tiny_onnx, "--threads", "1", *arguments)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


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
    assert "left out 2 images that are results of this command" in again.err
    assert "skipped 2 images that are done" in again.err
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
    assert "skipped 1 images that are done" in done.err
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
        (["in", "-o", "-"], "-o -: standard output takes one image, not 2"),
        (["in", "--resume", "--overwrite"], "--overwrite and --resume contradict each other"),
        (["in/a.png", "--tile", "big"], "tile 'big': expected auto, off or a number of pixels"),
        (["in/a.png", "--intensity", "bright"], "intensity 'bright': use auto"),
        (["in/a.png", "--device", "tpu"], "device 'tpu': not available here; use auto or one of: cpu"),
        (["in/a.png", "-o", "-", "--json"], "--json and an image on standard output exclude each other"),
        (["film.mp4"], "film.mp4: this version reads images only"),
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


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Name -> content and what is said of it."""
    png = gray_png(60, 80)
    jpeg = encode_image(np.repeat(noise(60, 80)[..., None], 3, axis=2), ".jpg")
    buffer = io.BytesIO()
    import tifffile

    tifffile.imwrite(buffer, np.array([[0.5, np.nan], [np.inf, 0.1]], np.float32))
    return {
        "empty.png": (b"", "the file is empty"),
        "half.png": (png[: len(png) // 2], "the PNG file is truncated"),
        "cut.jpg": (jpeg[: len(jpeg) // 2], "the JPEG file is truncated"),
        "nan.tiff": (buffer.getvalue(), "2 values are NaN or infinite; replace them"),
        "text.png": (b"I am text", "not an image, or damaged"),
    }


def test_bad_files_are_listed_and_the_others_done(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    gray("in/good.png"), gray("in/zz/last.png"), gray("in/one.png", 1, 1), gray("in/long.png", 1, 4000)
    for name, (content, _) in bad_files().items():
        (tmp_path / "in" / name).write_bytes(content)
    done = colorize(tmp_path / "in", tmp_path / "none.png", "-o", tmp_path / "out")
    assert done.status == 1
    assert files(tmp_path / "out") == ["good.png", "long.png", "one.png", "zz/last.png"]
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    for name, (_, said) in bad_files().items():
        assert any(line.startswith(f"error: {tmp_path}/in/{name}: {said}") for line in errors), name
    assert any("none.png: cannot be read (No such file or directory)" in line for line in errors)
    assert len(errors) == 6
    assert "4 images done, 6 failures:" in done.err
    assert "Traceback" not in done.err


def test_a_single_bad_file_is_one_line(tmp_path: Path, tiny_onnx: Path) -> None:
    """As a process, to see also what libraries write to standard error on their own."""
    for name, (content, said) in bad_files().items():
        (tmp_path / name).write_bytes(content)
        done = run_process("colorize", name, "--model", tiny_onnx, cwd=tmp_path)
        chosen, *rest = done.stderr.decode().splitlines()
        assert done.returncode == 1
        assert chosen.startswith("tiny 1.0 on cpu")
        assert len(rest) == 1
        assert rest[0].startswith(f"error: {name}: {said}")
    assert files(tmp_path) == sorted(bad_files())


def test_conversions_are_said(colorize: Run, tmp_path: Path) -> None:
    rgb = np.stack([noise(8, 8, seed) for seed in range(3)], axis=2)
    (tmp_path / "rgb.png").write_bytes(encode_image(rgb, ".png"))
    done = colorize(tmp_path / "rgb.png")
    assert done.status == 0
    assert f"{tmp_path}/rgb.png: it is a colour image; its luma was taken as the infrared image" in done.err


def test_a_full_disk_fails_that_file_only(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray("in/a.png"), gray("in/b.png"), gray("in/c.png")
    really_sync, calls = os.fsync, []

    def sync(file: int) -> None:
        calls.append(file)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        really_sync(file)

    monkeypatch.setattr(os, "fsync", sync)
    done = colorize(tmp_path / "in", "-o", tmp_path / "out")
    assert done.status == 1
    assert files(tmp_path / "out") == ["a.png", "c.png"]
    assert "out/b.png: cannot be written (No space left on device); free some space" in done.err


def test_an_output_folder_that_cannot_be_made_is_told(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = colorize(gray("in/a.png"), "-o", tmp_path / "file" / "out")
    assert done.status == 1
    assert "file/out/a.png: cannot be written" in done.err
    assert files(tmp_path) == ["file", "in/a.png"]


def test_an_unreadable_folder_is_listed_and_the_rest_done(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray("in/a.png"), gray("locked/b.png")
    really_scan = os.scandir

    def scan(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return really_scan(path)

    monkeypatch.setattr(os, "scandir", scan)
    done = colorize(tmp_path / "in", tmp_path / "locked", "-o", tmp_path / "out")
    assert done.status == 1
    assert (tmp_path / "out/a.png").exists()
    assert f"error: {tmp_path}/locked: the folder cannot be read (Permission denied)" in done.err


def test_an_unknown_and_a_tampered_model_are_told(ircolor: Run, gray: Gray, tmp_path: Path, tiny_sealed: bytes) -> None:
    image = gray("in/a.png")
    unknown = ircolor("colorize", image, "--model", "snte")
    assert (unknown.status, unknown.err.startswith("error: model 'snte': unknown; ")) == (2, True)
    tampered = bytearray(tiny_sealed)
    tampered[len(tampered) // 2] ^= 1
    (tmp_path / "bad.onnx").write_bytes(tampered)
    done = ircolor("colorize", image, "--model", tmp_path / "bad.onnx")
    assert done.status == 2
    assert done.err.startswith(f"error: {tmp_path}/bad.onnx: damaged or tampered with")
    assert files(tmp_path / "in") == ["a.png"]


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


def test_an_interrupt_leaves_nothing_half_done(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    done = colorize(gray())
    assert done.status == 130
    assert files(tmp_path) == ["night.png"]


def test_a_locked_folder_above_the_input_is_told(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_stat = os.stat

    def stat(path: str | Path, **options: object) -> os.stat_result:
        if "forbidden" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return really_stat(path, **options)  # type: ignore[arg-type]

    good = gray("in/a.png")
    monkeypatch.setattr(os, "stat", stat)
    done = colorize(good, tmp_path / "forbidden" / "b.png", "-o", tmp_path / "out")
    assert done.status == 1
    assert f"error: {tmp_path}/forbidden/b.png: cannot be read" in done.err
    assert (tmp_path / "out/a.png").exists()


def test_links_in_a_circle_are_told(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    done = colorize(gray("a.png"), tmp_path / "loop.png", "-o", tmp_path / "out")
    assert done.status == 1
    assert f"error: {tmp_path}/loop.png: cannot be read (Too many levels of symbolic links)" in done.err
    assert files(tmp_path / "out") == ["a.png"]


def test_standard_output_that_is_full_or_closed(gray: Gray, tiny_onnx: Path) -> None:
    command = [sys.executable, "-m", "ircolor", "colorize", str(gray()), "-o", "-", "--model", str(tiny_onnx)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment, check=False)
    assert done.returncode == 1
    assert b"standard output: cannot be written (No space left on device); free some space" in done.stderr
    assert b"Traceback" not in done.stderr
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
