"""When a picture was taken: from its EXIF data, else from its name.

Times are seconds since 1970 without time zone: cameras do not say which one they mean, so only the times of cameras
that were set alike can be compared.
"""

import re
import struct
from datetime import UTC, datetime
from pathlib import Path

from ircolor.media.images import TIFF_SIGNATURES

# EXIF stands before the pixels of JPEG and PNG files, and takes 64 KiB at most.
HEAD_BYTES = 1 << 17
_EXIF_BLOCK = re.compile(rb"(?:Exif\0\0|eXIf)(?=II\*\0|MM\0\*)")
_EXIF_FOLDER, _DATE_TIME_ORIGINAL, _SUB_SEC_TIME_ORIGINAL = 0x8769, 0x9003, 0x9291
_ASCII, _LONG = 2, 4

# 20181007_142530, 20181007_142530_123, 2018-10-07T14-25-30.123, 2018:10:07 14:25:30
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_:.]?(\d\d)[-_:.]?(\d\d)[T_ -]?(\d\d)[-_:.]?(\d\d)[-_:.]?(\d\d)"
    r"(?:[-_.]?(\d{3}|\d{6}|\d{9}))?(?!\d)"
)
# Seconds since 1970 from 2001 to 2033, and what follows: milli-, micro-, nanoseconds, with a point before or not.
_UNIX = re.compile(r"(?<!\d)(1\d{9})(?:[._]?(\d{3}|\d{6}|\d{9}))?(?!\d)")


def time_of(file: Path) -> float | None:
    """When a picture was taken, in s since 1970; None where neither its EXIF data nor its name tell.

    Read are EXIF's DateTimeOriginal and SubSecTimeOriginal of JPEG, PNG and TIFF files, as hostile bytes: what
    is broken counts as absent. So does what cannot be read, as reading the image will tell that.
    """
    try:
        taken = _exif_time(_exif_block(file))
    except (OSError, struct.error):  # struct.error: an offset that points out of the block
        taken = None
    return time_in_name(file.stem) if taken is None else taken


def time_in_name(name: str) -> float | None:
    """The time written in a name, in s since 1970: a date with a time of day, or seconds since 1970."""
    for found in _DATE.finditer(name):
        *parts, fraction = found.groups()
        try:
            start = datetime.strptime("".join(parts), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:  # such as a 13th month
            continue
        return start.timestamp() + float(f"0.{fraction or 0}")
    seconds = _UNIX.search(name)
    return float(f"{seconds[1]}.{seconds[2] or 0}") if seconds else None


def _exif_block(file: Path) -> bytes:
    """The TIFF structure that EXIF data are, with whatever follows; empty where there is none."""
    with file.open("rb") as opened:
        data = opened.read(HEAD_BYTES)
        if data.startswith(TIFF_SIGNATURES):
            return data + opened.read()  # the tags of a TIFF file may stand behind the pixels
    found = _EXIF_BLOCK.search(data)
    return data[found.end() :] if found else b""


def _exif_time(block: bytes) -> float | None:
    """DateTimeOriginal of a TIFF structure, in s since 1970."""
    order = "<" if block.startswith(b"II") else ">"
    root = _tags(block, struct.unpack_from(f"{order}I", block, 4)[0], order)
    if not isinstance(folder := root.get(_EXIF_FOLDER), int):
        return None
    tags = _tags(block, folder, order)
    taken = time_in_name(str(tags.get(_DATE_TIME_ORIGINAL)))
    fraction = str(tags.get(_SUB_SEC_TIME_ORIGINAL))
    return taken + float(f"0.{fraction}") if taken is not None and re.fullmatch("[0-9]+", fraction) else taken


def _tags(block: bytes, offset: int, order: str) -> dict[int, int | str]:
    """The texts and single 32-bit numbers of a TIFF folder, by tag."""
    tags: dict[int, int | str] = {}
    for entry in range(struct.unpack_from(f"{order}H", block, offset)[0]):
        place = offset + 2 + 12 * entry
        tag, kind, count, value = struct.unpack_from(f"{order}HHII", block, place)
        if kind == _LONG:
            tags[tag] = value
        elif kind == _ASCII:
            start = place + 8 if count <= 4 else value  # short texts stand where the offset would
            tags[tag] = block[start : start + min(count, 64)].split(b"\0")[0].decode("ascii", "replace").strip()
    return tags
