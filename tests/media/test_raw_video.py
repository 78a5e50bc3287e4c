import io
import os
import threading
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.frames import Frame
from ircolor.media.raw_video import RawFormat, RawWriter, parse_rate, parse_raw, read_raw
from tests.videos import picture

RATE = Fraction(30000, 1001)


class Dribble(io.BytesIO):
    """A pipe that gives at most seven bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(7 if size is None or size < 0 else min(size, 7))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("640x480", RawFormat(480, 640, "gray")),
        ("640x480:gray10le", RawFormat(480, 640, "gray10le")),
        ("1x1:gray16le", RawFormat(1, 1, "gray16le")),
    ],
)
def test_formats_are_written_as_ffmpeg_writes_them(text: str, expected: RawFormat) -> None:
    assert parse_raw(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a raw format; give WIDTHxHEIGHT:PIXEL_FORMAT, e.g. 640x480:gray16le"),
        ("640", "not a raw format; "),
        ("-4x4", "not a raw format; "),
        ("640x480:", "not a raw format; "),
        ("640x480:gray10", "unknown pixel format gray10; did you mean gray10le? raw frames are one of gray, gray10le"),
        ("640x480:yuyv422", "unknown pixel format yuyv422; "),
        ("0x480", "frames of 0x480; give a size of 1 to "),
        ("99999x99999", "frames of 99999x99999; give a size of 1 to "),
    ],
)
def test_wrong_formats_are_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_raw(text)
    assert str(caught.value).startswith(f"{text}: {message}")


@pytest.mark.parametrize(("pixel_format", "bits"), [("gray", 8), ("gray10le", 10), ("gray12le", 12), ("gray16le", 16)])
def test_frames_are_counted_and_keep_their_values(pixel_format: str, bits: int) -> None:
    pictures = [picture(index, bits=bits) for index in range(3)]
    stream = Dribble(b"".join(pixels.tobytes() for pixels in pictures))
    frames = list(read_raw(stream, RawFormat(48, 64, pixel_format), RATE, "standard input"))
    for index, (frame, pixels) in enumerate(zip(frames, pictures, strict=True)):
        np.testing.assert_array_equal(frame.pixels, pixels)
        assert frame.pixels.dtype == pixels.dtype
        assert (frame.bits, frame.pts, frame.time_base) == (bits, index, 1 / RATE)


def test_a_rate_as_computers_print_it_is_the_one_that_was_meant() -> None:
    assert parse_rate("29.97002997002997") == parse_rate("30000/1001") == RATE
    assert parse_rate("23.976023976023978") == Fraction(24000, 1001)
    assert parse_rate("29.97") == Fraction(2997, 100)
    assert parse_rate("1/3600") == Fraction(1, 3600)


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    pixels = picture(0)

    def send_late() -> None:
        os.write(writing, pixels.tobytes())
        os.close(writing)

    timer = threading.Timer(0.2, send_late)
    timer.start()
    with os.fdopen(reading, "rb", buffering=0) as stream:
        (frame,) = read_raw(stream, RawFormat(48, 64), RATE, "standard input")
    timer.join()
    np.testing.assert_array_equal(frame.pixels, pixels)


def test_a_part_of_a_frame_is_an_error_after_the_whole_ones() -> None:
    stream = io.BytesIO(bytes(48 * 64 * 2 + 100))
    frames: list[Frame] = []
    with pytest.raises(UserError, match=r"cam: ends within frame 3, 2972 of 3072 bytes short; is it 64x48 gray\?"):
        frames.extend(read_raw(stream, RawFormat(48, 64), RATE, "cam"))
    assert len(frames) == 2


def test_an_empty_stream_is_an_error() -> None:
    with pytest.raises(UserError, match=r"cam: no frames came; "):
        list(read_raw(io.BytesIO(), RawFormat(48, 64), RATE, "cam"))


def test_values_beyond_the_depth_are_an_error() -> None:
    swapped = picture(0, bits=10).astype(">u2").tobytes()
    with pytest.raises(UserError, match=r"cam: values up to \d+ are not gray10le; "):
        list(read_raw(io.BytesIO(swapped), RawFormat(48, 64, "gray10le"), RATE, "cam"))


@pytest.mark.parametrize(("bits", "kind", "layout"), [(8, np.uint8, "rgb24"), (16, np.uint16, "rgb48le")])
def test_colour_frames_are_written_interleaved(bits: int, kind: type, layout: str) -> None:
    rgb: NDArray[np.uint8 | np.uint16] = np.random.default_rng(0).integers(0, 1 << bits, (4, 6, 3)).astype(kind)
    stream = io.BytesIO()
    writer = RawWriter(stream, bits)
    writer.write(rgb, 0)
    writer.write(rgb[::-1], 1)
    assert writer.pixel_format == layout
    written = np.frombuffer(stream.getvalue(), np.uint8 if bits == 8 else "<u2").reshape(2, 4, 6, 3)
    np.testing.assert_array_equal(written, [rgb, rgb[::-1]])


def test_a_reader_that_has_gone_is_told() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "wb")
    with pytest.raises(BrokenPipeError):
        RawWriter(stream, 8).write(np.zeros((64, 64, 3), np.uint8), 0)
    stream.close()
