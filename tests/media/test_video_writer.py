import io
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from ircolor.atomic import open_atomic
from ircolor.media.frames import Frame
from ircolor.media.video import open_video
from ircolor.media.video_codecs import CODECS
from ircolor.media.video_writer import (
    WRITABLE_VIDEO_SUFFIXES,
    VideoWriter,
    check_video_output,
    default_video_suffix,
)
from tests.videos import make_video, picture_times, sound_payloads

MS = Fraction(1, 1000)
LIMITED, BT709 = 1, 1  # FFmpeg's numbers
SETTINGS: dict[str, Any] = {"height": 48, "width": 64, "time_base": Fraction(1, 25), "rate": Fraction(25)}


def colours(index: int = 0, height: int = 48, width: int = 64, bits: int = 8) -> NDArray[np.uint8 | np.uint16]:
    """Smooth strong colours that wander with the index, (H, W, 3)."""
    x = np.linspace(0, 0.5, width)[None, :, None] + index / 50
    y = np.linspace(0, 0.5, height)[:, None, None]
    rgb = 0.5 + 0.45 * np.cos(2 * np.pi * (x + y / 2 + np.array([0, 1 / 3, 2 / 3])))
    scaled: NDArray[np.uint8 | np.uint16] = (
        (rgb * ((1 << bits) - 1)).round().astype(np.uint8 if bits == 8 else np.uint16)
    )
    return scaled


def write(path: Path, pts: Sequence[int] = tuple(range(10)), **settings: Any) -> VideoWriter:
    settings = SETTINGS | {"format": WRITABLE_VIDEO_SUFFIXES[path.suffix]} | settings
    with open_atomic(path) as file, VideoWriter(file, name=str(path), **settings) as writer:
        bits = 16 if settings.get("bits", 8) > 8 else 8
        for index, stamp in enumerate(pts):
            writer.write(colours(index, settings["height"], settings["width"], bits), stamp)
    return writer


def pictures(path: Path, layout: str = "rgb24") -> list[NDArray[Any]]:
    with av.open(str(path)) as source:
        return [np.asarray(frame.to_ndarray(format=layout)) for frame in source.decode(video=0)]


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_colours_come_back_as_written(tmp_path: Path, codec: str) -> None:
    write(tmp_path / "a.mp4", codec=codec)
    decoded = pictures(tmp_path / "a.mp4")
    assert len(decoded) == 10
    for index, rgb in enumerate(decoded):
        assert np.abs(rgb.astype(int) - colours(index)).mean() < 4
    with av.open(str(tmp_path / "a.mp4")) as source:
        context = source.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (BT709, BT709, BT709)
        assert context.color_range == LIMITED
        assert context.pix_fmt == "yuv420p"
        assert context.codec.canonical_name == codec
        assert context.codec_tag == {"h264": "avc1", "hevc": "hvc1", "av1": "av01"}[codec]


def test_black_white_and_the_primaries_are_stored_in_bt709() -> None:
    flat = np.zeros((48, 64, 3), np.uint8)
    target = io.BytesIO()
    with VideoWriter(target, name="a.mkv", format="matroska", **SETTINGS) as writer:
        for index, rgb in enumerate([(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)]):
            flat[:] = rgb
            writer.write(flat, index)
    target.seek(0)
    with av.open(target, "r") as source:
        stored = [[np.asarray(plane)[8] for plane in frame.planes] for frame in source.decode(video=0)]
    # Rec. ITU-R BT.709, 8 bits: Y = 16 + 219 (0.2126 R + 0.7152 G + 0.0722 B), and so on.
    expected = [(16, 128, 128), (235, 128, 128), (63, 102, 240), (173, 42, 26), (32, 240, 118)]
    np.testing.assert_allclose(np.array(stored, int), expected, atol=2)


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_deep_frames_keep_ten_bits(tmp_path: Path, codec: str) -> None:
    write(tmp_path / "a.mkv", codec=codec, bits=10)
    assert av.open(str(tmp_path / "a.mkv")).streams.video[0].codec_context.pix_fmt == "yuv420p10le"
    decoded = pictures(tmp_path / "a.mkv", "rgb48le")
    assert np.abs(decoded[5].astype(int) - colours(5, bits=16)).mean() < 3 * 257


@pytest.mark.parametrize(("bits", "layout"), [(8, "rgb24"), (16, "rgb48le")])
def test_ffv1_loses_nothing(tmp_path: Path, bits: int, layout: str) -> None:
    write(tmp_path / "a.mkv", codec="ffv1", bits=bits, height=47, width=63)
    for index, rgb in enumerate(pictures(tmp_path / "a.mkv", layout)):
        np.testing.assert_array_equal(rgb, colours(index, 47, 63, bits))


@pytest.mark.parametrize("suffix", WRITABLE_VIDEO_SUFFIXES)
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_uneven_time_stamps_come_back(tmp_path: Path, suffix: str, codec: str) -> None:
    stamps = [0, 33, 34, 500, 517, 2000, 2040, 2080]
    path = tmp_path / f"a{suffix}"
    write(path, stamps, time_base=MS, codec=codec)
    times = picture_times(path)
    shift = times[0] if suffix == ".ts" else 0  # MPEG-TS begins later, sound and picture alike
    np.testing.assert_allclose(np.array(times) - shift, np.array(stamps) / 1000, atol=2e-5)


@pytest.mark.parametrize("time_base", [Fraction(1001, 30000), Fraction(1, 90000), Fraction(1, 10**7), Fraction(1, 24)])
def test_mp4_keeps_time_stamps_of_any_time_base_exactly(tmp_path: Path, time_base: Fraction) -> None:
    step = max(2, round(Fraction(1, 20) / time_base))
    stamps = [step * index + index % 2 for index in range(8)]
    write(tmp_path / "a.mp4", stamps, time_base=time_base, rate=Fraction(20))
    with open_video(tmp_path / "a.mp4") as reader:
        times = [item.pts * item.time_base for item in reader if isinstance(item, Frame) and item.pts is not None]
    assert times == [stamp * time_base for stamp in stamps]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rate", [Fraction(1, 60), Fraction(1000), Fraction(24000, 1001)])
def test_slow_and_fast_videos_keep_their_time_stamps(tmp_path: Path, codec: str, rate: Fraction) -> None:
    write(tmp_path / "a.mkv", range(5), rate=rate, time_base=1 / rate, codec=codec)
    np.testing.assert_allclose(
        picture_times(tmp_path / "a.mkv"), [index / float(rate) for index in range(5)], atol=6e-4
    )


def test_matroska_keeps_the_steps_of_a_video_that_begins_before_zero(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", [-3, -2, 0, 4])
    np.testing.assert_allclose(np.diff(picture_times(tmp_path / "a.mkv")), [0.04, 0.08, 0.16], atol=1e-6)


@pytest.mark.parametrize("codec", CODECS)
def test_odd_sizes_are_padded_where_chroma_is_shared(tmp_path: Path, codec: str) -> None:
    writer = write(tmp_path / "a.mkv", codec=codec, height=47, width=65)
    decoded = pictures(tmp_path / "a.mkv")[0]
    if codec == "ffv1":
        assert (decoded.shape, writer.notes) == ((47, 65, 3), ())
        return
    assert decoded.shape == (48, 66, 3)
    assert writer.notes == (f"{codec} takes even sizes only: the last row or column was repeated, to 66x48",)
    np.testing.assert_allclose(decoded[47, :65].astype(int), colours(0, 47, 65)[46], atol=24)
    np.testing.assert_allclose(decoded[:47, 65].astype(int), colours(0, 47, 65)[:, 64], atol=24)


@pytest.mark.parametrize(
    ("source", "sound", "suffix"),
    [
        (".mp4", "aac", ".mp4"),
        (".mp4", "aac", ".mov"),
        (".mp4", "aac", ".mkv"),
        (".mkv", "libmp3lame", ".ts"),
        (".mkv", "libopus", ".mp4"),
        (".mkv", "flac", ".mkv"),
        (".avi", "pcm_s16le", ".mov"),
        (".ts", "mp2", ".mkv"),
    ],
)
def test_sound_is_copied_untouched_and_in_step(tmp_path: Path, source: str, sound: str, suffix: str) -> None:
    codec = "mpeg4" if source == ".avi" else "libx264"
    video = make_video(tmp_path / f"loud{source}", codec=codec, num_frames=50, sound=sound, sound_start_s=0.4)
    result = tmp_path / f"result{suffix}"
    copy_with_sound(video, result)
    before, after = sound_payloads(video), sound_payloads(result)
    assert [payload for _, payload in after] == [payload for _, payload in before]
    lag_before, lag_after = before[0][0] - picture_times(video)[0], after[0][0] - picture_times(result)[0]
    assert lag_after == pytest.approx(lag_before, abs=2e-3)
    assert len(picture_times(result)) == 50


def copy_with_sound(video: Path, result: Path) -> None:
    with open_video(video) as reader, open_atomic(result) as file:
        settings: dict[str, Any] = {"height": reader.height, "width": reader.width, "rate": reader.rate}
        settings |= {"time_base": reader.time_base, "sounds": reader.sounds}
        check_video_output(result, "h264", reader.sounds)
        with VideoWriter(file, name="x", format=WRITABLE_VIDEO_SUFFIXES[result.suffix], **settings) as writer:
            for item in reader:
                if isinstance(item, Frame):
                    assert item.pts is not None
                    writer.write(np.repeat(item.pixels[..., None], 3, axis=2), item.pts)
                else:
                    writer.copy(item)


def test_adts_sound_of_ts_becomes_plain_aac_in_mp4(tmp_path: Path) -> None:
    video = make_video(tmp_path / "loud.ts", num_frames=50, sound="aac")
    copy_with_sound(video, tmp_path / "result.mp4")
    before, after = sound_payloads(video), sound_payloads(tmp_path / "result.mp4")
    assert [payload for _, payload in after] == [payload[7:] for _, payload in before]  # a header of 7 bytes each


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv"])
def test_the_comment_is_kept(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a{suffix}", comment="Colours are predicted, not seen.")
    with av.open(str(tmp_path / f"a{suffix}")) as source:
        metadata = {key.lower(): text for key, text in source.metadata.items()}
    assert metadata["comment"] == "Colours are predicted, not seen."


@pytest.mark.parametrize("suffix", WRITABLE_VIDEO_SUFFIXES)
def test_a_live_video_can_be_read_while_it_grows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"live{suffix}"
    with path.open("wb") as file:
        writer = VideoWriter(file, name="live", format=WRITABLE_VIDEO_SUFFIXES[suffix], live=True, **SETTINGS)
        for index in range(100):
            writer.write(colours(index), index)
        assert len(picture_times(path)) >= 70
        writer.close()
    times = picture_times(path)
    assert len(times) == 100
    assert all(b - a == pytest.approx(0.04, abs=1e-3) for a, b in pairwise(times))


def test_a_live_encoder_holds_nothing_back(tmp_path: Path) -> None:
    path = tmp_path / "live.ts"
    with path.open("wb") as file, VideoWriter(file, name="live", format="mpegts", live=True, **SETTINGS) as writer:
        sizes = [0]
        for index in range(10):
            writer.write(colours(index), index)
            sizes.append(path.stat().st_size)
    assert all(a < b for a, b in pairwise(sizes))


def test_the_suffix_of_the_input_is_kept_where_it_can_be_written() -> None:
    assert default_video_suffix(Path("a/NIGHT.MOV"), "h264") == ".mov"
    assert default_video_suffix(Path("night.mp4"), "ffv1") == ".mkv"
    assert default_video_suffix(Path("night.avi"), "h264") == ".mkv"
    assert default_video_suffix(Path("night"), "h264") == ".mkv"


@pytest.mark.slow
@pytest.mark.parametrize(("codec", "suffix"), [("h264", ".mp4"), ("ffv1", ".mkv")])
def test_memory_does_not_grow_with_the_length_of_a_video(tmp_path: Path, codec: str, suffix: str) -> None:
    video = make_video(tmp_path / "long.mkv", codec="mpeg4", num_frames=3000, sound="libmp3lame")
    sizes_bytes = []
    with open_video(video) as reader, (tmp_path / "result").open("wb") as file:
        settings: dict[str, Any] = SETTINGS | {"time_base": reader.time_base, "sounds": reader.sounds, "codec": codec}
        with VideoWriter(file, name="x", format=WRITABLE_VIDEO_SUFFIXES[suffix], **settings) as writer:
            for item in reader:
                if isinstance(item, Frame):
                    assert item.pts is not None
                    writer.write(np.repeat(item.pixels[..., None], 3, axis=2), item.pts)
                    sizes_bytes.append(psutil.Process().memory_info().rss)
                else:
                    writer.copy(item)
    assert max(sizes_bytes[1000:]) - max(sizes_bytes[:1000]) < 2 << 20  # 1 MB per 1000 frames
