import os
import struct
import threading
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.media.frames import Frame, Sound
from ircolor.media.video import VideoReader, open_video
from tests.videos import make_video, picture, sound_payloads

FFV1: dict[str, Any] = {"codec": "ffv1", "pixel_format": "gray"}


def read(path: Path) -> tuple[list[Frame], list[Sound], VideoReader]:
    with open_video(path) as reader:
        items = list(reader)
    frames = [item for item in items if isinstance(item, Frame)]
    return frames, [item for item in items if isinstance(item, Sound)], reader


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mov", "mjpeg", "yuvj420p"),
        ("a.mkv", "ffv1", "gray"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("b.avi", "libx264", "yuv420p"),
        ("a.ts", "mpeg2video", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.wmv", "wmv2", "yuv420p"),
        ("a.flv", "flv", "yuv420p"),
        ("a.gif", "gif", "gray"),
        ("a.h264", "libx264", "yuv420p"),
        ("leading - dash, blank and 🌙.mkv", "ffv1", "gray"),
    ],
)
def test_videos_of_any_container_are_read(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    frames, _, reader = read(make_video(tmp_path / name, codec=codec, pixel_format=pixel_format, num_frames=40))
    assert (len(frames), reader.height, reader.width, reader.bits) == (40, 48, 64, 8)
    assert (reader.damage, reader.notes) == (None, ())
    for index, frame in enumerate(frames):
        assert np.abs(frame.pixels.astype(int) - picture(index)).mean() < 8
    assert all(
        b.pts - a.pts == round(Fraction(1, 25) / reader.time_base)
        for a, b in pairwise(frames)
        if a.pts is not None and b.pts is not None
    )


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_depth_is_kept(tmp_path: Path, bits: int) -> None:
    stored = [picture(index, bits=bits) for index in range(3)]
    video = make_video(
        tmp_path / "deep.mkv",
        codec="ffv1",
        pixel_format=f"gray{bits}le",
        pictures=stored,
    )
    frames, _, reader = read(video)
    assert reader.bits == bits
    for frame, pixels in zip(frames, stored, strict=True):
        np.testing.assert_array_equal(frame.pixels, pixels)


def test_uneven_time_stamps_are_kept(tmp_path: Path) -> None:
    pts = [100, 133, 500, 501, 2000]
    video = make_video(tmp_path / "vfr.mkv", num_frames=5, pts=pts, time_base=Fraction(1, 1000), **FFV1)
    frames, _, reader = read(video)
    assert [frame.pts for frame in frames] == pts
    assert reader.time_base == Fraction(1, 1000)
    assert reader.notes == ()


def test_frames_that_avi_stores_out_of_order_are_shown_from_its_beginning(tmp_path: Path) -> None:
    video = make_video(tmp_path / "reordered.avi", num_frames=40, options={"bf": "2"})
    assert [frame.pts for frame in read(video)[0]] == list(range(40))


def test_what_the_video_declares_is_told_before_reading(tmp_path: Path) -> None:
    with open_video(make_video(tmp_path / "a.mp4", num_frames=50)) as reader:
        assert reader.rate == 25
        assert reader.num_frames == 50
        assert reader.duration_s == pytest.approx(2)


def test_sound_is_delivered_as_stored_between_the_frames(tmp_path: Path) -> None:
    video = make_video(tmp_path / "loud.mkv", num_frames=50, sound="libmp3lame", sound_start_s=0.5)
    frames, sounds, reader = read(video)
    stored = sound_payloads(video)
    assert len(frames) == 50
    assert len(reader.sounds) == 1
    assert [bytes(sound.packet) for sound in sounds] == [payload for _, payload in stored]
    assert float((sounds[0].packet.pts or 0) * sounds[0].packet.time_base) == pytest.approx(stored[0][0])


def test_sound_of_an_unknown_codec_is_left_out_and_said_so(tmp_path: Path) -> None:
    video = make_video(tmp_path / "loud.mkv", sound="libmp3lame", **FFV1)
    video.write_bytes(video.read_bytes().replace(b"A_MPEG/L3", b"A_MPEG/L9"))
    frames, sounds, reader = read(video)
    assert (len(frames), sounds, reader.sounds) == (10, [], ())
    assert reader.notes == ("sound of an unknown codec was left out",)


def test_a_video_can_come_through_a_pipe(tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.mkv", **FFV1)
    pipe = tmp_path / "pipe.mkv"
    os.mkfifo(pipe)
    sender = threading.Thread(target=lambda: pipe.write_bytes(video.read_bytes()))
    sender.start()
    frames, _, reader = read(pipe)
    sender.join()
    assert (len(frames), reader.damage) == (10, None)


@pytest.mark.parametrize("rotation_deg", [90, 180, 270])
def test_frames_are_turned_upright(tmp_path: Path, rotation_deg: int) -> None:
    upright = np.zeros((64, 96), np.uint8)
    upright[:16] = 200  # a bright sky
    stored = np.rot90(upright, -rotation_deg // 90)
    video = make_video(tmp_path / "turned.mp4", pictures=[np.ascontiguousarray(stored)] * 2, rotation_deg=rotation_deg)
    frames, _, reader = read(video)
    assert (reader.height, reader.width) == (64, 96)
    assert np.abs(frames[0].pixels.astype(int) - upright).mean() < 4


def test_a_changing_frame_size_is_scaled_to_the_first(tmp_path: Path) -> None:
    large = make_video(tmp_path / "large.h264", num_frames=3)
    small = make_video(tmp_path / "small.h264", pictures=[picture(0, 32, 48)] * 3)
    both = tmp_path / "both.h264"
    both.write_bytes(large.read_bytes() + small.read_bytes())
    frames, _, reader = read(both)
    assert [frame.pixels.shape for frame in frames] == [(48, 64)] * 6
    (note,) = [note for note in reader.notes if "frame size" in note]
    assert note == "the frame size changes from 64x48 to 48x32 at 0.1 s; scaled to the first size"


def test_recordings_put_end_to_end_go_on_in_time(tmp_path: Path) -> None:
    one = make_video(tmp_path / "one.ts", num_frames=75, sound="libmp3lame")
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() * 2)
    frames, sounds, reader = read(both)
    stamps = [frame.pts for frame in frames if frame.pts is not None]
    assert len(stamps) >= 148
    assert all(a < b for a, b in pairwise(stamps))
    assert (frames[-1].time_s or 0) - (frames[0].time_s or 0) == pytest.approx(6, abs=0.2)
    sound_stamps = [sound.packet.pts or 0 for sound in sounds]
    assert all(a < b for a, b in pairwise(sound_stamps))
    assert "time stamps that did not increase were repaired" in reader.notes


def test_sound_stays_in_step_with_the_picture_where_recordings_are_put_end_to_end(tmp_path: Path) -> None:
    one = make_video(tmp_path / "one.ts", num_frames=75, sound="mp2", sound_length_s=1.5)
    two = make_video(tmp_path / "two.ts", num_frames=50, sound="mp2")
    both = tmp_path / "both.ts"
    both.write_bytes((one.read_bytes() + two.read_bytes()) * 2)
    frames, sounds, _ = read(both)
    times_s = [frame.time_s or 0 for frame in frames]
    sound_s = [float((sound.packet.pts or 0) * sound.packet.time_base) for sound in sounds]
    begin_s = times_s[0]
    for joint_s in (3, 5, 8):
        (gap,) = [after for before, after in pairwise(sound_s) if before < begin_s + joint_s - 0.1 <= after]
        assert gap == pytest.approx(begin_s + joint_s, abs=0.1)
        assert min(abs(time_s - begin_s - joint_s) for time_s in times_s) < 0.06
    assert times_s[-1] - begin_s == pytest.approx(10, abs=0.2)


def test_a_last_frame_that_is_held_is_no_damage(tmp_path: Path) -> None:
    video = tmp_path / "held.mkv"
    with av.open(str(make_video(tmp_path / "even.mkv", num_frames=20))) as source, av.open(str(video), "w") as held:
        stream = held.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        packets[-1].duration = 2000
        for packet in packets:
            packet.stream = stream
            held.mux(packet)
    _, _, reader = read(video)
    assert reader.duration_s is not None
    assert reader.duration_s > 2
    assert reader.damage is None


def test_text_that_outlasts_the_picture_is_no_damage(tmp_path: Path) -> None:
    video = tmp_path / "text.mkv"
    plain = make_video(tmp_path / "plain.mkv", num_frames=25)
    (tmp_path / "place.srt").write_text("1\n00:00:00,000 --> 00:00:05,000\n52.1 N 4.3 E\n")
    with (
        av.open(str(plain)) as source,
        av.open(str(tmp_path / "place.srt")) as text,
        av.open(str(video), "w") as output,
    ):
        streams = [
            output.add_stream_from_template(each) for each in (source.streams.video[0], text.streams.subtitles[0])
        ]
        for container, stream in zip((source, text), streams, strict=True):
            for packet in container.demux():
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    _, _, reader = read(video)
    assert reader.duration_s == pytest.approx(5, abs=0.1)
    assert reader.damage is None


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((-1, 0, 0, 1, 64, 0), np.s_[:, ::-1]),
        ((1, 0, 0, -1, 0, 48), np.s_[::-1]),
        ((-1, 0, 0, -1, 64, 48), np.s_[::-1, ::-1]),
    ],
)
def test_mirrored_videos_are_shown_as_players_show_them(
    tmp_path: Path, matrix: tuple[int, ...], expected: tuple[slice, ...]
) -> None:
    video = make_video(tmp_path / "front.mp4", num_frames=1)
    plain = read(video)[0][0].pixels
    a, b, c, d, x, y = matrix
    shares = (a << 16, b << 16, 0, c << 16, d << 16, 0, x << 16, y << 16, 1 << 30)
    unity = struct.pack(">9i", *(v << 16 for v in (1, 0, 0, 0, 1, 0, 0, 0)), 1 << 30)
    data = video.read_bytes()
    track = data.index(b"tkhd")
    place = data.index(unity, track)
    video.write_bytes(data[:place] + struct.pack(">9i", *shares) + data[place + len(unity) :])
    np.testing.assert_array_equal(read(video)[0][0].pixels, plain[expected])


def test_a_colour_video_is_reduced_to_its_luma_and_said_so(tmp_path: Path) -> None:
    colour = np.zeros((48, 64, 3), np.uint8)
    colour[:, :32] = 220, 40, 40
    colour[:, 32:] = 40, 40, 220
    video = make_video(tmp_path / "colour.mp4", pictures=[colour] * 3)
    frames, _, reader = read(video)
    assert reader.notes == ("it is a colour video; its luma was taken as the infrared image",)
    expected = 0.299 * 220 + 0.587 * 40 + 0.114 * 40
    assert frames[0].pixels[24, 8] == pytest.approx(expected, abs=4)


def test_a_coloured_clock_in_the_corner_does_not_make_a_colour_video(tmp_path: Path) -> None:
    rgb = np.repeat(picture(0, 96, 128)[..., None], 3, axis=2).astype(np.uint8)
    rgb[:4, :6] = 255, 255, 0
    assert read(make_video(tmp_path / "clock.mp4", pictures=[rgb] * 2))[2].notes == ()


def test_a_video_cut_off_is_read_up_to_the_damage(tmp_path: Path) -> None:
    video = make_video(tmp_path / "cut.mkv", num_frames=100, **FFV1)
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 4 // 10])
    frames, _, reader = read(video)
    assert 30 < len(frames) < 45
    assert reader.damage == f"damaged after {len(frames) / 25:.1f} s of 4.0 s"


def test_an_mp4_cut_off_behind_its_index_is_read_up_to_the_damage(tmp_path: Path) -> None:
    video = make_video(tmp_path / "cut.mp4", num_frames=100, sound="aac", container_options={"movflags": "faststart"})
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    frames, _, reader = read(video)
    assert 10 < len(frames) < 95
    np.testing.assert_allclose(frames[5].pixels.astype(int), picture(5), atol=60)
    assert reader.damage is not None
    assert reader.damage.startswith("damaged after")
    assert reader.damage.endswith(" of 4.0 s")


def overwrite_frame(video: Path, *indices: int) -> None:
    """Fill the picture's packets of these indices with zeros."""
    with av.open(str(video)) as source:
        packets = [(packet.pos, packet.size) for packet in source.demux(video=0) if packet.size]
    data = bytearray(video.read_bytes())
    for index in indices:
        pos, size = packets[index]
        assert pos is not None
        data[pos : pos + size] = bytes(size)
    video.write_bytes(bytes(data))


def test_single_damaged_frames_are_left_out_and_counted(tmp_path: Path) -> None:
    video = make_video(tmp_path / "hurt.avi", num_frames=30, codec="mjpeg", pixel_format="yuvj420p")
    overwrite_frame(video, 7)
    frames, _, reader = read(video)
    assert [frame.pts for frame in frames] == [index for index in range(30) if index != 7]
    assert reader.damage == "1 damaged frame was left out"
    overwrite_frame(video, 8, 29)
    assert read(video)[2].damage == "3 damaged frames were left out"


def test_a_video_of_damaged_frames_only_is_refused(tmp_path: Path) -> None:
    video = make_video(tmp_path / "hurt.avi", num_frames=5, codec="mjpeg", pixel_format="yuvj420p")
    overwrite_frame(video, 0, 1, 2, 3, 4)
    with pytest.raises(UserError, match=r"hurt\.avi: none of its frames can be decoded; "):
        open_video(video)
