"""Each kind of bad input: one line that names file and mend, the others done, nothing half-written."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ircolor.media.encode import encode_image
from ircolor.media.images import read_infrared
from tests.cli.conftest import ROOT, Done, files, run_process
from tests.conftest import gray_png, noise

Run = Callable[..., Done]
Gray = Callable[..., Path]


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Name -> content and what is said of it."""
    png = gray_png(60, 80)
    jpeg = encode_image(np.repeat(noise(60, 80)[..., None], 3, axis=2), ".jpg")
    buffer = io.BytesIO()
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
    assert "4 files done, 6 failures:" in done.err
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
    colorize: Run, gray: Gray, locked: Path, tmp_path: Path
) -> None:
    gray("in/a.png")
    done = colorize(tmp_path / "in", locked, "-o", tmp_path / "out")
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


def test_an_image_that_memory_cannot_hold_does_not_stop_the_others(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gray("in/a.png"), gray("in/b.png")

    def read(source: Path | bytes, name: str | None = None) -> object:
        if name and name.endswith("a.png"):
            raise MemoryError
        return read_infrared(source, name)

    monkeypatch.setattr("ircolor.batch.read_infrared", read)
    done = colorize(tmp_path / "in")
    assert done.status == 1
    assert "a.png: not enough memory for it; cut it into parts" in done.err
    assert files(tmp_path / "in_rgb") == ["b.png"]
