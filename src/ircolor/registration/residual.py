"""What displacement is left between two images on one grid, block by block.

Each block of the infrared structure map is looked for in that of the warped RGB image. It serves three ends: where
blocks disagree there is parallax or motion, to be masked; what all blocks say together chooses the model; and how many
agree tells a right transform from a wrong one, for which each finds its best place anywhere.
"""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.media.images import Image
from ircolor.registration.resample import Points, shrink
from ircolor.registration.structure import Map, structure_channels, to_luma

# Long side that blocks are compared at. Displacements are known to a small part of a pixel of it.
RESIDUAL_PX = 512
BLOCK_PX, STEP_PX, SEARCH_PX = 32, 24, 8
REACH_PX = BLOCK_PX + 2 * SEARCH_PX
# A block must correlate at its best place by this much to say anything, ...
MIN_CORRELATION = 0.35
# ... and by this much more than at the border of its search, or it has no place of its own.
MIN_CONTRAST = 0.2
# Taken off the correlation at the border of the search: on a straight edge, all places along it are equally good, and
# the nearest is meant.
PRIOR = 0.06
# Blocks that moved by no more than this, in px of the compared size, agree with the transform.
AGREED_PX = 2.0


@dataclass(frozen=True, eq=False)
class Residual:
    """Displacements left in a pair, in px of the infrared image.

    Attributes:
        places: (N, 2), centres of the blocks that lie where both images are known and show some structure.
        shifts_px: (N, 2), by how much what the infrared block shows is displaced in the warped RGB image.
        telling: (N,), whether the block found a place of its own.
        cells: (N,), flat number of each block in the grid of all blocks.
        grid: number of rows and columns of that grid.
        compared: (height, width) that blocks were compared at.
        unit_px: px of the infrared image per px of that size.
    """

    places: Points
    shifts_px: Points
    telling: NDArray[np.bool_]
    cells: NDArray[np.intp]
    grid: tuple[int, int]
    compared: tuple[int, int]
    unit_px: float

    @property
    def num_blocks(self) -> int:
        """For how many blocks the image has room."""
        rows, columns = self.grid
        return rows * columns

    @property
    def lengths_px(self) -> NDArray[np.float64]:
        """Displacements of the telling blocks."""
        return np.asarray(np.linalg.norm(self.shifts_px[self.telling], axis=1))

    @property
    def agreed(self) -> NDArray[np.bool_]:
        """(N,), telling blocks that stayed where they were, but for AGREED_PX."""
        return np.asarray(self.telling & (np.linalg.norm(self.shifts_px, axis=1) <= AGREED_PX * self.unit_px))

    def spread(self, values: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
        """Give each pixel of an image of (height, width) the value of the nearest block, from one value a grid cell."""
        nearest = [
            np.clip(
                np.rint((((np.arange(length) + 0.5) * compared / length - 0.5) - (REACH_PX - 1) / 2) / STEP_PX),
                0,
                count - 1,
            ).astype(np.intp)
            for length, compared, count in zip(size, self.compared, self.grid, strict=True)
        ]
        return values[np.ix_(*nearest)]


class _Surface(NamedTuple):
    shift: tuple[float, float]
    peak: float
    contrast: float


def find_residual(warped: Map, infrared: Map, valid: NDArray[np.bool_]) -> Residual:
    """Compare two images on one grid block by block.

    Args:
        warped: (H, W), luma of the warped RGB image, on 0..255.
        infrared: (H, W) on 0..255.
        valid: (H, W), where both are known.
    """
    height, width = infrared.shape
    first, second = (structure_channels(shrink(gray, RESIDUAL_PX)[0]) for gray in (infrared, warped))
    compared = first.shape[0], first.shape[1]
    covered = cv2.integral(shrink(valid.astype(np.uint8), RESIDUAL_PX)[0])
    grid = tuple(max((length - REACH_PX) // STEP_PX + 1, 0) for length in compared)
    cells, shifts, telling = [], [], []
    for cell, (row, column) in enumerate(np.ndindex(*grid)):
        top, left = row * STEP_PX, column * STEP_PX
        bottom, right = top + REACH_PX, left + REACH_PX
        if covered[bottom, right] - covered[top, right] - covered[bottom, left] + covered[top, left] < REACH_PX**2:
            continue
        block = first[top + SEARCH_PX : bottom - SEARCH_PX, left + SEARCH_PX : right - SEARCH_PX]
        found = _match(block, second[top:bottom, left:right])
        cells.append(cell)
        shifts.append(found.shift)
        telling.append(found.peak > MIN_CORRELATION and found.contrast > MIN_CONTRAST)
    zoom = np.array([width / compared[1], height / compared[0]])
    numbers = np.array(cells, np.intp)
    centres = np.stack(np.divmod(numbers, max(grid[1], 1))[::-1], axis=1) * STEP_PX + (REACH_PX - 1) / 2
    return Residual(
        places=(centres + 0.5) * zoom - 0.5,
        shifts_px=np.array(shifts).reshape(-1, 2) * zoom,
        telling=np.array(telling, bool),
        cells=numbers,
        grid=(grid[0], grid[1]),
        compared=compared,
        unit_px=float(zoom.mean()),
    )


def misalignment_px(rgb: Image, infrared: Image) -> float:
    """Median displacement between the images of a finished pair, in px; NaN where no part of them can tell.

    Args:
        rgb: (H, W, 3) of any depth.
        infrared: (H, W) of any depth.
    """
    residual = find_residual(to_luma(rgb), to_luma(infrared), np.ones(infrared.shape, bool))
    return float(np.median(residual.lengths_px)) if residual.telling.any() else float("nan")


_OFFSETS = np.arange(-SEARCH_PX, SEARCH_PX + 1)
_PENALTY = PRIOR * (_OFFSETS[:, None] ** 2 + _OFFSETS**2) / SEARCH_PX**2
_RIM = np.maximum(abs(_OFFSETS[:, None]), abs(_OFFSETS)) >= SEARCH_PX - 1


def _match(block: Map, region: Map) -> _Surface:
    """Where a block (b, b, 3) lies in a region (b + 2 s, b + 2 s, 3), as a shift from its middle."""
    # Normalised over all channels together.
    surface = cv2.matchTemplate(region, block, cv2.TM_CCOEFF_NORMED)
    penalised = surface - _PENALTY
    row, column = np.unravel_index(int(penalised.argmax()), penalised.shape)
    peak = float(surface[row, column])
    shift = (
        _OFFSETS[column] + _vertex(surface[row], column),
        _OFFSETS[row] + _vertex(surface[:, column], row),
    )
    return _Surface(shift, peak, peak - float(np.median(surface[_RIM])))


def _vertex(values: Map, at: np.intp) -> float:
    """Where the parabola through a peak and its neighbours has its top, from the peak; 0 at the border."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, peak, after = (float(value) for value in values[at - 1 : at + 2])
    bend = before - 2 * peak + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
