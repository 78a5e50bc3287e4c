"""Videos, pages, depths and watched folders on the command line."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile

from ircolor.media.images import read_rgb
from tests.cli.conftest import ROOT, Done, files, run_process
from tests.conftest import gray_png, noise
from tests.videos import make_video, picture, picture_times

Run = Callable[..., Done]
Gray = Callable[..., Path]


def test_a_video_goes_beside_its_input_with_its_sound(colorize: Run, tmp_path: Path) -> None:
    video = make_video(tmp_path / "night.mp4", sound="aac")
    done = colorize(video)
    assert done.status == 0
    assert f"{video} -> {tmp_path}/night_rgb.mp4 (10 frames, " in done.err
    with av.open(str(tmp_path / "night_rgb.mp4")) as written:
        assert [stream.type for stream in written.streams] == ["video", "audio"]


def test_what_cannot_be_written_becomes_matroska(colorize: Run, tmp_path: Path) -> None:
    video = make_video(tmp_path / "night.avi", codec="mjpeg", pixel_format="yuvj420p")
    assert colorize(video).status == 0
    assert files(tmp_path) == ["night.avi", "night_rgb.mkv"]


def test_a_lossless_codec_takes_a_container_that_holds_it(colorize: Run, tmp_path: Path) -> None:
    video = make_video(tmp_path / "night.mp4")
    assert colorize(video, "--codec", "ffv1").status == 0
    assert files(tmp_path) == ["night.mp4", "night_rgb.mkv"]
    refused = colorize(video, "--codec", "ffv1", "-o", tmp_path / "out.mp4")
    assert refused.status == 2
    assert "out.mp4" in refused.err


def test_a_folder_of_images_and_videos_keeps_its_tree(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    gray("in/a.png"), gray("in/sub/c.jpg")
    make_video(tmp_path / "in" / "b.mkv")
    done = colorize(tmp_path / "in", "--json")
    assert done.status == 0
    assert files(tmp_path / "in_rgb") == ["a.png", "b.mkv", "sub/c.png"]
    summary = json.loads(done.out)
    assert [file["num_frames"] for file in summary["files"]] == [None, 10, None]
    again = colorize(tmp_path / "in", "--resume")
    assert "skipped 3 files that are done" in again.err


def test_bad_videos_are_listed_and_the_others_done(colorize: Run, gray: Gray, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    gray("in/good.png")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mkv").write_text("no video at all")
    make_video(folder / "none.mp4", num_frames=0, codec="mpeg4")
    with av.open(str(folder / "sound.mp4"), "w") as output:
        audio = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    cut = make_video(folder / "cut.mkv", codec="ffv1", pixel_format="gray", num_frames=60)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    done = colorize(folder, "-o", tmp_path / "out")
    assert done.status == 1
    assert files(tmp_path / "out") == ["cut.mkv", "good.png"]
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 5
    for name in ("cut.mkv", "empty.mp4", "none.mp4", "sound.mp4", "text.mkv"):
        assert any(line.startswith(f"error: {folder}/{name}: ") for line in errors), name
    assert any("what precedes that was colorized" in line for line in errors)
    assert 5 < len(picture_times(tmp_path / "out" / "cut.mkv")) < 60


@pytest.mark.parametrize("arguments", [["night.mp4", "-o", "night.mp4"], ["night.mp4", "-o", "./night.mp4"]])
def test_a_video_is_never_its_own_output(
    colorize: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    content = make_video(Path("night.mp4")).read_bytes()
    for more in ([], ["--overwrite"]):
        done = colorize(*arguments, *more)
        assert done.status == 2
        assert done.err.startswith("error: night.mp4: would be replaced by its own result")
    assert Path("night.mp4").read_bytes() == content


@pytest.mark.parametrize("name", ["with space.mp4", "🦊 nächtlich.mkv", "-leading-dash.mp4", "--help.mp4"])
def test_odd_names_are_names(colorize: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    make_video(Path(name), num_frames=2)
    (tmp_path / name).with_suffix(".png").write_bytes(gray_png())
    stem = Path(name).stem
    assert colorize("--", name, f"{stem}.png").status == 0
    assert files(tmp_path) == sorted([name, f"{stem}.png", f"{stem}_rgb{Path(name).suffix}", f"{stem}_rgb.png"])


def test_odd_sizes_are_said(colorize: Run, tmp_path: Path) -> None:
    pictures = [picture(index, 47, 63) for index in range(3)]
    video = make_video(tmp_path / "odd.mkv", codec="ffv1", pixel_format="gray", pictures=pictures)
    done = colorize(video, "-o", tmp_path / "out.mp4")
    assert done.status == 0
    assert "odd.mkv: h264 takes even sizes only" in done.err


def test_sixteen_bits_are_written(colorize: Run, tmp_path: Path, gray: Gray) -> None:
    tifffile.imwrite(tmp_path / "deep.tiff", noise(20, 30).astype(np.uint16) * 257)
    assert colorize(tmp_path / "deep.tiff", gray("a.png"), "--depth", "16", "-o", tmp_path / "out").status == 0
    for name in ("deep.png", "a.png"):
        pixels = read_rgb(tmp_path / "out" / name)
        assert pixels.dtype == np.uint16
        assert len(np.unique(pixels)) > 300  # more than 8 bits hold
    refused = colorize(tmp_path / "a.png", "--depth", "16", "-o", tmp_path / "out.jpg")
    assert refused.status == 2
    assert "out.jpg" in refused.err
    assert colorize(tmp_path / "a.png", "--depth", "12").status == 2


def test_pages_stay_pages(colorize: Run, tmp_path: Path) -> None:
    pages = np.stack([noise(16, 24, seed) for seed in range(300)])
    tifffile.imwrite(tmp_path / "scan.tiff", pages, photometric="minisblack")
    done = colorize(tmp_path / "scan.tiff")
    assert done.status == 0
    assert "scan_rgb.tiff (300 frames" in done.err
    with tifffile.TiffFile(tmp_path / "scan_rgb.tiff") as written:
        assert len(written.pages) == 300
        assert written.pages[299].shape == (16, 24, 3)
        assert written.pages[0].asarray().std() > 1
    refused = colorize(tmp_path / "scan.tiff", "-o", tmp_path / "one.png")
    assert refused.status == 2
    assert refused.err.startswith(f"error: {tmp_path}/one.png: cannot hold the pages of {tmp_path}/scan.tiff")


def test_a_bad_page_is_named_and_nothing_is_half_written(colorize: Run, tmp_path: Path) -> None:
    pages = np.zeros((3, 16, 24), np.float32)
    pages[1, 3, 4] = np.nan
    tifffile.imwrite(tmp_path / "scan.tiff", pages, photometric="minisblack")
    done = colorize(tmp_path / "scan.tiff")
    assert done.status == 1
    assert f"error: {tmp_path}/scan.tiff page 2 of 3: 1 values are NaN" in done.err
    assert files(tmp_path) == ["scan.tiff"]


def test_a_wide_strip_and_a_single_pixel(colorize: Run, tmp_path: Path) -> None:
    (tmp_path / "strip.png").write_bytes(gray_png(3, 65500))
    (tmp_path / "dot.png").write_bytes(gray_png(1, 1))
    assert colorize(tmp_path / "strip.png", tmp_path / "dot.png").status == 0
    assert read_rgb(tmp_path / "strip_rgb.png").shape == (3, 65500, 3)
    assert read_rgb(tmp_path / "dot_rgb.png").shape == (1, 1, 3)


def test_raw_frames_flow_through_pipes(tmp_path: Path, tiny_onnx: Path) -> None:
    pictures = np.stack([picture(index) for index in range(5)])
    arguments = ("colorize", "-", "--raw", "64x48", "--no-steady", "--model", tiny_onnx)
    done = run_process(*arguments, "-o", "-", stdin=pictures.tobytes())
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) == 5 * 48 * 64 * 3
    done = run_process(*arguments, "--rate", "10", "-o", "out.mp4", stdin=pictures.tobytes(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert picture_times(tmp_path / "out.mp4") == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-6)
    torn = run_process(*arguments, "-o", "torn.mp4", stdin=pictures.tobytes()[:-7], cwd=tmp_path)
    assert torn.returncode == 1
    assert b"7 of 3072 bytes short" in torn.stderr
    assert len(picture_times(tmp_path / "torn.mp4")) == 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-", "--raw", "64"], "64: not a raw format"),
        (["-", "--raw", "64x48:rgb"], "unknown pixel format rgb"),
        (["-", "--raw", "64x48", "--rate", "0"], "rate '0': give frames in a second"),
        (["a.png", "--raw", "64x48"], "a.png: --raw is for frames on standard input"),
        (["-", "--raw", "64x48", "--watch"], "come alone"),
        (["-", "--raw", "64x48", "-o", "out.gif"], "out.gif: cannot write .gif"),
        (["a.png", "--duration", "3"], "--duration: is for live sources"),
        (["a.png", "--rate", "30"], "--rate: is for --raw"),
        (["camera:0", "--raw", "64x48", "-o", "x.mkv"], "--raw: is for frames on standard input"),
        (["camera:0", "--duration", "-1", "-o", "x.mkv"], "--duration -1: give a number of seconds above 0"),
        (["camera:0", "--codec", "ffv1", "-o", "udp://127.0.0.1:9"], "such streams cannot carry ffv1"),
        (["in", "--watch", "-o", "-"], "--watch: results of many files do not fit into standard output"),
        (["a.png", "--codec", "divx"], "divx"),
        (["in", "--watch", "--overwrite"], "--watch: keeps results that exist"),
        (["a.png", "--watch"], "--watch: needs a folder"),
    ],
)
def test_wrong_use_is_told(
    colorize: Run, gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    gray("a.png"), gray("in/b.png")
    done = colorize(*arguments)
    assert done.status == 2
    assert told in done.err
    assert files(tmp_path) == ["a.png", "in/b.png"]


def test_a_video_to_standard_output_is_raw_frames(tmp_path: Path, tiny_onnx: Path) -> None:
    make_video(tmp_path / "night.mp4", num_frames=3)
    done = run_process("colorize", "night.mp4", "-o", "-", "--model", tiny_onnx, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) == 3 * 48 * 64 * 3


def start(folder: Path, *arguments: str | Path) -> "subprocess.Popen[str]":
    """Run `ircolor ARGUMENTS` in the background."""
    command = [sys.executable, "-m", "ircolor", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path) -> None:
    end_s = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end_s, f"{path} never came"
        time.sleep(0.05)


def test_a_watched_folder_is_followed_until_ctrl_c(tmp_path: Path, tiny_onnx: Path, gray: Gray) -> None:
    gray("in/a.png")
    process = start(tmp_path, "colorize", "in", "--watch", "--model", tiny_onnx)
    try:
        wait_for(tmp_path / "in_rgb" / "a.png")
        gray("in/later/b.png")
        wait_for(tmp_path / "in_rgb" / "later" / "b.png")
    finally:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert "watching for files; Ctrl-C ends it" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_half_video(tmp_path: Path, tiny_onnx: Path, number: signal.Signals) -> None:
    make_video(tmp_path / "night.mkv", codec="ffv1", pixel_format="gray", num_frames=3000)
    process = start(tmp_path, "colorize", "night.mkv", "--model", tiny_onnx)
    end_s = time.monotonic() + 60
    while not [name for name in files(tmp_path) if name.endswith(".part")]:
        assert time.monotonic() < end_s
        time.sleep(0.02)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert files(tmp_path) == ["night.mkv"]
    assert "Traceback" not in told


def test_an_empty_watched_folder_is_no_failure(tmp_path: Path, tiny_onnx: Path, gray: Gray) -> None:
    (tmp_path / "in").mkdir()
    process = start(tmp_path, "colorize", "in", "--watch", "--model", tiny_onnx)
    try:
        gray("in/a.png")
        wait_for(tmp_path / "in_rgb" / "a.png")
    finally:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told


def test_ctrl_c_ends_a_pipe_that_sends_nothing_more(tmp_path: Path, tiny_onnx: Path) -> None:
    command = [sys.executable, "-m", "ircolor", "colorize", "-", "--raw", "64x48", "-o", "out.mp4"]
    process = subprocess.Popen(
        [*command, "--model", str(tiny_onnx)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    for index in range(8):  # more than wait to be worked on
        process.stdin.write(picture(index).tobytes())
    process.stdin.flush()
    end_s = time.monotonic() + 60
    while not files(tmp_path):
        assert time.monotonic() < end_s
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    process.stdin.close()
    assert process.stderr
    told = process.stderr.read().decode()
    process.stderr.close()
    assert "Traceback" not in told
    assert "Fatal" not in told
    assert files(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_output_is_told(tmp_path: Path, tiny_onnx: Path) -> None:
    make_video(tmp_path / "night.mp4", num_frames=3)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ircolor", "colorize", "night.mp4", "-o", "-", "--model", str(tiny_onnx)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode != 0
    assert b"standard output: cannot be written (No space left on device)" in done.stderr
    assert b"Traceback" not in done.stderr
