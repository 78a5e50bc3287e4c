"""`ircolor colorize --trust`, with a network whose expected error is 30 in white and 0 in black."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from ircolor.media.images import read_rgb
from ircolor.trust import error_picture
from tests.cli.conftest import Done, files, run_process
from tests.conftest import gray_png, noise
from tests.trust_models import RED, known_errors
from tests.videos import make_video

Run = Callable[..., Done]
COLOR = np.rint(np.array(RED) * 255)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return known_errors(tmp_path_factory.mktemp("known"))


@pytest.fixture
def trust(ircolor: Run, known: Path) -> Run:
    """`ircolor colorize` with that network."""
    return lambda *arguments: ircolor("colorize", "--model", known, "--threads", "1", *arguments)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    path = tmp_path / "night.png"
    path.write_bytes(gray_png(20, 30))
    return path


def map_of(infrared: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the network's map of an image is."""
    return error_picture(infrared.astype(np.float32) * np.float32(30 / 255))


def assert_is_map(picture: NDArray[np.uint8], infrared: NDArray[np.uint8], most: int = 1) -> None:
    assert np.abs(picture.astype(int) - map_of(infrared)).max() <= most * 12  # of neighbouring colours of the map


def test_a_map_goes_beside_the_input_and_says_what_it_is(trust: Run, night: Path, tmp_path: Path) -> None:
    done = trust(night, "--trust", "map")
    assert (done.status, files(tmp_path)) == (0, ["night.png", "night_trust.png"])
    assert_is_map(read_rgb(tmp_path / "night_trust.png"), noise(20, 30))
    assert (
        b"This picture is not the colours but a map of the error expected"
        in (tmp_path / "night_trust.png").read_bytes()
    )
    assert re.search(r"night_trust.png \(.*; expected error 14\.\d CIEDE2000 on the average\)", done.err)


def test_side_by_side_shows_infrared_colours_and_map(trust: Run, night: Path, tmp_path: Path) -> None:
    assert trust(night, "--trust", "map", "--side-by-side", "--depth", "16").status == 0
    picture = read_rgb(tmp_path / "night_trust.png")
    assert (picture.shape, picture.dtype) == ((20, 3 * 30 + 2 * 4, 3), np.dtype(np.uint16))
    eight = np.rint(picture / 257).astype(np.uint8)
    np.testing.assert_array_equal(eight[:, :30, 0], noise(20, 30))
    np.testing.assert_array_equal(eight[:, 34:64], np.broadcast_to(COLOR, (20, 30, 3)))
    assert_is_map(eight[:, 68:], noise(20, 30))


def test_fade_takes_colour_where_it_is_not_to_be_trusted(trust: Run, night: Path, tmp_path: Path) -> None:
    assert trust(night, "--trust", "fade").status == 0
    picture = read_rgb(tmp_path / "night_rgb.png").astype(int)
    expected_error = noise(20, 30) / 255 * 30
    assert (picture[expected_error < 10] == COLOR).all()
    assert np.ptp(picture[expected_error > 20], axis=1).max() == 0
    assert b"faded toward gray (strength 1)" in (tmp_path / "night_rgb.png").read_bytes()


def test_no_strength_leaves_the_colours(trust: Run, night: Path, tmp_path: Path) -> None:
    assert trust(night, "--trust", "fade", "--fade-strength", "0").status == 0
    np.testing.assert_array_equal(read_rgb(tmp_path / "night_rgb.png"), np.broadcast_to(COLOR, (20, 30, 3)))


def test_maps_and_colours_of_a_folder_lie_apart_and_are_resumed_apart(trust: Run, tmp_path: Path) -> None:
    for name in ("in/a.png", "in/sub/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(gray_png())
    assert trust(tmp_path / "in").status == 0
    assert trust(tmp_path / "in", "--trust", "map", "--resume").status == 0
    assert files(tmp_path / "in_trust") == files(tmp_path / "in_rgb") == ["a.png", "sub/b.png"]
    assert "skipped 2 files that are done" in trust(tmp_path / "in", "--trust", "map", "--resume").err


def test_neither_colours_nor_maps_become_sources(trust: Run, night: Path, tmp_path: Path) -> None:
    for arguments in ((), ("--trust", "map"), ("--overwrite",), ("--trust", "map", "--overwrite")):
        assert trust(f"{tmp_path}/*.png", *arguments).status == 0
    assert files(tmp_path) == [night.name, "night_rgb.png", "night_trust.png"]


def test_json_gives_the_mean_of_each_file_where_trust_is_on(trust: Run, night: Path, tmp_path: Path) -> None:
    video = make_video(tmp_path / "clip.mkv", codec="ffv1", pixel_format="gray", pictures=[noise(32, 48)])
    done = trust(night, video, "--trust", "fade", "--json", "-o", tmp_path / "out")
    errors = {Path(file["input"]).name: file["mean_expected_error"] for file in json.loads(done.out)["files"]}
    assert errors == {
        "night.png": pytest.approx(noise(20, 30).mean() / 255 * 30, abs=1e-3),
        "clip.mkv": pytest.approx(noise(32, 48).mean() / 255 * 30, abs=1e-3),
    }
    without = json.loads(trust(night, "--json", "-o", tmp_path / "plain").out)["files"]
    assert [file["mean_expected_error"] for file in without] == [None]


def test_pages_become_pages_of_maps(trust: Run, tmp_path: Path) -> None:
    pages = [noise(10, 12, seed) for seed in range(3)]
    tifffile.imwrite(tmp_path / "pages.tiff", np.stack(pages), photometric="minisblack")
    done = trust(tmp_path / "pages.tiff", "--trust", "map", "--json")
    written = tifffile.imread(tmp_path / "pages_trust.tiff")
    assert written.shape == (3, 10, 12, 3)
    for picture, infrared in zip(written, pages, strict=True):
        assert_is_map(picture, infrared)
    mean = json.loads(done.out)["files"][0]["mean_expected_error"]
    assert mean == pytest.approx(np.mean(pages) / 255 * 30, abs=1e-3)


def test_a_video_becomes_a_video_of_maps(trust: Run, tmp_path: Path) -> None:
    pictures = [noise(32, 48, seed) for seed in range(3)]
    make_video(tmp_path / "clip.mkv", codec="ffv1", pixel_format="gray", pictures=pictures)
    assert trust(tmp_path / "clip.mkv", "--trust", "map", "--codec", "ffv1", "--no-steady").status == 0
    with av.open(str(tmp_path / "clip_trust.mkv")) as written:
        assert "map of the error expected" in written.metadata["COMMENT"]
        for frame, infrared in zip(written.decode(video=0), pictures, strict=True):
            assert_is_map(frame.to_ndarray(format="rgb24").astype(np.uint8), infrared)


def test_raw_frames_and_standard_output_carry_maps(known: Path) -> None:
    infrared = noise(32, 48)
    raw = run_process(
        *("colorize", "-", "--model", known, "--raw", "48x32", "-o", "-", "--trust", "map", "--no-steady"),
        stdin=infrared.tobytes(),
    )
    assert_is_map(np.frombuffer(raw.stdout, np.uint8).reshape(32, 48, 3), infrared)
    assert re.search(rb"1 frames; .*; expected error \d+\.\d CIEDE2000 on the average\)", raw.stderr)


def test_one_image_on_standard_output_may_be_a_map(known: Path, tmp_path: Path) -> None:
    done = run_process("colorize", "-", "--model", known, "-o", "-", "--trust", "map", stdin=gray_png(6, 7))
    (tmp_path / "map.png").write_bytes(done.stdout)
    assert_is_map(read_rgb(tmp_path / "map.png"), noise(6, 7))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--trust", "mapp"], "error: --trust mapp: unknown; did you mean map? use map or fade"),
        (["--fade-strength", "0.5"], "error: --fade-strength: is for --trust fade; give that too, or leave it out"),
        (["--trust", "map", "--fade-strength", "0.5"], "error: --fade-strength: is for --trust fade"),
        (["--trust", "fade", "--fade-strength", "1.5"], "error: fade strength 1.5: give a number from 0"),
        (["--trust", "fade", "--fade-strength", "nan"], "error: fade strength nan: give a number from 0"),
    ],
)
def test_what_does_not_fit_is_told(trust: Run, night: Path, arguments: list[str], told: str) -> None:
    done = trust(night, *arguments)
    assert (done.status, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize("mode", ["map", "fade"])
def test_a_model_without_trust_is_told_before_anything_is_done(
    colorize: Run, night: Path, tmp_path: Path, mode: str
) -> None:
    done = colorize(night, "--trust", mode, *(("--fade-strength", "0") if mode == "fade" else ()))
    assert done.status == 2
    assert "tiny.onnx: does not tell how far its colours can be trusted; take a model with trust" in done.err
    assert files(tmp_path) == [night.name]
