"""When a picture was taken: from what the camera wrote into it (EXIF), or from the name of its file.

Times are seconds since 1970 without time zone: cameras do not say which one they mean, so only the times of cameras
that were set alike can be compared.
"""

import mmap
import re
from datetime import UTC, datetime
from pathlib import Path

from ircolor.media.exif import find_exif

# 20181007_142530, 20181007_142530123, 2018-10-07T14-25-30.123, 2018:10:07 14:25:30 and the like.
_CALENDAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.:]?(\d\d)[-_.:]?(\d\d)[-_.T ]?(\d\d)[-_.:h]?(\d\d)[-_.:m]?(\d\d)"
    r"(?:[-_.]?(\d{3}|\d{6}|\d{9}))?(?!\d)"
)
# Seconds since 1970 from 2001 to 2033, and what follows: milli-, micro-, nanoseconds, with a point before or not.
_UNIX = re.compile(r"(?<!\d)(1\d{9})(?:[._]?(\d{3}|\d{6}|\d{9}))?(?!\d)")

_TAKEN, _TAKEN_FRACTION = 0x9003, 0x9291


def time_of(file: Path) -> float | None:
    """When a picture was taken, in s since 1970: by its EXIF data, else by its name; None where neither tells."""
    taken = time_in_exif(file)
    return time_in_name(file.stem) if taken is None else taken


def time_in_name(name: str) -> float | None:
    """The time written in a name, in s since 1970: a date with a time of day, or seconds since 1970."""
    for found in _CALENDAR.finditer(name):
        *parts, fraction = found.groups()
        try:
            moment = datetime.strptime("".join(parts), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:  # no such day or hour: another kind of number
            continue
        return moment.timestamp() + _fraction(fraction)
    unix = _UNIX.search(name)
    return int(unix[1]) + _fraction(unix[2]) if unix else None


def time_in_exif(file: Path) -> float | None:
    """EXIF's DateTimeOriginal with SubSecTimeOriginal of a JPEG, PNG, WebP or TIFF file, in s since 1970.

    What is broken counts as absent. So does a file that cannot be read, as reading its image will tell that.
    """
    try:
        # Mapped, as the tags of a TIFF file may stand behind hundreds of megabytes of pixels.
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = find_exif(data)
            tags = found.photo_tags() if found else {}
    except (OSError, ValueError):  # ValueError: an empty file cannot be mapped
        return None
    taken = time_in_name(_text(tags.get(_TAKEN, b"")))
    fraction = _text(tags.get(_TAKEN_FRACTION, b""))
    return taken + _fraction(fraction) if taken is not None and re.fullmatch("[0-9]+", fraction) else taken


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("ascii", "replace").strip()


def _fraction(digits: str | None) -> float:
    return float(f"0.{digits}") if digits else 0.0
