"""What a SOURCE of the command line means: an image, a folder, a glob, or standard input."""

import glob
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ircolor.errors import UserError
from ircolor.media.images import is_image

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"})


@dataclass(frozen=True)
class SourceImage:
    """One image to read.

    Attributes:
        name: what to call it in messages.
        content: its file, or its bytes.
        relative: its place in an output folder, with the suffix of the input.
    """

    name: str
    content: Path | bytes
    relative: Path


@dataclass(frozen=True)
class Source:
    """A SOURCE and the images found in it.

    Attributes:
        kind: what it is.
        base: the folder that `relative` of the images counts from.
        images: in the order of their names.
        failures: one line for each part that could not be read.
    """

    kind: Literal["image", "folder", "glob", "stdin"]
    base: Path
    images: tuple[SourceImage, ...]
    failures: tuple[str, ...] = ()


def open_source(text: str, skip: Path | None = None) -> Source:
    """Find the images of a SOURCE.

    Args:
        text: a file, a folder (searched with its sub-folders, without hidden files), a glob (** for any
            depth), or -.
        skip: a folder whose images are left out if it lies inside the source: it holds outputs of an earlier run.

    Raises:
        UserError: nothing, or a video or a camera, which this version does not read.
    """
    if not text:
        raise UserError("an empty SOURCE (an unset variable?); give an image, a folder, a glob, or -")
    path = Path(text)
    if text == "-":
        content = sys.stdin.buffer.read()
        return Source("stdin", Path(), (SourceImage("standard input", content, Path("stdin")),))
    if is_folder(path):
        return _open_folder(path, skip)
    if re.match(r"camera:\d+$|[a-z]+://", text) or path.suffix.lower() in VIDEO_SUFFIXES:
        raise UserError(f"{text}: this version reads images only; save the frames as images first")
    if glob.has_magic(text) and not exists(path):
        return _open_glob(text, skip)
    return Source("image", path.parent, (SourceImage(text, path, Path(path.name)),))


def is_folder(path: Path) -> bool:
    """As Path.is_dir, but false rather than an error where a parent is locked: reading or writing tells that."""
    return os.path.isdir(path)  # noqa: PTH112


def exists(path: Path) -> bool:
    """As Path.exists, but false rather than an error where a parent is locked or the name is too long."""
    return os.path.exists(path)  # noqa: PTH110


def _open_folder(folder: Path, skip: Path | None) -> Source:
    failures: list[str] = []

    def note(error: OSError) -> None:
        failures.append(f"{error.filename}: the folder cannot be read ({error.strerror}); check its permissions")

    images: list[SourceImage] = []
    for place, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if _within(Path(place), skip, folder):
            folders.clear()
            continue
        for name in sorted(files):
            path = Path(place, name)
            if is_image(path) and not name.startswith(".") and path.is_file():
                images.append(SourceImage(str(path), path, path.relative_to(folder)))
    if not images and not failures:
        failures.append(f"{folder}: no images in this folder; give one with PNG, JPEG, TIFF or other image files")
    return Source("folder", folder, tuple(images), tuple(failures))


def _within(path: Path, skip: Path | None, base: Path) -> bool:
    """Whether a path lies in the folder to skip, which counts only where it is a part of the source."""
    if skip is None or resolved(skip) == resolved(base) or not resolved(skip).is_relative_to(resolved(base)):
        return False
    return resolved(path).is_relative_to(resolved(skip))


def resolved(path: Path) -> Path:
    """As Path.resolve, but also where symbolic links run in a circle."""
    return Path(os.path.realpath(path))


def _open_glob(pattern: str, skip: Path | None) -> Source:
    fixed: list[str] = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    base = Path(*fixed)
    images: list[SourceImage] = []
    for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207  (for absolute patterns)
        path = Path(match)
        if is_image(path) and path.is_file() and not _within(path, skip, base):
            images.append(SourceImage(match, path, path.relative_to(base)))
    failures = () if images else (f"{pattern}: no image matches; check the pattern",)
    return Source("glob", base, tuple(images), failures)
