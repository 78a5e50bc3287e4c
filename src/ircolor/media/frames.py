"""One frame of a video or of a camera, as the networks take it: gray, upright, in the full range of its bits."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.audio.stream import AudioStream

_LIMITED = 1  # FFmpeg's number of the range from black to white, in 8 bits:
_BLACK, _WHITE = 16, 235


@dataclass(frozen=True)
class Frame:
    """A frame and its place in time.

    Attributes:
        pixels: (H, W), uint8, or uint16 where `bits` is more than 8; 0 is black, 2**bits - 1 white.
        bits: depth that the format declares; cameras may use fewer of 16.
        pts: time stamp, in units of `time_base`; None where the stream has none.
        time_base: seconds of one unit.
    """

    pixels: NDArray[np.uint8 | np.uint16]
    bits: int
    pts: int | None
    time_base: Fraction

    @property
    def time_s(self) -> float | None:
        """When it is shown, in s on the clock of its stream."""
        return None if self.pts is None else float(self.pts * self.time_base)


@dataclass(frozen=True)
class Sound:
    """A packet of sound as it is stored, for a writer that was given the `sounds` of the reader."""

    packet: "Packet[AudioStream]"


@dataclass(frozen=True)
class Orientation:
    """How stored pictures become upright, by quarters of a turn.

    Attributes:
        transposed: rows are columns.
        flips_x: columns run from right to left, after that.
        flips_y: rows run from bottom to top, after that.
    """

    transposed: bool = False
    flips_x: bool = False
    flips_y: bool = False

    def upright(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """A picture, (H, W), turned and mirrored."""
        turned = pixels.T if self.transposed else pixels
        return np.ascontiguousarray(turned[:: -1 if self.flips_y else 1, :: -1 if self.flips_x else 1])


UPRIGHT = Orientation()


def orientation_of(decoded: "VideoFrame") -> Orientation:
    """What the display matrix of a picture says; its angle alone, which FFmpeg tells, hides that cameras mirror.

    To be asked of one picture of a video: until the garbage collector comes, PyAV holds one of which this was asked.
    """
    side_data: Any = decoded.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return UPRIGHT
    a, b, _, c, d = np.frombuffer(bytes(side_data), np.int32)[:5].astype(int)  # (x, y) to (a x + c y, b x + d y)
    transposed = abs(b) > abs(a)
    x, y = (c, b) if transposed else (a, d)
    return Orientation(transposed, x < 0, y < 0)


def to_frame(decoded: "VideoFrame", orientation: Orientation = UPRIGHT) -> Frame:
    """Take the luma of a decoded frame, turned upright.

    Luma of limited range (16 to 235, as most videos store it) is expanded to the full one.

    Args:
        decoded: by FFmpeg.
        orientation: of the video, `orientation_of` its first picture.

    Raises:
        av.FFmpegError: a pixel format that FFmpeg cannot convert.
    """
    bits = max(8, min(16, max(component.bits for component in decoded.format.components)))
    gray = decoded.reformat(format="gray" if bits == 8 else "gray16le", dst_color_range="JPEG")
    pixels: NDArray[Any] = np.asarray(gray.to_ndarray())
    if bits > 8:
        pixels >>= 16 - bits  # the conversion stretches to 16 bits; --intensity LOW:HIGH is given in stored units
    if len(decoded.format.components) == 1 and int(decoded.color_range) == _LIMITED:  # FFmpeg takes gray for full
        black, white = _BLACK << bits - 8, _WHITE << bits - 8
        unit = (pixels.astype(np.float32) - black) / (white - black)
        pixels = np.rint(unit.clip(0, 1) * (2**bits - 1)).astype(pixels.dtype)
    return Frame(orientation.upright(pixels), bits, decoded.pts, decoded.time_base or Fraction(1, 1000))
