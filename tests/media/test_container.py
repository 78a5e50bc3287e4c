import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from ircolor.errors import UserError
from ircolor.media.frames import Frame
from ircolor.media.video import open_video
from tests.videos import make_video, picture, sound_payloads

FFV1: dict[str, Any] = {"codec": "ffv1", "pixel_format": "gray"}


def audio_only(path: Path) -> None:
    video = make_video(path.with_name("video.mkv"), sound="libmp3lame", **FFV1)
    path.write_bytes(b"".join(payload for _, payload in sound_payloads(video)))


def without_frames(path: Path) -> None:
    make_video(path, num_frames=0)


def matroska_without_frames(path: Path) -> None:
    make_video(path, num_frames=0, container="matroska", codec="ffv1", pixel_format="gray")


def without_index(path: Path) -> None:
    video = make_video(path)
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 3 // 4])


def unknown_codec(path: Path) -> None:
    video = make_video(path.with_suffix(".mkv"))
    path.write_bytes(video.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/XYZ"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (Path.exists, "cannot be read (No such file or directory); check the path and its permissions"),
        (Path.mkdir, "cannot be read (Is a directory); check the path and its permissions"),
        (Path.touch, "the file is empty; copy it again from its source"),
        (lambda path: path.write_bytes(b"\0" * 5000), "not a video, or damaged at its beginning ("),
        (lambda path: path.write_text("Dear diary, " * 500), "not a video, or damaged at its beginning ("),
        (audio_only, "has no picture, only sound; give a video file"),
        (without_frames, "has no frames; give a video with at least one"),
        (matroska_without_frames, "has no frames; give a video with at least one"),
        (without_index, "an MP4 file whose index (moov) is missing or damaged: the recording was cut off; copy it"),
        (unknown_codec, "its codec is unknown to this FFmpeg; convert it to H.264 first"),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    path = tmp_path / "night.mp4"
    spoil(path)
    with pytest.raises(UserError) as caught:
        open_video(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_absurd_sizes_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_video(tmp_path / "large.mkv", **FFV1)
    monkeypatch.setattr("ircolor.media.container.MAX_PIXELS", 48 * 64 - 1)
    with pytest.raises(UserError, match=r"large\.mkv: frames of 64x48 are larger than 3071 pixels; scale it down"):
        open_video(video)


@pytest.mark.parametrize(("suffix", "codec"), [(".avi", "ffv1"), (".mov", "rawvideo")])
def test_headers_that_claim_absurd_sizes_are_refused(tmp_path: Path, suffix: str, codec: str) -> None:
    video = make_video(tmp_path / f"large{suffix}", codec=codec, pixel_format="gray")
    with av.open(str(video)) as source:
        tag = source.streams.video[0].codec_context.codec_tag.encode()
    data = bytearray(video.read_bytes())
    if suffix == ".avi":
        size, claim = data.index(b"strf") + 12, struct.pack("<ii", 65535, 65535)
        assert data[size : size + 8] == struct.pack("<ii", 64, 48)
    else:
        size, claim = data.rindex(tag) + 28, struct.pack(">HH", 65535, 65535)
        assert data[size : size + 4] == struct.pack(">HH", 64, 48)
    data[size : size + len(claim)] = claim
    video.write_bytes(bytes(data))
    with pytest.raises(UserError, match=f"large{suffix}: "):
        open_video(video)


def test_frames_that_grow_absurdly_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = make_video(tmp_path / "small.h264", num_frames=3)
    large = make_video(tmp_path / "large.h264", pictures=[picture(0, 480, 640)] * 3)
    both = tmp_path / "both.h264"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    monkeypatch.setattr("ircolor.media.container.MAX_PIXELS", 640 * 480 - 1)
    with open_video(both) as reader:
        frames = [item for item in reader if isinstance(item, Frame)]
    assert 1 <= len(frames) <= 3
    assert reader.notes == ()
    assert reader.damage is not None


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.ts\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{folder}/secret.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile secret.ts\n",
        "ffconcat version 1.0\nfile '{folder}/secret.ts'\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live'
        ':2011" type="static"><Period><AdaptationSet><Representation id="1"><BaseURL>file://{folder}/secret.ts'
        "</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
)
def test_a_playlist_is_refused_and_what_it_names_is_never_opened(tmp_path: Path, text: str) -> None:
    secret = make_video(tmp_path / "secret.ts")
    os.utime(secret, ns=(0, 0))  # reading it would renew the time of access
    playlist = tmp_path / "night.mp4"
    playlist.write_text(text.format(folder=tmp_path))
    with pytest.raises(UserError, match=r"night\.mp4: (a playlist, or no|not a) video"):
        open_video(playlist)
    assert secret.stat().st_atime_ns == 0


def test_a_video_that_leads_to_a_place_beyond_its_end_says_nothing_but_the_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    video = make_video(tmp_path / "hurt.wmv", codec="wmv2")
    data = bytearray(video.read_bytes())
    data[39:47] = b"\xff" * 8  # the length of a part of the header
    video.write_bytes(bytes(data))
    with pytest.raises(UserError, match=r"hurt\.wmv: "):
        open_video(video)
    assert capfd.readouterr().err == ""
