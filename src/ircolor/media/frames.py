"""One frame of a video or of a camera, as the networks take it: gray, upright, in the full range of its bits."""

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.audio.stream import AudioStream

_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


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


def to_frame(decoded: "VideoFrame") -> Frame:
    """Take the luma of a decoded frame, turned upright.

    Luma of limited range (16 to 235, as most videos store it) is expanded to the full one.

    Raises:
        av.FFmpegError: a pixel format that FFmpeg cannot convert.
    """
    bits = max(8, min(16, max(component.bits for component in decoded.format.components)))
    gray = decoded.reformat(format="gray" if bits == 8 else "gray16le", dst_color_range="JPEG")
    pixels: NDArray[Any] = np.asarray(gray.to_ndarray())
    if bits > 8:
        pixels >>= 16 - bits  # the conversion stretches to 16 bits; --intensity LOW:HIGH is given in stored units
    turn = _TURNS.get(decoded.rotation % 360)
    if turn is not None:
        pixels = np.asarray(cv2.rotate(pixels, turn))
    return Frame(pixels, bits, decoded.pts, decoded.time_base or Fraction(1, 1000))
