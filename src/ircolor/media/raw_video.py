"""Raw frames on pipes: what `ffmpeg -f rawvideo` writes and reads, without headers or time stamps."""

import re
import select
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, did_you_mean
from ircolor.media.decode import MAX_PIXELS
from ircolor.media.frames import Frame, Sound

# FFmpeg's names of the pixel formats that are read, and their bits.
RAW_PIXEL_FORMATS = {"gray": 8, "gray10le": 10, "gray12le": 12, "gray14le": 14, "gray16le": 16}

# Of a rate, the largest denominator: FFmpeg counts in 32 bits. 29.97002997002997 is 30000/1001.
_FINEST_RATE = 100_000


class Readable(Protocol):
    """A pipe or a file; `read` gives None where nothing has come yet and it does not block."""

    def read(self, size: int, /) -> bytes | None: ...  # noqa: D102
    def fileno(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class RawFormat:
    """What the bytes of raw video mean.

    Attributes:
        height: in px.
        width: in px.
        pixel_format: one of RAW_PIXEL_FORMATS.
    """

    height: int
    width: int
    pixel_format: str = "gray"

    @property
    def bits(self) -> int:
        """Depth of a pixel; more than 8 are stored in two bytes, the lower one first."""
        return RAW_PIXEL_FORMATS[self.pixel_format]

    @property
    def frame_bytes(self) -> int:
        """Length of a frame."""
        return self.height * self.width * (1 if self.bits == 8 else 2)


def parse_raw(text: str) -> RawFormat:
    """Read WIDTHxHEIGHT or WIDTHxHEIGHT:PIXEL_FORMAT, as FFmpeg writes them: 640x480, 640x480:gray10le.

    Raises:
        UserError: anything else, or a size of nothing or of more than MAX_PIXELS.
    """
    match = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})(?::(\w+))?", text)
    if match is None:
        raise UserError(f"{text}: not a raw format; give WIDTHxHEIGHT:PIXEL_FORMAT, e.g. 640x480:gray16le")
    width, height, pixel_format = int(match[1]), int(match[2]), match[3] or "gray"
    if pixel_format not in RAW_PIXEL_FORMATS:
        known = ", ".join(RAW_PIXEL_FORMATS)
        hint = did_you_mean(pixel_format, RAW_PIXEL_FORMATS)
        raise UserError(f"{text}: unknown pixel format {pixel_format}; {hint}raw frames are one of {known}")
    if not 0 < height * width <= MAX_PIXELS:
        raise UserError(f"{text}: frames of {width}x{height}; give a size of 1 to {MAX_PIXELS} pixels")
    return RawFormat(height, width, pixel_format)


def parse_rate(text: str) -> Fraction:
    """Read frames in a second: 25, 29.97 or 30000/1001.

    Raises:
        UserError: anything else, or not between a frame an hour and 10,000 in a second.
    """
    try:
        rate = Fraction(text).limit_denominator(_FINEST_RATE)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not Fraction(1, 3600) <= rate <= 10_000:
        raise UserError(f"rate {text!r}: give frames in a second, e.g. 25 or 30000/1001")
    return rate


def read_raw(stream: Readable, raw: RawFormat, rate: Fraction, name: str) -> Iterator[Frame]:
    """The frames of raw video, with one in memory at a time.

    Args:
        stream: a pipe or file; it may give fewer bytes at a time than were asked for.
        raw: what its bytes mean.
        rate: frames in a second, from which the time stamps are counted.
        name: what to call it in messages.

    Raises:
        UserError: the stream ends within a frame, after all whole ones; it is empty; or its values exceed its depth.
    """
    kind = np.dtype(np.uint8 if raw.bits == 8 else "<u2")
    count = 0
    while data := _read_up_to(stream, raw.frame_bytes):
        if len(data) < raw.frame_bytes:
            short = f"{raw.frame_bytes - len(data)} of {raw.frame_bytes} bytes short"
            raise UserError(
                f"{name}: ends within frame {count + 1}, {short}; is it {raw.width}x{raw.height} {raw.pixel_format}?"
            )
        stored = np.frombuffer(data, kind).reshape(raw.height, raw.width)
        if stored.max() >> raw.bits:
            raise UserError(
                f"{name}: values up to {stored.max()} are not {raw.pixel_format}; try gray16le, or its bytes swapped"
            )
        yield Frame(stored.astype(kind.newbyteorder("="), copy=False), raw.bits, count, 1 / rate)
        count += 1
    if not count:
        raise UserError(f"{name}: no frames came; does the command before the pipe write any?")


def _read_up_to(stream: Readable, num_bytes: int) -> bytearray:
    """The next bytes, all of them unless the stream ends before."""
    data = bytearray(num_bytes)
    view, filled = memoryview(data), 0
    while filled < num_bytes:
        part = stream.read(num_bytes - filled)
        if part is None:  # a pipe that does not block has nothing at the moment
            select.select([stream], [], [])
            continue
        if not part:
            break
        view[filled : filled + len(part)] = part
        filled += len(part)
    view.release()
    del data[filled:]
    return data


class RawWriter:
    """Writes frames as rgb24 or rgb48le.

    Attributes:
        pixel_format: FFmpeg's name of what is written.
        notes: what the user should know of: nothing.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, stream: BinaryIO, bits: int) -> None:
        """Begin to write.

        Args:
            stream: a pipe or file.
            bits: 8 or 16.
        """
        self._stream = stream
        self._kind = np.dtype(np.uint8 if bits == 8 else "<u2")
        self.pixel_format = "rgb24" if bits == 8 else "rgb48le"

    def write(self, rgb: NDArray[Any], pts: int) -> None:  # noqa: ARG002
        """Write one frame at once, as the reader of a pipe may be waiting for it.

        Args:
            rgb: (H, W, 3), uint8 for 8 bits, uint16 in its full range for 16.
            pts: its time stamp, for which raw video has no place.

        Raises:
            BrokenPipeError: the reader has gone.
        """
        assert rgb.dtype == self._kind.newbyteorder("="), rgb.dtype
        self._stream.write(rgb.astype(self._kind, copy=False).tobytes())
        self._stream.flush()

    def copy(self, sound: Sound) -> None:
        """Leave out a packet of sound: raw video has no place for it either."""
