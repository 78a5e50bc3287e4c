"""When an image was taken: from the name of its file, or from what the camera wrote into it (EXIF)."""

import mmap
import re
import struct
from datetime import UTC, datetime
from pathlib import Path

# 20181007_142530, 2018-10-07T14-25-30.123, 2018.10.07 14:25:30_123 and the like; no digit before or after.
_CALENDAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_.T ]?"
    r"(\d\d)[-_.:h]?(\d\d)[-_.:m]?(\d\d)(?:[._-](\d{3}|\d{6}))?(?!\d)"
)
# Seconds since 1970 of the years 2001 to 2033, also as milli-, micro- or nanoseconds or with a decimal point.
_UNIX = re.compile(r"(?<!\d)(1\d{9})[._]?(\d{3}|\d{6}|\d{9})?(?!\d)")

_EXIF_WITHIN_BYTES = 1 << 18  # cameras write it first
_EXIF_MARKS = (b"Exif\0\0", b"eXIf")  # of JPEG and PNG; a TIFF file is itself laid out as EXIF is
_TIFF_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_EXIF_FOLDER, _TAKEN, _TAKEN_FRACTION = 0x8769, 0x9003, 0x9291
_ASCII, _LONG = 2, 4


def time_in_name(stem: str) -> float | None:
    """Seconds since 1970 that the name of a file tells (of a clock taken as UTC); None where it tells none."""
    for found in _CALENDAR.finditer(stem):
        try:
            moment = datetime.strptime("".join(found.groups()[:6]), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:  # no such day or hour: another kind of number
            continue
        return moment.timestamp() + _fraction(found[7])
    unix = _UNIX.search(stem)
    return int(unix[1]) + _fraction(unix[2]) if unix else None


def time_in_exif(file: Path) -> float | None:
    """Seconds since 1970 of EXIF DateTimeOriginal with SubSecTimeOriginal, its clock taken as UTC.

    Reads JPEG, PNG and TIFF. None where the file tells no time, has a damaged EXIF block, or cannot be read.
    """
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            starts = [0, *(data.find(mark, 0, _EXIF_WITHIN_BYTES) + len(mark) for mark in _EXIF_MARKS)]
            start = next(start for start in starts if data[start : start + 4] in _TIFF_ORDERS)
            order = _TIFF_ORDERS[data[start : start + 4]]
            (first,) = struct.unpack_from(order + "I", data, start + 4)
            (folder,) = struct.unpack(order + "I", _entries(data, start, first, order)[_EXIF_FOLDER])
            taken = _entries(data, start, folder, order)
        moment = datetime.strptime(_text(taken[_TAKEN]), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        return moment.timestamp() + _fraction(_text(taken.get(_TAKEN_FRACTION, b"")))
    except (OSError, ValueError, KeyError, StopIteration, struct.error):
        return None


def _entries(data: mmap.mmap, start: int, offset: int, order: str) -> dict[int, bytes]:
    """The texts and the long integers of one EXIF folder, by tag, as they are stored."""
    entries = {}
    (count,) = struct.unpack_from(order + "H", data, start + offset)
    for number in range(count):
        tag, kind, length, value = struct.unpack_from(order + "HHI4s", data, start + offset + 2 + 12 * number)
        if kind == _ASCII and length > 4:
            (place,) = struct.unpack(order + "I", value)
            value = data[start + place : start + place + length]
        if kind in (_ASCII, _LONG):
            entries[tag] = value
    return entries


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("ascii").strip()


def _fraction(digits: str | None) -> float:
    return float(f"0.{digits}") if digits else 0.0
