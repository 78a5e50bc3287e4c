import errno
import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ircolor.atomic import open_atomic
from ircolor.errors import UserError
from ircolor.media.video import open_video
from ircolor.media.video_writer import VideoWriter, check_video_output
from tests.videos import make_video

SETTINGS: dict[str, Any] = {"height": 48, "width": 64, "time_base": Fraction(1, 25), "rate": Fraction(25)}
BLACK = np.zeros((48, 64, 3), np.uint8)


class Full(io.BytesIO):
    """A disk with room for so many bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("format", ["mp4", "matroska", "mpegts"])
@pytest.mark.parametrize("room", [0, 1000, 20000, -1])
@pytest.mark.parametrize("live", [False, True])
def test_a_full_disk_is_told_wherever_it_happens(format: str, room: int, live: bool) -> None:

    def video(target: io.BytesIO) -> None:
        with VideoWriter(target, name="a", format=format, live=live, **SETTINGS) as writer:
            for index in range(60):
                noise = np.random.default_rng(index).integers(0, 256, (48, 64, 3)).astype(np.uint8)
                writer.write(noise, index)

    if room < 0:  # full with the last bytes: what only closing writes does not fit
        whole = io.BytesIO()
        video(whole)
        room = len(whole.getvalue()) - 20
    target = Full(room)
    with pytest.raises(OSError, match="No space left on device"):
        video(target)
    assert len(target.getvalue()) <= room


def test_an_exception_leaves_no_video_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"

    def interrupted() -> None:
        with open_atomic(path) as file, VideoWriter(file, name="a", format="mp4", **SETTINGS) as writer:
            writer.write(BLACK, 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"codec": "h265"}, "h265: unknown codec; did you mean h264? use one of h264, hevc, av1, ffv1"),
        ({"codec": "ffv1"}, "a.mp4: ffv1 does not fit into mp4; .mkv holds any codec"),
        ({"height": 1 << 16}, "a.mp4: libx264 cannot encode 64x65536 at 25 frames/s; choose another codec or size"),
        ({"codec": "av1", "height": 2, "width": 2}, "a.mp4: libsvtav1 cannot encode 2x2 at 25 frames/s; choose"),
        ({"codec": "hevc", "height": 2, "width": 2}, "a.mp4: libx265 cannot encode 2x2 at 25 frames/s; choose"),
    ],
)
def test_what_cannot_be_encoded_is_refused_at_once(settings: dict[str, Any], message: str) -> None:
    target = io.BytesIO()
    with pytest.raises(UserError) as caught:
        VideoWriter(target, name="a.mp4", format="mp4", **(SETTINGS | settings))
    assert str(caught.value).startswith(message)
    assert target.getvalue() == b""


def test_a_missing_encoder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"ffv1"})
    with pytest.raises(UserError, match=r"a\.mp4: this FFmpeg has no libx264 to write h264; use another codec"):
        check_video_output(Path("a.mp4"), "h264", ())


@pytest.mark.parametrize(
    ("source", "sound", "path", "codec", "message"),
    [
        ("a.mkv", "flac", "a.ts", "h264", "a.ts: sound in flac does not fit into mpegts; use .mp4, .m4v, .mov, .mkv"),
        ("a.avi", "pcm_alaw", "a.mp4", "h264", "a.mp4: sound in pcm_alaw does not fit into mp4; use .mov"),
        (
            "a.avi",
            "adpcm_ms",
            "a.ts",
            "h264",
            "a.ts: sound in adpcm_ms does not fit into mpegts; convert its sound to AAC first",
        ),
        ("a.mkv", None, "a.avi", "h264", "a.avi: cannot write .avi; use one of .mp4, .m4v, .mov, .mkv, .ts"),
        ("a.mkv", None, "a", "h264", "a: cannot write a video without suffix; use one of .mp4"),
        ("a.mkv", None, "a.mov", "ffv1", "a.mov: ffv1 does not fit into mov; .mkv holds any codec"),
        ("a.mkv", None, "a.ts", "av1", "a.ts: av1 does not fit into mpegts; .mkv holds any codec"),
        ("a.mkv", None, "a.mp4", "x264", "x264: unknown codec; did you mean h264? "),
    ],
)
def test_outputs_are_checked_before_work_begins(
    tmp_path: Path, source: str, sound: str | None, path: str, codec: str, message: str
) -> None:
    video = make_video(tmp_path / source, codec="mpeg4", sound=sound)
    with open_video(video) as reader, pytest.raises(UserError) as caught:
        check_video_output(tmp_path / "out" / path, codec, reader.sounds)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == [video]


def test_a_url_that_nobody_listens_to_is_an_oserror() -> None:
    with pytest.raises(OSError, match="refused"):
        VideoWriter("tcp://127.0.0.1:9", name="tcp://127.0.0.1:9", format="mpegts", **SETTINGS)
