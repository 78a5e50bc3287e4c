"""Where the pages of a TIFF file lie: its chain of folders, walked without decoding or trusting anything."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ircolor.errors import UserError

TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES = 1 << 16
# A tag lists at most this many numbers, e.g. places of strips: 10000x10000 pixels in tiles of 16x16 have 390,625.
MAX_TAG_VALUES = 1 << 20
_MAX_TAGS = 4096
_KINDS = {3: "H", 16: "Q"}  # numbers of 16 and of 64 bits
_BYTE_KINDS = (1, 2, 6, 7)  # bytes and texts, which are read as they stand
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _IMAGE_WIDTH, _IMAGE_LENGTH = 254, 255, 256, 257
_REDUCED, _MASK = 1, 4  # bits of the first
_OLD_REDUCED = 2  # value of the second


@dataclass(frozen=True)
class Place:
    """One page: the number of its folder in the chain, where that lies in the file, and the pixels that it claims."""

    number: int
    offset: int
    num_px: int


@dataclass(frozen=True)
class _Layout:
    """How numbers are stored: TIFF, or BigTIFF; big- or little-endian."""

    count: struct.Struct
    entry: struct.Struct
    offset: struct.Struct
    order: str


def page_places(file: BinaryIO, name: str) -> list[Place]:
    """The pages of a TIFF file, less those that only repeat another one smaller (pyramids, thumbnails) or mask it.

    Args:
        file: opened for reading; seekable.
        name: what to call it in messages.

    Raises:
        UserError: the chain of pages ends outside the file or in a circle, has too many pages, or absurd tags.
    """
    file.seek(0)
    header = file.read(16)
    order = "<" if header.startswith(b"II") else ">"
    big = header[2:4] in (b"+\0", b"\0+")
    place = "Q" if big else "I"
    layout = _Layout(
        struct.Struct(order + ("Q" if big else "H")),
        struct.Struct(order + "HH" + place + ("8s" if big else "4s")),
        struct.Struct(order + place),
        order,
    )
    file_bytes = file.seek(0, 2)
    pages: list[Place] = []
    smaller: list[Place] = []
    seen: set[int] = set()
    try:
        (offset,) = layout.offset.unpack_from(header, 8 if big else 4)
        while offset:
            if offset in seen:
                raise UserError(f"{name}: its pages run in a circle after page {len(seen)}; copy it again")
            if len(seen) == MAX_PAGES:
                raise UserError(f"{name}: more than {MAX_PAGES} pages; split it first")
            if offset >= file_bytes:
                raise _truncated(name, len(seen))
            number = len(seen)
            seen.add(offset)
            whole, num_px, following = _read_folder(file, layout, offset, name)
            (pages if whole else smaller).append(Place(number, offset, num_px))
            offset = following
    except struct.error as error:
        raise _truncated(name, len(seen)) from error
    if not seen:
        raise UserError(f"{name}: a TIFF file without pages; copy it again from its source")
    return pages or smaller[:1]


def _truncated(name: str, num_whole: int) -> UserError:
    where = f" after page {num_whole}" if num_whole else ""
    return UserError(f"{name}: the TIFF file is truncated{where}; copy it again from its source")


def _read_folder(file: BinaryIO, layout: _Layout, offset: int, name: str) -> tuple[bool, int, int]:
    """Whether a folder is of a page in full size, how many pixels that claims, and where the next one lies."""
    file.seek(offset)
    (num_tags,) = layout.count.unpack(file.read(layout.count.size))
    if num_tags > _MAX_TAGS:
        raise UserError(f"{name}: the TIFF file is damaged (a page of {num_tags} tags); copy it again from its source")
    folder = file.read(num_tags * layout.entry.size)
    whole, num_px = True, 1
    for tag, kind, num_values, value in layout.entry.iter_unpack(folder):
        if num_values > MAX_TAG_VALUES and kind not in _BYTE_KINDS:
            raise UserError(
                f"{name}: the TIFF file is damaged (tag {tag} of {num_values} values); copy it again from its source"
            )
        (stored,) = struct.unpack_from(layout.order + _KINDS.get(kind, "I"), value.ljust(8, b"\0"))
        if (tag == _NEW_SUBFILE_TYPE and stored & (_REDUCED | _MASK)) or (tag, stored) == (_SUBFILE_TYPE, _OLD_REDUCED):
            whole = False
        elif tag in (_IMAGE_WIDTH, _IMAGE_LENGTH):
            num_px *= stored
    (following,) = layout.offset.unpack(file.read(layout.offset.size))
    return whole, num_px, following
