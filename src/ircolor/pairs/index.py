"""Find the pairs of a folder.

A data folder holds either an `index.csv` with at least the columns `infrared` and `rgb` (paths from that
folder), or two folders `infrared/` and `rgb/` whose files share their stems. A pair may have a mask, an 8-bit gray
image of its size: 255 where a pixel may be used, 0 where the two images are not aligned, by parallax for example. It
is named in the column `mask`, or lies under the same stem in the folder `mask/`.
"""

import csv
import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.media.images import Infrared, images_in, read_infrared, read_rgb
from ircolor.media.intensity import IntensityRule

INDEX_NAME = "index.csv"
NUM_READERS = min(os.cpu_count() or 1, 8)
# Infrared (H, W) and RGB (H, W, 3), uint8; mask (H, W), True where a pixel may be used, None where all may.
Decoded = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_] | None]


class SizeMismatchError(UserError):
    """The two images of a pair differ in size."""


@dataclass(frozen=True)
class Pair:
    """One infrared image and the RGB image of the same view, pixel for pixel.

    Attributes:
        stem: its name; unique within a split.
        infrared: file of the infrared image.
        rgb: file of the RGB image, of the same height and width.
        scene: pairs of one scene never stand on both sides of a split.
        columns: all columns of its row in `index.csv`, for protocols.
        crop: (top, left, height, width) in px where the pair is only a part of its files.
        mask: file of the mask, of the same height and width; None where every pixel may be used.
    """

    stem: str
    infrared: Path
    rgb: Path
    scene: str
    columns: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    crop: tuple[int, int, int, int] | None = None
    mask: Path | None = None

    @property
    def residual_px(self) -> float:
        """By how many px it is misaligned, as its column `residual_px` says; 0 where nothing is said.

        Raises:
            UserError: what is said is no such number.
        """
        told = self.columns.get("residual_px") or "0"
        try:
            residual_px = float(told)
        except ValueError:
            residual_px = math.nan
        if not 0 <= residual_px < math.inf:
            raise UserError(f"pair {self.stem}: its residual_px is {told!r}; give a number of px, or leave it empty")
        return residual_px

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Decode both images.

        Returns:
            infrared (H, W) and RGB (H, W, 3), both uint8. Deeper infrared is mapped to [0, 255] by the `auto`
            intensity rule, the same that the runtime applies to such files.

        Raises:
            UserError: as `read_masked`.
        """
        infrared, rgb, _ = self.read_masked()
        return infrared, rgb

    def read_masked(self) -> Decoded:
        """Decode both images, and the mask where there is one.

        Returns:
            infrared and RGB as from `read`; mask (H, W) bool, True where a pixel may be used, or None.

        Raises:
            SizeMismatchError: the two images differ in size.
            UserError: a file is missing or broken, the two images look swapped, or the mask is of another size or
                leaves no pixel.
        """
        read, rgb = read_both(self.infrared, self.rgb)
        infrared = read.pixels
        if infrared.shape != rgb.shape[:2]:
            raise SizeMismatchError(
                f"{self.infrared} is {_size(infrared)} but {self.rgb} is {_size(rgb)}; "
                "a pair must be aligned and of one size"
            )
        mask = None
        if self.mask is not None:
            mask = read_infrared(self.mask).pixels > 127
            if mask.shape != infrared.shape:
                raise UserError(
                    f"{self.mask} is {_size(mask)} but {self.infrared} is {_size(infrared)}; "
                    "a mask must be of the size of its pair"
                )
        if self.crop is not None:
            top, left, height, width = self.crop
            if top + height > infrared.shape[0] or left + width > infrared.shape[1]:
                raise SizeMismatchError(
                    f"{self.infrared} is {_size(infrared)}, smaller than its columns width and height say; mend these"
                )
            window = np.s_[top : top + height, left : left + width]
            # Copies: a crop that is kept must not keep the whole picture in memory.
            infrared, rgb = infrared[window].copy(), rgb[window].copy()
            mask = None if mask is None else mask[window].copy()
        if mask is not None and not mask.any():
            raise UserError(
                f"{self.mask}: leaves no pixel of pair {self.stem} to use; take the pair out, or mend the mask "
                "(255 where a pixel may be used, else 0)"
            )
        return _to_uint8(infrared, IntensityRule("auto")), _to_uint8(rgb, IntensityRule("full")), mask


def read_both(infrared: Path, rgb: Path) -> tuple[Infrared, NDArray[Any]]:
    """Decode the two files of a pair as they are stored, of whatever sizes and depths.

    Raises:
        UserError: one is missing or broken, or the two look swapped.
    """
    read, pixels = read_infrared(infrared), read_rgb(rgb)
    if read.notes and (pixels == pixels[..., :1]).all():
        raise UserError(f"{infrared} is in colour and {rgb} is gray; are the two swapped?")
    return read, pixels


def find_pairs(data: Path) -> list[Pair]:
    """All pairs of a data folder, in the order of its index or of their stems.

    Raises:
        UserError: no such folder, no pairs in it, or rows and files without a partner: all are named.
    """
    pairs, problems = list_pairs(data)
    raise_problems(problems, f"files or rows of {data} cannot be used")
    return pairs


def list_pairs(data: Path) -> tuple[list[Pair], list[str]]:
    """As `find_pairs`, but rows and files without a partner are left out, with a line each that names them.

    Raises:
        UserError: no such folder, or nothing in it.
    """
    try:
        if not data.is_dir():
            raise UserError(f"{data}: no such folder; give one with {INDEX_NAME}, or with infrared/ and rgb/")
        index = data / INDEX_NAME
        pairs, problems = _from_index(index) if index.is_file() else _from_folders(data)
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read ({error.strerror}); check its permissions") from error
    if not pairs and not problems:
        raise UserError(f"{data}: no pairs in it; give one with {INDEX_NAME}, or with infrared/ and rgb/")
    return pairs, problems


def check_pairs(pairs: Sequence[Pair]) -> Iterable[Decoded]:
    """Decode every pair, in order and in parallel, and name all that are broken once the last one was read.

    Yields:
        What `Pair.read_masked` returns, of each sound pair.

    Raises:
        UserError: after the last pair, if any could not be read; names every one of them.
    """

    def read(pair: Pair) -> Decoded | UserError:
        try:
            return pair.read_masked()
        except UserError as error:
            return error

    problems = []
    with ThreadPoolExecutor(NUM_READERS) as pool:
        # In portions, so that results waiting for the consumer cannot fill the memory.
        for start in range(0, len(pairs), 2 * NUM_READERS):
            for result in pool.map(read, pairs[start : start + 2 * NUM_READERS]):
                if isinstance(result, UserError):
                    problems.append(brief(result))
                else:
                    yield result
    raise_problems(problems, "of the pairs cannot be used")


def spread_evenly(count: int, num_items: int) -> list[int]:
    """Numbers of `count` items from the first to the last of them all, evenly apart; all where there are fewer."""
    numbers: list[int] = np.linspace(0, num_items - 1, min(count, num_items)).round().astype(int).tolist()
    return numbers


def raise_problems(problems: Sequence[str], what: str) -> None:
    """Raise one UserError that lists every problem; return where there is none."""
    if len(problems) == 1:
        raise UserError(problems[0])
    if problems:
        raise UserError(f"{len(problems)} {what}:\n" + "\n".join(f"  {problem}" for problem in problems))


def _from_index(index: Path) -> tuple[list[Pair], list[str]]:
    try:
        # Names of files may be of any bytes; `register` writes them so, too.
        with index.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            rows = list(csv.DictReader(file))
    except (OSError, csv.Error) as error:
        raise UserError(f"{index}: cannot be read ({brief(error)}); it must be a CSV table in UTF-8") from error
    if rows and not {"infrared", "rgb"} <= rows[0].keys():
        raise UserError(f"{index}: needs the columns infrared and rgb; it has {', '.join(map(str, rows[0]))}")
    problems = []
    pairs = []
    for line, row in enumerate(rows, start=2):
        columns = {key: value or "" for key, value in row.items() if key is not None}
        if not (columns["infrared"] and columns["rgb"]):
            problems.append(f"{index}, line {line}: no infrared or rgb file given")
            continue
        infrared, rgb = index.parent / columns["infrared"], index.parent / columns["rgb"]
        mask = index.parent / columns["mask"] if columns.get("mask") else None
        files = (infrared, rgb) if mask is None else (infrared, rgb, mask)
        missing = [f"{index}, line {line}: {file} does not exist" for file in files if not file.is_file()]
        if missing:
            problems += missing
            continue
        stem = columns.get("stem") or infrared.stem
        pairs.append(Pair(stem, infrared, rgb, columns.get("scene") or stem, columns, mask=mask))
    return pairs, problems


def _from_folders(data: Path) -> tuple[list[Pair], list[str]]:
    folders = data / "infrared", data / "rgb", data / "mask"
    if not all(folder.is_dir() for folder in folders[:2]):
        raise UserError(f"{data}: has neither {INDEX_NAME} nor the folders infrared/ and rgb/")
    files = [images_in(folder) if folder.is_dir() else [] for folder in folders]
    problems = [
        f"{folder}: {count} files share the stem {stem}"
        for folder, members in zip(folders, files, strict=True)
        for stem, count in Counter(file.stem for file in members).items()
        if count > 1
    ]
    infrared, rgb, mask = ({file.stem: file for file in members} for members in files)
    problems += [
        f"{members[stem]}: no file of that stem in {folder}"
        for members, others, folder in (
            (infrared, rgb, folders[1]),
            (rgb, infrared, folders[0]),
            (mask, rgb, folders[1]),
        )
        for stem in sorted(members.keys() - others.keys())
    ]
    stems = sorted(infrared.keys() & rgb.keys())
    return [Pair(stem, infrared[stem], rgb[stem], stem, mask=mask.get(stem)) for stem in stems], problems


def _to_uint8(pixels: NDArray[Any], rule: IntensityRule) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    return np.rint(rule.window(pixels).apply(pixels) * 255).astype(np.uint8)


def _size(pixels: NDArray[np.generic]) -> str:
    return f"{pixels.shape[1]}x{pixels.shape[0]}"
