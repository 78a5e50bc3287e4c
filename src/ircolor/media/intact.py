"""Is a compressed file whole? Decoders fill what is missing with gray and only mutter on standard error."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ircolor.errors import UserError

# Nothing is deflated to less than a 1032nd.
DEFLATE_RATIO = 1032
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
_START_OF_SCAN = 0xDA
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # less tables and extensions
_END_OF_IMAGE = 0xD9
# Tables, comments and further scans, which may stand between scans; restarts and stuffed bytes are parts of a scan.
_BETWEEN_SCANS = frozenset({0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
_MARKER_IN_SCAN = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")


def check_png(data: bytes, name: str) -> None:
    """Walk the chunks of a PNG file and compare their checksums.

    Raises:
        UserError: it ends early, or a chunk is damaged.
    """
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(data):
            break
        (stored,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != stored:
            raise UserError(f"{name}: the PNG file is damaged; copy it again from its source")
        if kind == b"IEND":
            return
        position = end
    raise UserError(f"{name}: the PNG file is truncated; copy it again from its source")


@dataclass(frozen=True)
class JpegFrame:
    """What the header of a JPEG file's picture says: bits a channel, height and width in px."""

    bits: int
    height: int
    width: int


def jpeg_frame(data: bytes) -> JpegFrame | None:
    """The header of the picture in a JPEG file; None where there is none before its pixels."""
    for marker, position in _segments(data):
        if marker in _START_OF_FRAME and position + 9 <= len(data):
            return JpegFrame(*struct.unpack_from(">BHH", data, position + 4))
    return None


def check_jpeg(data: bytes, name: str) -> None:
    """Walk the scans of a JPEG file up to its end; zeros in a scan, as a bad card leaves them, are not noticed.

    Raises:
        UserError: it ends early, or something else begins within it; or the picture has more than 8 bits, which no
            decoder here reads.
    """
    frame = jpeg_frame(data)
    if frame and frame.bits != 8:
        raise UserError(f"{name}: a JPEG file of {frame.bits} bits, not 8; convert it to a 16-bit PNG or TIFF file")
    for marker, position in _segments(data):
        if marker == _START_OF_SCAN and _scans_end(data, position):
            return
    raise UserError(f"{name}: the JPEG file is truncated or damaged; copy it again from its source")


def _scans_end(data: bytes, position: int) -> bool:
    """Whether the first marker behind scans, the first of which begins at a position, is the end of the image."""
    while position + 4 <= len(data):
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]
        found = _MARKER_IN_SCAN.search(data, position)
        if found is None or found[1][0] not in _BETWEEN_SCANS:
            return found is not None and found[1][0] == _END_OF_IMAGE
        position = found.end() - 2
    return False


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker and place of the segments of a JPEG file, up to its pixels."""
    position = len(JPEG_SIGNATURE)
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        yield marker, position
        if marker == _START_OF_SCAN:
            return
        position += 2 + struct.unpack_from(">H", data, position + 2)[0]
