"""What the header of an image file claims, read before it is decoded: a few kilobytes can claim 100,000 x 100,000."""

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from ircolor.media.intact import DEFLATE_RATIO, JPEG_SIGNATURE, PNG_SIGNATURE, jpeg_frame

_NUMBER = rb"(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})"  # comments may stand between the numbers
_PNM = re.compile(rb"P(?:[14]" + 2 * _NUMBER + rb"|[2356]" + 3 * _NUMBER + rb")")
_JPEG_2000 = re.compile(rb"\xff\x4f\xff\x51")
_BMP_PLAIN = (0, 3)  # compressions that do not compress


@dataclass(frozen=True)
class Claim:
    """The size of an image in px, and the fewest bytes that a file of it can have."""

    height: int
    width: int
    least_bytes: int = 0


def claim_of(data: bytes) -> Claim | None:
    """What an image file says of itself; None where it is of no format that we read.

    Args:
        data: a PNG, JPEG, BMP, WebP, PNM or JPEG 2000 file; TIFF is read elsewhere.
    """
    for signature, read in _READERS.items():
        if data.startswith(signature):
            try:
                return read(data)
            except struct.error:
                return None
    return None


def _png(data: bytes) -> Claim:
    width, height, bits, kind = struct.unpack_from(">IIBB", data, 16)
    num_channels = {2: 3, 4: 2, 6: 4}.get(kind, 1)
    return Claim(height, width, height * width * bits * num_channels // 8 // DEFLATE_RATIO)


def _jpeg(data: bytes) -> Claim | None:
    frame = jpeg_frame(data)
    return Claim(frame.height, frame.width) if frame else None


def _bmp(data: bytes) -> Claim:
    (header_bytes,) = struct.unpack_from("<I", data, 14)
    if header_bytes == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    height, width = abs(height), abs(width)
    row_bytes = (width * bits + 31) // 32 * 4
    return Claim(height, width, height * row_bytes if compression in _BMP_PLAIN else 0)


def _webp(data: bytes) -> Claim | None:
    if data[8:12] != b"WEBP":
        return None
    if data[12:16] != b"VP8X":
        return Claim(1 << 14, 1 << 14)  # no more fits into the simple formats
    width, height = (int.from_bytes(data[place : place + 3], "little") + 1 for place in (24, 27))
    return Claim(height, width)


def _pnm(data: bytes) -> Claim | None:
    found = _PNM.match(data)
    if found is None:
        return None
    width, height, *brightest = (int(number) for number in found.groups() if number is not None)
    kind = data[1:2]
    if kind == b"4":
        pixel_bytes = height * math.ceil(width / 8)
    else:
        value_bytes = 2 if kind in b"56" and brightest[0] > 255 else 1
        pixel_bytes = height * width * (3 if kind in b"36" else 1) * value_bytes
    return Claim(height, width, found.end() + 1 + pixel_bytes)


def _jpeg_2000(data: bytes) -> Claim:
    """Of the largest code stream: there may be others in boxes that decoders pass over."""
    claims = [Claim(0, 0)]
    for found in _JPEG_2000.finditer(data):
        right, bottom, left, top = struct.unpack_from(">4I", data, found.end() + 4)
        claims.append(Claim(max(0, bottom - top), max(0, right - left)))
    return max(claims, key=lambda claim: claim.height * claim.width)


_READERS: dict[bytes, Callable[[bytes], Claim | None]] = {
    PNG_SIGNATURE: _png,
    JPEG_SIGNATURE: _jpeg,
    b"BM": _bmp,
    b"RIFF": _webp,
    **{b"P%d" % kind: _pnm for kind in range(1, 7)},
    b"\0\0\0\x0cjP  \r\n\x87\n": _jpeg_2000,
    b"\xff\x4f\xff\x51": _jpeg_2000,
}
