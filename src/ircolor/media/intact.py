"""Is a compressed file whole? Decoders fill what is missing with gray and only mutter on standard error."""

import struct
import zlib

from ircolor.errors import UserError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"


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


def check_jpeg(data: bytes, name: str) -> None:
    """Look for the end of a JPEG file behind the start of its pixels; a thumbnail before them has its own.

    Raises:
        UserError: there is none.
    """
    position = len(JPEG_SIGNATURE)
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == _START_OF_SCAN:
            if data.find(_END_OF_IMAGE, position) >= 0:
                return
            break
        if marker == 0xFF:  # fill byte
            position += 1
        else:
            position += 2 + struct.unpack_from(">H", data, position + 2)[0]
    raise UserError(f"{name}: the JPEG file is truncated or damaged; copy it again from its source")
