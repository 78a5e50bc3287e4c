"""Damaged videos of every kind end in frames or in one line that names the file, never in a crash."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ircolor.errors import UserError
from ircolor.media.frames import Frame
from ircolor.media.video import open_video
from tests.videos import make_video

KINDS = {
    ".mp4": {"codec": "libx264", "sound": "aac"},
    ".mkv": {"codec": "ffv1", "pixel_format": "gray10le", "sound": "libopus"},
    ".mov": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    ".webm": {"codec": "libvpx-vp9"},
    ".avi": {"codec": "mpeg4", "sound": "libmp3lame"},
    ".ts": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    ".mpg": {"codec": "mpeg2video", "sound": "mp2"},
    ".flv": {"codec": "flv"},
    ".wmv": {"codec": "wmv2"},
    ".gif": {"codec": "gif", "pixel_format": "gray"},
}

# More are run offline: IRCOLOR_FUZZ_CASES=10000 pytest tests/media/test_video_fuzz.py
NUM_CASES = int(os.environ.get("IRCOLOR_FUZZ_CASES", "100"))

Change = tuple[float, bytes]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("videos")
    return {suffix: make_video(folder / f"a{suffix}", **kind).read_bytes() for suffix, kind in KINDS.items()}  # type: ignore[arg-type]


def damaged(video: bytes, changes: list[Change], end: float) -> bytes:
    data = bytearray(video)
    for place, value in changes:
        first = round(place * (len(data) - 1))
        data[first : first + len(value)] = value
    return bytes(data[: round(end * len(data))])


def check(path: Path) -> None:
    refusal = None
    frames: list[Frame] = []
    try:
        with open_video(path) as reader:
            frames.extend(item for item in reader if isinstance(item, Frame))
    except UserError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.startswith(f"{path}: ")
        assert "\n" not in refusal
        return
    assert {frame.pixels.shape for frame in frames} == {(reader.height, reader.width)}
    stamps = [frame.pts for frame in frames]
    assert stamps == sorted({stamp for stamp in stamps if stamp is not None})


changes = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=16)), max_size=12)
ends = st.one_of(st.just(1.0), st.floats(0, 1))
same_folder = HealthCheck.function_scoped_fixture  # every example writes its file anew


@given(suffix=st.sampled_from(sorted(KINDS)), changes=changes, end=ends)
@settings(max_examples=NUM_CASES, suppress_health_check=[same_folder])
def test_damaged_videos(
    videos: dict[str, bytes], tmp_path: Path, suffix: str, changes: list[Change], end: float
) -> None:
    path = tmp_path / f"video{suffix}"
    path.write_bytes(damaged(videos[suffix], changes, end))
    check(path)


@pytest.mark.slow
@given(suffix=st.sampled_from(sorted(KINDS)), changes=changes, end=ends)
@settings(max_examples=max(NUM_CASES, 3000), suppress_health_check=[same_folder])
def test_many_damaged_videos(
    videos: dict[str, bytes], tmp_path: Path, suffix: str, changes: list[Change], end: float
) -> None:
    path = tmp_path / f"video{suffix}"
    path.write_bytes(damaged(videos[suffix], changes, end))
    check(path)
