"""Write aligned pairs: warped onto one grid, cropped to what both cameras saw, and listed in an index."""

import csv
import io
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ircolor.atomic import write_atomic
from ircolor.errors import UserError
from ircolor.media.encode import write_image
from ircolor.media.images import Image
from ircolor.media.intensity import IntensityRule
from ircolor.pairs.index import INDEX_NAME
from ircolor.registration.result import Verdict

INDEX_COLUMNS = ("stem", "infrared", "rgb", "mask", "width", "height", "scene", "verdict")
ACCEPTED: tuple[Verdict, ...] = ("accept",)
Onto = Literal["infrared", "rgb"]
Crop = tuple[int, int, int, int]


class Warp(Protocol):
    """What moves one image of a pair onto the grid of the other."""

    def rgb_onto_infrared(self, image: Image, size: tuple[int, int]) -> tuple[Image, NDArray[np.bool_]]:
        """The warped image and where it is valid, both of the (height, width) given."""

    def infrared_onto_rgb(self, image: Image, size: tuple[int, int]) -> tuple[Image, NDArray[np.bool_]]:
        """The same the other way round."""


@dataclass(frozen=True)
class AlignedPair:
    """Two images of one view, pixel for pixel.

    Attributes:
        infrared: (H, W), of the depth that it came with.
        rgb: (H, W, 3), of the depth that it came with.
        crop: (top, left, height, width) in px, on the grid that the pair was aligned onto.
    """

    infrared: Image
    rgb: Image
    crop: Crop


@dataclass(frozen=True)
class IndexRow:
    """One pair of the folder.

    Attributes:
        stem: names its files.
        verdict: of its registration.
        size: height and width in px.
        scene: what must not be torn apart by a split; empty where unknown.
    """

    stem: str
    verdict: Verdict
    size: tuple[int, int]
    scene: str = ""


def largest_rectangle(valid: NDArray[np.bool_]) -> Crop:
    """The largest axis-aligned rectangle that holds nothing but True.

    Args:
        valid: (H, W).

    Returns:
        (top, left, height, width) in px; the first of several equals, all zeros where nothing is True.
    """
    num_rows, num_columns = valid.shape
    columns = np.arange(num_columns, dtype=np.int32)
    # The run of True that each pixel lies in: its first column, and the first one after it.
    run_start = np.maximum.accumulate(np.where(valid, 0, columns + 1), axis=1)
    run_end = np.minimum.accumulate(np.where(valid, num_columns, columns)[:, ::-1], axis=1)[:, ::-1]
    # Row by row, each column holds the widest rectangle that stands on this row and is as high as the column
    # is True; the largest of all is among these.
    height, start, end = np.zeros_like(columns), np.zeros_like(columns), np.full_like(columns, num_columns)
    best_area, best = 0, (0, 0, 0, 0)
    for row in range(num_rows):
        inside = valid[row]
        height = (height + 1) * inside
        start = np.where(inside, np.maximum(start, run_start[row]), 0)
        end = np.where(inside, np.minimum(end, run_end[row]), num_columns)
        area = height * (end - start)
        column = int(area.argmax())
        if area[column] > best_area:
            best_area = int(area[column])
            top, left = row + 1 - int(height[column]), int(start[column])
            best = top, left, int(height[column]), int(end[column]) - left
    return best


def align(
    rgb: Image,
    infrared: Image,
    warp: Warp,
    onto: Onto = "infrared",
    seen_rgb: NDArray[np.bool_] | None = None,
    seen_infrared: NDArray[np.bool_] | None = None,
) -> AlignedPair:
    """Warp one image onto the grid of the other and crop both to the largest rectangle that both fill.

    Args:
        rgb: (H, W, 3) as stored.
        infrared: (h, w) as stored.
        warp: the transform found between them.
        onto: whose pixels stay as they are.
        seen_rgb: which pixels of the RGB image its camera saw, (H, W); None for all. A straightened image has others.
        seen_infrared: the same of the infrared image, (h, w).

    Raises:
        UserError: nothing is left of one on the other.
    """
    if onto == "infrared":
        move, size, still, moved = warp.rgb_onto_infrared, infrared.shape[:2], seen_infrared, seen_rgb
        rgb, valid = move(rgb, size)
    else:
        move, size, still, moved = warp.infrared_onto_rgb, rgb.shape[:2], seen_rgb, seen_infrared
        infrared, valid = move(infrared, size)
    if still is not None:
        valid = valid & still
    if moved is not None:
        seen, _ = move(moved.astype(np.uint8) * 255, size)
        valid = valid & (seen == 255)
    top, left, height, width = crop = largest_rectangle(valid)
    if not height:
        raise UserError("the two images have no area in common after warping; are they of one view?")
    window = np.s_[top : top + height, left : left + width]
    return AlignedPair(infrared[window], rgb[window], crop)


def write_pair(folder: Path, stem: str, aligned: AlignedPair, mask: NDArray[np.bool_] | None = None) -> bool:
    """Write `infrared/STEM.png`, `rgb/STEM.png` and, where something is masked, `mask/STEM.png` (255 usable, 0 not).

    8 and 16 bits are kept; float becomes 16 bit, the infrared by the `auto` intensity rule.

    Args:
        folder: of all pairs.
        stem: names the files.
        aligned: the pair.
        mask: (H, W) of the aligned pair, True where it is usable; None where all of it is.

    Returns:
        Whether a mask was written.

    Raises:
        UserError: a file cannot be written.
    """
    write_image(folder / "infrared" / f"{stem}.png", _storable(aligned.infrared, IntensityRule("auto")))
    write_image(folder / "rgb" / f"{stem}.png", _storable(aligned.rgb, IntensityRule("full")))
    mask_file = folder / "mask" / f"{stem}.png"
    if mask is not None and not mask.all():
        write_image(mask_file, mask.astype(np.uint8) * 255)
        return True
    mask_file.unlink(missing_ok=True)  # one of an earlier run would hide good pixels
    return False


def write_index(folder: Path, rows: Iterable[IndexRow], keep: Collection[Verdict] = ACCEPTED) -> None:
    """Write the `index.csv` that training and scoring read.

    Args:
        folder: of all pairs; a row names its mask where `mask/STEM.png` exists there.
        rows: in the order wanted.
        keep: only pairs with one of these verdicts are listed.

    Raises:
        UserError: it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(INDEX_COLUMNS)
    for row in rows:
        if row.verdict not in keep:
            continue
        infrared, rgb, mask = (f"{kind}/{row.stem}.png" for kind in ("infrared", "rgb", "mask"))
        height, width = row.size
        mask = mask if (folder / mask).is_file() else ""
        writer.writerow([row.stem, infrared, rgb, mask, width, height, row.scene, row.verdict])
    write_atomic(folder / INDEX_NAME, text.getvalue().encode(errors="surrogateescape"))


def _storable(pixels: Image, rule: IntensityRule) -> NDArray[Any]:
    """Pixels of 8 or 16 bits, which is what a PNG file holds."""
    if np.issubdtype(pixels.dtype, np.integer):
        return pixels
    return np.rint(rule.window(pixels).apply(pixels) * np.iinfo(np.uint16).max).astype(np.uint16)
