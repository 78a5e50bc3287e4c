"""What a camera wrote about a picture (EXIF): where it stands in a file, and its texts and numbers.

The bytes are taken as hostile: what is broken counts as absent.
"""

import mmap
import struct
from dataclasses import dataclass

from ircolor.media.intact import JPEG_SIGNATURE, PNG_SIGNATURE

Buffer = bytes | mmap.mmap

# A TIFF file is itself laid out as EXIF is.
_SIGNATURES = (b"II*\0", b"MM\0*")
_JPEG_HEADER = b"Exif\0\0"
_JPEG_WITHIN_BYTES = 1 << 18  # cameras write it first
_EXIF_FOLDER, _ORIENTATION = 0x8769, 0x0112
_ASCII, _SHORT, _LONG = 2, 3, 4
_MAX_TEXT_BYTES = 64


@dataclass(frozen=True)
class Exif:
    """The EXIF data of a file.

    Attributes:
        data: the file.
        start: where its EXIF data begin; offsets count from here.
        order: of its bytes, as struct spells it.
    """

    data: Buffer
    start: int
    order: str

    def tags(self) -> dict[int, bytes]:
        """The texts and whole numbers of the main folder, by tag, as they are stored; empty where it is broken."""
        try:
            return self._folder(self._number("I", self.start + 4))
        except struct.error:
            return {}

    def photo_tags(self) -> dict[int, bytes]:
        """As `tags`, of the folder on how the picture was taken."""
        try:
            (offset,) = struct.unpack(self.order + "I", self.tags()[_EXIF_FOLDER])
            return self._folder(offset)
        except (KeyError, struct.error):
            return {}

    def orientation(self) -> int:
        """How the stored picture is turned, 1 to 8, as EXIF numbers it; 1 (upright) where it does not tell."""
        value = self.tags().get(_ORIENTATION, b"")
        number = int(struct.unpack_from(self.order + "H", value)[0]) if len(value) > 1 else 1
        return number if 1 <= number <= 8 else 1

    def _number(self, form: str, place: int) -> int:
        return int(struct.unpack_from(self.order + form, self.data, place)[0])

    def _folder(self, offset: int) -> dict[int, bytes]:
        entries = {}
        first = self.start + offset + 2
        for number in range(self._number("H", self.start + offset)):
            tag, kind, length, value = struct.unpack_from(self.order + "HHI4s", self.data, first + 12 * number)
            if kind == _ASCII and length > 4:  # shorter texts stand where the offset would
                place = self.start + struct.unpack(self.order + "I", value)[0]
                value = self.data[place : place + min(length, _MAX_TEXT_BYTES)]
            if kind in (_ASCII, _SHORT, _LONG):
                entries[tag] = value
        return entries


def find_exif(data: Buffer) -> Exif | None:
    """The EXIF data of a JPEG, PNG, WebP or TIFF file; None where there are none."""
    if data[:4] in _SIGNATURES:
        start: int | None = 0
    elif data[: len(PNG_SIGNATURE)] == PNG_SIGNATURE:
        start = _in_chunks(data, len(PNG_SIGNATURE), ">I4s", b"eXIf", trailer_bytes=4)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        start = _in_chunks(data, 12, "<4sI", b"EXIF", trailer_bytes=0)
        if start is not None and data[start : start + len(_JPEG_HEADER)] == _JPEG_HEADER:  # as some programs write it
            start += len(_JPEG_HEADER)
    elif data[:2] == JPEG_SIGNATURE:
        start = _in_segments(data)
    else:
        start = None
    if start is None or data[start : start + 4] not in _SIGNATURES:
        return None
    return Exif(data, start, "<" if data[start : start + 2] == b"II" else ">")


def _in_chunks(data: Buffer, position: int, header: str, wanted: bytes, trailer_bytes: int) -> int | None:
    """Where the content of a chunk of a PNG or RIFF file begins."""
    while position + 8 <= len(data):
        first, second = struct.unpack_from(header, data, position)
        kind, length = (second, first) if isinstance(first, int) else (first, second)
        if kind == wanted:
            return position + 8
        position += 8 + length + trailer_bytes
        if header.startswith("<"):
            position += length % 2  # RIFF pads to even lengths
    return None


def _in_segments(data: Buffer) -> int | None:
    """Where EXIF begins in a JPEG file: in an APP1 segment before the picture."""
    position = len(JPEG_SIGNATURE)
    while position + 4 <= min(len(data), _JPEG_WITHIN_BYTES) and data[position] == 0xFF and data[position + 1] != 0xDA:
        marker, length = struct.unpack_from(">BH", data, position + 1)
        if marker == 0xE1 and data[position + 4 : position + 4 + len(_JPEG_HEADER)] == _JPEG_HEADER:
            return position + 4 + len(_JPEG_HEADER)
        position += 1 if marker == 0xFF else 2 + length
    return None
