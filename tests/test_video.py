import io
import sys
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from ircolor.atomic import PART_SUFFIX
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.media.raw_video import RawFormat
from ircolor.plan import Settings
from ircolor.video import colorize_raw, colorize_video
from tests.videos import make_video, picture, picture_times, sound_payloads

PLAIN = Settings(steady=False)


@pytest.fixture(scope="module")
def colorizer(tiny_onnx: Path) -> Colorizer:
    return Colorizer(tiny_onnx, threads=2, lanes=2)


def test_pictures_times_and_sound_arrive(colorizer: Colorizer, tmp_path: Path) -> None:
    pts = [0, 40, 90, 100, 333, 340, 700]
    pictures = [picture(index) for index in range(len(pts))]
    video = make_video(
        tmp_path / "night.mp4", pictures=pictures, pts=pts, time_base=Fraction(1, 1000), sound="aac", rate=10
    )
    shown = []
    result = colorize_video(
        colorizer, video, tmp_path / "out.mp4", PLAIN, lambda done, total: shown.append((done, total))
    )
    assert (result.num_frames, result.damage) == (7, None)
    assert shown == [(number, 7) for number in range(1, 8)]
    assert picture_times(tmp_path / "out.mp4") == pytest.approx(picture_times(video), abs=1e-6)
    assert [payload for _, payload in sound_payloads(tmp_path / "out.mp4")] == [
        payload for _, payload in sound_payloads(video)
    ]
    with av.open(str(tmp_path / "out.mp4")) as written:
        assert written.metadata["comment"].startswith("Colours predicted from an infrared image by tiny 1.0")


def test_lossless_colours_are_those_of_images(colorizer: Colorizer, tmp_path: Path) -> None:
    pictures = [picture(index) for index in range(3)]
    video = make_video(tmp_path / "night.mkv", codec="ffv1", pixel_format="gray", pictures=pictures)
    settings = Settings(codec="ffv1", steady=False)
    colorize_video(colorizer, video, tmp_path / "out.mkv", settings)
    with av.open(str(tmp_path / "out.mkv")) as written:
        for frame, infrared in zip(written.decode(video=0), pictures, strict=True):
            np.testing.assert_array_equal(frame.to_ndarray(format="rgb24"), colorizer(infrared))


def test_side_by_side_shows_the_infrared_frame(colorizer: Colorizer, tmp_path: Path) -> None:
    video = make_video(tmp_path / "night.mkv", codec="ffv1", pixel_format="gray", num_frames=1)
    colorize_video(colorizer, video, tmp_path / "out.mkv", Settings(codec="ffv1", compare=True))
    with av.open(str(tmp_path / "out.mkv")) as written:
        (shown,) = (frame.to_ndarray(format="rgb24") for frame in written.decode(video=0))
    np.testing.assert_array_equal(shown[:, :64, 0], picture(0))


@pytest.mark.parametrize(("rotation_deg", "aspect"), [(0, Fraction(4, 3)), (90, Fraction(3, 4))])
def test_pixels_that_are_not_square_keep_their_shape(
    colorizer: Colorizer, tmp_path: Path, rotation_deg: int, aspect: Fraction
) -> None:
    video = make_video(tmp_path / "night.mp4", pixel_aspect=Fraction(4, 3), rotation_deg=rotation_deg, num_frames=2)
    colorize_video(colorizer, video, tmp_path / "out.mp4", PLAIN)
    with av.open(str(tmp_path / "out.mp4")) as written:
        assert written.streams.video[0].sample_aspect_ratio == aspect


def test_a_cut_off_video_is_colorized_up_to_there(colorizer: Colorizer, tmp_path: Path) -> None:
    video = make_video(tmp_path / "night.mkv", codec="ffv1", pixel_format="gray", num_frames=50)
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])
    result = colorize_video(colorizer, video, tmp_path / "out.mkv", PLAIN)
    assert 5 < result.num_frames < 40
    assert result.damage
    assert len(picture_times(tmp_path / "out.mkv")) == result.num_frames


def test_what_fails_leaves_no_output(colorizer: Colorizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_video(tmp_path / "night.mp4", num_frames=6)
    calls = []

    def run(self: Colorizer, infrared: object) -> None:
        calls.append(infrared)
        if len(calls) > 3:
            raise UserError("not enough memory")
        return really_run(self, infrared)  # type: ignore[arg-type,return-value]

    really_run = Colorizer.run
    monkeypatch.setattr(Colorizer, "run", run)
    with pytest.raises(UserError, match="not enough memory"):
        colorize_video(colorizer, video, tmp_path / "out.mp4", PLAIN)
    assert [path.name for path in tmp_path.iterdir()] == ["night.mp4"]


def test_a_full_disk_is_told(colorizer: Colorizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_video(tmp_path / "night.mp4", num_frames=30)
    really_open = Path.open

    class Full(io.FileIO):
        def write(self, data: object) -> int:
            if self.tell() > 2000:
                raise OSError(28, "No space left on device")
            return super().write(data)  # type: ignore[arg-type]

    def opened(self: Path, mode: str = "r", *more: object, **named: object) -> object:
        if self.suffix == PART_SUFFIX:
            return Full(self, "xb")
        return really_open(self, mode, *more, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", opened)
    settings = Settings(codec="ffv1", steady=False)
    with pytest.raises(UserError, match=r"out.mkv: cannot be written \(No space left on device\)"):
        colorize_video(colorizer, video, tmp_path / "out.mkv", settings)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["night.mp4"]


def standard_streams(monkeypatch: pytest.MonkeyPatch, given: bytes) -> io.BytesIO:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=written))
    return written


@pytest.mark.parametrize("depth_bits", [8, 16])
def test_raw_frames_in_raw_frames_out(colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch, depth_bits: int) -> None:
    pictures = np.stack([picture(index) for index in range(4)])
    written = standard_streams(monkeypatch, pictures.tobytes())
    settings = Settings(depth_bits=depth_bits, steady=False)
    result = colorize_raw(colorizer, RawFormat(48, 64), Fraction(25), None, settings)
    assert result.num_frames == 4
    frames = np.frombuffer(written.getvalue(), np.uint8 if depth_bits == 8 else "<u2").reshape(4, 48, 64, 3)
    for frame, infrared in zip(frames, pictures, strict=True):
        wanted = colorizer.colorize_detailed(infrared, depth_bits=depth_bits).rgb
        np.testing.assert_array_equal(frame, wanted)


def test_raw_frames_become_a_video_and_a_torn_one_is_told(
    colorizer: Colorizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = np.stack([picture(index) for index in range(4)])
    standard_streams(monkeypatch, pictures.tobytes()[:-10])
    result = colorize_raw(colorizer, RawFormat(48, 64), Fraction(10), tmp_path / "out.mp4", PLAIN)
    assert result.num_frames == 3
    assert "10 of 3072 bytes short" in str(result.damage)
    assert picture_times(tmp_path / "out.mp4") == pytest.approx([0, 0.1, 0.2], abs=1e-6)


def test_no_raw_frames_is_an_error(colorizer: Colorizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    standard_streams(monkeypatch, b"")
    with pytest.raises(UserError, match="standard input: no frames came"):
        colorize_raw(colorizer, RawFormat(48, 64), Fraction(10), tmp_path / "out.mp4", PLAIN)
    assert not list(tmp_path.iterdir())
