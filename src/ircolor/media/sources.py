"""What a SOURCE of the command line means: an image, a video, a folder of them, a glob, or standard input."""

import glob
import os
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2

from ircolor.errors import UserError
from ircolor.media.images import is_image, page_sizes

_VIDEO_ENDINGS = (
    "3gp asf avi dav flv gif h264 h265 hevc m2ts m4v mjpeg mjpg mkv mov mp4 mpeg mpg mts mxf nut ogv ts vob "
    "webm wmv y4m"
)
VIDEO_SUFFIXES = frozenset(f".{ending}" for ending in _VIDEO_ENDINGS.split())

# Where A and a name one file. Linux tells them apart, and its file systems store names as they are given.
FOLDS_NAMES = sys.platform in ("darwin", "win32")

Kind = Literal["image", "video"]


@dataclass(frozen=True)
class SourceItem:
    """One image or video to read.

    Attributes:
        kind: which of the two.
        name: what to call it in messages.
        content: its file, or its bytes.
        relative: its place in an output folder, with the suffix of the input.
    """

    kind: Kind
    name: str
    content: Path | bytes
    relative: Path


@dataclass(frozen=True)
class Source:
    """A SOURCE and what was found in it.

    Attributes:
        kind: what it is.
        base: the folder that `relative` of the items counts from.
        items: in the order of their names.
        failures: one line for each part that could not be read.
    """

    kind: Literal["file", "folder", "glob", "stdin"]
    base: Path
    items: tuple[SourceItem, ...]
    failures: tuple[str, ...] = ()


def open_source(text: str, skip: Path | None = None) -> Source:
    """Find the images and videos of a SOURCE.

    Args:
        text: a file, a folder (searched with its sub-folders, without hidden files), a glob (** for any
            depth), or -.
        skip: a folder whose files are left out if it lies inside the source: it holds outputs of an earlier run.

    Raises:
        UserError: the text is empty, or standard input is closed.
    """
    if not text:
        raise UserError("an empty SOURCE (an unset variable?); give an image, a video, a folder, a glob, or -")
    path = Path(text)
    if text == "-":
        if sys.stdin is None:
            raise UserError("-: standard input is closed; give an image, or a pipe that brings one")
        content = sys.stdin.buffer.read()
        return Source("stdin", Path(), (SourceItem("image", "standard input", content, Path("stdin")),))
    if is_folder(path):
        return _open_folder(path, skip)
    if glob.has_magic(text) and not exists(path):
        return _open_glob(text, skip)
    kind = _kind_by_name(path) or _kind_by_content(path)
    return Source("file", path.parent, (SourceItem(kind, text, path, Path(path.name)),))


def _kind_by_name(path: Path) -> Kind | None:
    if is_image(path):
        return "image"
    return "video" if path.suffix.lower() in VIDEO_SUFFIXES else None


def _kind_by_content(path: Path) -> Kind:
    """Of a file that is given by name: a video unless it is, or may be, an image."""
    if not os.path.isfile(path):  # noqa: PTH113
        return "image"
    try:
        known = page_sizes(path)[0] is not None  # OpenCV finds no file of a foreign name on Windows
    except UserError:  # reading tells what is wrong
        return "image"
    name: Any = os.fsencode(path)  # OpenCV dies of text that is no UTF-8
    return "image" if known or cv2.haveImageReader(name) else "video"


def is_folder(path: Path) -> bool:
    """As Path.is_dir, but false rather than an error where a parent is locked: reading or writing tells that."""
    return os.path.isdir(path)  # noqa: PTH112


def exists(path: Path) -> bool:
    """As Path.exists, but false rather than an error where a parent is locked or the name is too long."""
    return os.path.exists(path)  # noqa: PTH110


def _may_be_file(path: Path) -> bool:
    """Whether it is a file, or lies in a folder that is locked: reading tells that, and the others are done."""
    try:
        return path.is_file()
    except PermissionError:
        return True


def _open_folder(folder: Path, skip: Path | None) -> Source:
    failures: list[str] = []

    def note(error: OSError) -> None:
        failures.append(f"{error.filename}: the folder cannot be read ({error.strerror}); check its permissions")

    items: list[SourceItem] = []
    for place, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if _within(Path(place), skip, folder):
            folders.clear()
            continue
        for name in sorted(files):
            path = Path(place, name)
            if (kind := _kind_by_name(path)) and not name.startswith(".") and _may_be_file(path):
                items.append(SourceItem(kind, str(path), path, path.relative_to(folder)))
    if not items and not failures:
        failures.append(f"{folder}: no images or videos in this folder; give one with PNG, JPEG, TIFF, MP4 or the like")
    return Source("folder", folder, tuple(items), tuple(failures))


def _within(path: Path, skip: Path | None, base: Path) -> bool:
    """Whether a path lies in the folder to skip, which counts only where it is a part of the source."""
    if skip is None or place_of(skip) == place_of(base) or not place_of(skip).is_relative_to(place_of(base)):
        return False
    return place_of(path).is_relative_to(place_of(skip))


def resolved(path: Path) -> Path:
    """As Path.resolve, but also where symbolic links run in a circle."""
    return Path(os.path.realpath(path))


def folded(name: str) -> str:
    """What names of one file have in common where the system does not tell A from a, nor ways to write an umlaut."""
    return unicodedata.normalize("NFC", name).lower() if FOLDS_NAMES else name


def place_of(path: Path) -> Path:
    """The same for all names of one file."""
    return Path(folded(str(resolved(path))))


def _open_glob(pattern: str, skip: Path | None) -> Source:
    fixed: list[str] = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    base = Path(*fixed)
    items: list[SourceItem] = []
    for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207  (for absolute patterns)
        path = Path(match)
        if (kind := _kind_by_name(path)) and _may_be_file(path) and not _within(path, skip, base):
            items.append(SourceItem(kind, match, path, path.relative_to(base)))
    failures = () if items else (f"{pattern}: no image or video matches; check the pattern",)
    return Source("glob", base, tuple(items), failures)
