"""Points given by hand in both images: reading them, and naming those that were clicked wrongly.

Distances are in px of the infrared image.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.pairs.index import raise_problems
from ircolor.registration.leave_one_out import fit_warp, is_degenerate, leave_one_out, simplest_model
from ircolor.registration.resample import Points
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import MIN_POINTS, Size, Warp, fit_affine, geometry_problem

COLUMNS = ("x_rgb", "y_rgb", "x_ir", "y_ir")
# Of the diagonal of the infrared image: points that are further off from each other show different things.
MAX_TYPICAL_ERROR = 0.1


@dataclass(frozen=True, eq=False)
class HandPoints:
    """Points that someone clicked in both images of a pair, or of a rig.

    Attributes:
        rgb: (N, 2), (x, y) in px of the RGB image.
        infrared: (N, 2), the same points in the infrared image.
        lines: the line of the file that each comes from.
        name: what to call the file in messages.
        clicked: the points in the images as stored, where these were straightened and the points with them.
    """

    rgb: Points
    infrared: Points
    lines: list[int]
    name: str = "the points"
    clicked: "HandPoints | None" = None

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, eq=False)
class HandFit:
    """The transform that points given by hand say.

    Attributes:
        warp: fitted to all points but the suspects.
        loo_errors_px: (N,), how far each point is from where the others (without the suspects) put it; NaN where
            the others are too few to say.
        suspects: numbers of the points that were probably clicked wrongly.
        complaints: one line for each suspect, with file and line.
    """

    warp: Warp
    loo_errors_px: NDArray[np.float64]
    suspects: list[int]
    complaints: list[str]


def read_points(file: Path) -> dict[str | None, HandPoints]:
    """Read a CSV table of points with the columns x_rgb, y_rgb, x_ir, y_ir and, optionally, stem.

    Returns:
        The points of each stem; of rows without one, which hold for all pairs of a rig, under None.

    Raises:
        UserError: it cannot be read, lacks columns or points, or has cells that are no numbers or points that stand
            there twice: all are named by their lines.
    """
    rows: dict[str | None, list[tuple[int, list[float]]]] = {}
    problems = []
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text, skipinitialspace=True)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise UserError(
                    f"{file}: no column {', '.join(missing)}; the first line must name {','.join(COLUMNS)} and, "
                    "for points of single pairs, stem, with commas between"
                )
            for row in reader:
                try:
                    numbers = [_number(row, column) for column in COLUMNS]
                except ValueError as error:
                    problems.append(f"{file} line {reader.line_num}: {error}")
                else:
                    rows.setdefault(row.get("stem") or None, []).append((reader.line_num, numbers))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file}: cannot be read ({brief(error)}); it must be a CSV table in UTF-8") from error
    for members in rows.values():
        seen: dict[tuple[float, ...], int] = {}
        for line, numbers in members:
            # Each image by itself: one place cannot be at two places of the other image.
            for side, place in (("RGB", (0.0, *numbers[:2])), ("infrared", (1.0, *numbers[2:]))):
                first = seen.setdefault(place, line)
                if first != line:
                    problems.append(f"{file} line {line}: the same {side} point as line {first}; remove one of them")
    raise_problems(problems, f"problems with the points of {file}")
    if not rows:
        raise UserError(f"{file}: no points in it; give one line for each point seen in both images")
    return {stem: _to_points(members, str(file)) for stem, members in rows.items()}


def fit_by_hand(
    points: HandPoints, model: Literal["auto"] | ModelName, rgb_shape: Size, infrared_shape: Size
) -> HandFit:
    """Fit a transform to points given by hand, leaving out those that contradict all others.

    Args:
        points: the points of one pair or rig.
        model: what to fit; `auto` takes the simplest whose leave-one-out error no richer one clearly improves.
        rgb_shape: (height, width) of the RGB image.
        infrared_shape: the same of the infrared image.

    Raises:
        UserError: points outside of their image, too few for the model, or on one line, swapped columns, or a
            transform that no two cameras have.
    """
    # Straightening moves points near the border out of the image; they are there all the same.
    _check_inside(points.clicked or points, rgb_shape, infrared_shape)
    ends = points.rgb, points.infrared
    if model == "auto":
        model = simplest_model(*ends)
    if len(points) < MIN_POINTS[model]:
        raise UserError(
            f"{points.name}: {len(points)} point{'s' * (len(points) != 1)} from line {points.lines[0]} on; the "
            f"{model} model needs at least {MIN_POINTS[model]}, better twice as many: click more"
        )
    if is_degenerate(*ends, model):
        raise UserError(
            f"{points.name} lines {points.lines[0]} to {points.lines[-1]}: too many of the points lie on one line for "
            f"the {model} model; click some away from that line, or use the similarity model"
        )
    errors_px, trusted = leave_one_out(*ends, model)
    warp = fit_warp(points.rgb[trusted], points.infrared[trusted], model)
    problem = geometry_problem(warp.matrix, rgb_shape, infrared_shape)
    # A similarity cannot mirror: it would hide exchanged x and y in a bad fit.
    if model == "similarity" and not is_degenerate(*ends, "affine"):
        mirrors = np.linalg.det(fit_affine(*ends)) < 0
        problem = "it mirrors the image" if mirrors else problem
    typical_px = float(np.median(errors_px))  # NaN, and so never too large, where not known
    if typical_px > MAX_TYPICAL_ERROR * math.hypot(*infrared_shape[:2]):
        problem = problem or f"half of them are more than {typical_px:.0f} px off from where the others put them"
    if problem:
        raise UserError(
            f"{points.name}: the transform through the points cannot be right ({problem}); are x and y, or the two "
            "images, exchanged, or points clicked in another order?"
        )
    suspects = sorted(set(range(len(points))) - set(trusted))
    complaints = [
        f"{points.name} line {points.lines[number]}: {errors_px[number]:.1f} px off from where the other "
        f"{len(trusted)} points put it; click it again"
        for number in suspects
    ]
    return HandFit(warp, errors_px, suspects, complaints)


def _number(row: dict[str, str | None], column: str) -> float:
    text = row[column] or ""  # None where the line ends early
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(f"{column} is '{text}'; give a number in px")
    return number


def _to_points(members: list[tuple[int, list[float]]], name: str) -> HandPoints:
    numbers = np.array([numbers for _, numbers in members])
    return HandPoints(numbers[:, :2], numbers[:, 2:], [line for line, _ in members], name)


def _check_inside(points: HandPoints, rgb_shape: Size, infrared_shape: Size) -> None:
    sides = (("x_rgb,y_rgb", "RGB", points.rgb, rgb_shape), ("x_ir,y_ir", "infrared", points.infrared, infrared_shape))
    outside = [~_inside(places, shape) for _, _, places, shape in sides]
    if not np.any(outside):
        return
    first = points.lines[int(np.argmax(outside[0] | outside[1]))]
    if _inside(points.rgb, infrared_shape).all() and _inside(points.infrared, rgb_shape).all():
        raise UserError(
            f"{points.name}: points lie outside of their image (line {first}), but inside with the two images "
            "exchanged; exchange the columns x_rgb,y_rgb and x_ir,y_ir, or click again"
        )
    for (columns, side, places, shape), misses in zip(sides, outside, strict=True):
        if misses.any() and _inside(places[:, ::-1], shape).all():
            raise UserError(
                f"{points.name}: points lie outside of the {side} image of {shape[1]}x{shape[0]} (line {first}), but "
                f"inside with x and y exchanged; exchange the columns {columns}, or click again"
            )
    raise_problems(
        [
            f"{points.name} line {points.lines[number]}: {columns} = {places[number, 0]:g},{places[number, 1]:g} lies "
            f"outside of the {side} image of {shape[1]}x{shape[0]}; click it again"
            for (columns, side, places, shape), misses in zip(sides, outside, strict=True)
            for number in np.flatnonzero(misses)
        ],
        f"points of {points.name} lie outside of their image",
    )


def _inside(places: Points, shape: Size) -> NDArray[np.bool_]:
    return np.asarray(((places >= -0.5) & (places <= np.array(shape[1::-1]) - 0.5)).all(axis=1))
