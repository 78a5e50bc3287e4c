"""Which picture of the colour camera belongs to which of the infrared camera."""

import csv
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.media.sources import folded, is_folder, open_source, place_of
from ircolor.media.times import time_of
from ircolor.pairs.index import raise_problems

MODALITIES = {"rgb", "vis", "visible", "color", "colour", "nir", "ir", "infrared", "thermal", "lwir", "swir"}
NUM_SHOWN = 3
FORBIDDEN_IN_NAMES = frozenset('\0<>:"|?*') if sys.platform == "win32" else frozenset("\0")
MAX_NAME_BYTES = 230  # what file systems take, less room for what is appended to the names of previews


@dataclass(frozen=True)
class Partners:
    """Two pictures of the same moment, not yet aligned.

    Attributes:
        stem: name of the pair; no two of a list share one.
        rgb: file of the colour camera.
        infrared: file of the infrared camera.
    """

    stem: str
    rgb: Path
    infrared: Path


def find_partners(
    rgb: Path, infrared: Path, match: Path | None = None, tolerance_s: float | None = None
) -> tuple[list[Partners], list[str]]:
    """Pair up the images of two folders, sub-folders included.

    Args:
        rgb: folder of the colour camera.
        infrared: folder of the infrared camera.
        match: CSV table with the columns rgb and infrared (paths from the two folders, or absolute) and, optionally,
            stem. When not given, files are matched by time if `tolerance_s` is given, else by their names:
            `drive1/0001.png` is called `drive1_0001` in both folders; only if nothing matches so, words such as rgb
            and nir in the names are ignored.
        tolerance_s: largest difference of the times, from EXIF or else from the names, that `time_of` reads.

    Returns:
        The pairs in the order of the table, or of their names or times; and one line for each file or row of the
        table that has no partner.

    Raises:
        UserError: no such folder, no images in it, two of one name, a name too long for a file, an unreadable table,
            or no pair at all.
    """
    for folder in (rgb, infrared):
        if not is_folder(folder):
            raise UserError(f"{folder}: no such folder; give the folder of one camera's images")
    if match is not None:
        return _by_table(match, rgb, infrared)
    if place_of(rgb) == place_of(infrared):
        raise UserError(f"{rgb}: is given for both cameras; give one folder for each, or a table of the pairs")
    (files_rgb, unread_rgb), (files_infrared, unread_infrared) = _images(rgb), _images(infrared)
    if tolerance_s is None:
        partners, problems = _by_name(files_rgb, files_infrared)
    else:
        partners, problems = _by_time(files_rgb, files_infrared, tolerance_s)
    return partners, unread_rgb + unread_infrared + problems


def _images(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The images below a folder by name, with `_` for `/`; and what of it could not be read."""
    source = open_source(str(folder))
    images = [item.relative for item in source.items if item.kind == "image"]
    if not images:
        raise UserError((*source.failures, f"{folder}: only videos in this folder; save their frames as images")[0])
    files = _unique((_flat(image), folder / image) for image in images)
    return files, list(source.failures)


def _flat(relative: Path) -> str:
    return "_".join(part for part in relative.with_suffix("").parts if part != "..")


def _unique(files: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """By name; a UserError names all files that share one."""
    by_name: dict[str, Path] = {}
    by_folded: dict[str, Path] = {}
    problems = []
    for name, file in files:
        by_name.setdefault(name, file)
        if (other := by_folded.setdefault(folded(name), file)) is not file:
            problems.append(f"{other} and {file}: both would be called {name}; rename or remove one")
    raise_problems(problems, "files share their name with another")
    long = [name for name in by_name if len(os.fsencode(name)) > MAX_NAME_BYTES]
    raise_problems(
        [f"{by_name[name]}: its name, that of its folders included, is too long; shorten one" for name in long],
        "files cannot give their name to a pair",
    )
    return by_name


def _by_name(rgb: dict[str, Path], infrared: dict[str, Path]) -> tuple[list[Partners], list[str]]:
    if not rgb.keys() & infrared.keys():
        plain = [_unique((_without_modality(name), file) for name, file in files.items()) for files in (rgb, infrared)]
        if not plain[0].keys() & plain[1].keys():
            raise UserError(
                f"no image of one camera has the name of one of the other: {_some(rgb.values())} against "
                f"{_some(infrared.values())}; name partners alike, match them by time, or give a table of the pairs"
            )
        rgb, infrared = plain
    pairs = [Partners(name, rgb[name], infrared[name]) for name in sorted(rgb.keys() & infrared.keys())]
    return pairs, [
        f"{file}: no image of that name from the {other} camera"
        for files, others, other in ((rgb, infrared, "infrared"), (infrared, rgb, "colour"))
        for name, file in sorted(files.items())
        if name not in others
    ]


def _without_modality(name: str) -> str:
    """`drive1_nir_0001` and `drive1-0001-rgb` become `drive1_0001`."""
    words = re.split(r"[_\-. ]+", name)
    return "_".join(word for word in words if word.lower() not in MODALITIES) or name


def _by_table(table: Path, rgb: Path, infrared: Path) -> tuple[list[Partners], list[str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            columns = reader.fieldnames or []
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{table}: cannot be read ({brief(error)}); it must be a CSV table in UTF-8") from error
    if not {"rgb", "infrared"} <= set(columns):
        raise UserError(f"{table}: needs the columns rgb and infrared; it has {', '.join(columns) or 'none'}")
    partners, problems, doubled = [], [], []
    lines: dict[str, int] = {}
    for line, row in rows:
        given = Path(row["infrared"] or "")
        files = rgb / (row["rgb"] or ""), infrared / given
        missing = [str(file) for file in files if not file.is_file()]
        if missing:
            problems.append(f"{table} line {line}: no file {' and no file '.join(missing)}")
            continue
        stem = row.get("stem") or (given.stem if given.is_absolute() else _flat(given))
        if stem != Path(stem).name or stem.startswith(".") or set(stem) & FORBIDDEN_IN_NAMES:
            problems.append(f"{table} line {line}: stem {stem} cannot name a file; use letters, digits, _ and -")
        elif (first := lines.setdefault(folded(stem), line)) != line:
            doubled.append(f"{table} line {line}: is called {stem} as line {first}; name another stem in that column")
        else:
            partners.append(Partners(stem, *files))
    raise_problems(doubled, f"stems stand twice in {table}")
    _unique((pair.stem, pair.infrared) for pair in partners)
    if not partners:
        raise UserError(problems[0] if problems else f"{table}: no rows in it; give one for each pair")
    return partners, problems


def _by_time(rgb: dict[str, Path], infrared: dict[str, Path], tolerance_s: float) -> tuple[list[Partners], list[str]]:
    sides = []
    problems = []
    for files in (rgb, infrared):
        times = {name: time_of(file) for name, file in files.items()}
        timed: dict[float, list[str]] = {}
        for time, name in sorted((time, name) for name, time in times.items() if time is not None):
            timed.setdefault(time, []).append(name)
        if not timed:
            raise UserError(
                f"{_some(files.values())}: no time in EXIF or name (such as 20181007_142530); match by name instead"
            )
        problems += [f"{files[name]}: no time in EXIF or name" for name, time in times.items() if time is None]
        sides.append(timed)
    times_rgb, times_infrared = (np.array(list(timed)) for timed in sides)
    to_infrared, to_rgb = _nearest(times_rgb, times_infrared), _nearest(times_infrared, times_rgb)
    apart_s = times_infrared[to_infrared] - times_rgb
    # One to one: each must be the nearest of the other.
    matched = [
        (number, int(other))
        for number, other in enumerate(to_infrared)
        if to_rgb[other] == number and abs(apart_s[number]) <= tolerance_s
    ]
    if not matched:
        typical_s = float(np.median(np.abs(apart_s)))
        hours = round(typical_s / 3600)
        clocks = f"are the clocks {hours} h apart" if hours else "is one clock wrong"
        raise UserError(
            f"no times within {tolerance_s:g} s ({_some(rgb.values())} against {_some(infrared.values())}); the "
            f"nearest times differ by {typical_s:.1f} s: {clocks}?"
        )
    pairs: list[Partners] = []
    told: set[Path] = set()
    for number, other in matched:
        # Those of one time belong together in the order of their names, if there are as many of both cameras.
        names_rgb, names_infrared = (list(timed.values())[at] for timed, at in zip(sides, (number, other), strict=True))
        if len(names_rgb) != len(names_infrared):
            problems.append(
                f"{_some(rgb[name] for name in names_rgb)} and {_some(infrared[name] for name in names_infrared)}: of "
                "one time, but not as many of both cameras; match them by name or by a table"
            )
            told |= {rgb[name] for name in names_rgb} | {infrared[name] for name in names_infrared}
            continue
        for name_rgb, name_infrared in zip(names_rgb, names_infrared, strict=True):
            pairs.append(Partners(name_infrared, rgb[name_rgb], infrared[name_infrared]))
    told |= {file for pair in pairs for file in (pair.rgb, pair.infrared)}
    problems += [
        f"{files[name]}: no partner within {tolerance_s:g} s"
        for files, timed in zip((rgb, infrared), sides, strict=True)
        for names in timed.values()
        for name in names
        if files[name] not in told
    ]
    return pairs, problems


def _nearest(times: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each time, the number of the nearest of the others; both ascend."""
    after = np.searchsorted(others, times).clip(max=len(others) - 1)
    before = (after - 1).clip(min=0)
    return np.where(times - others[before] <= others[after] - times, before, after)


def _some(files: Iterable[Path]) -> str:
    names = [str(file) for file in files]
    return ", ".join(names[:NUM_SHOWN]) + (" ..." if len(names) > NUM_SHOWN else "")
