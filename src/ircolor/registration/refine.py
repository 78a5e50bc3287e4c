"""Refine a transform to a fraction of a pixel by what all edges say together.

Enhanced correlation coefficient maximisation (Evangelidis and Psarakis, PAMI 2008) in its inverse compositional form,
on the structure channels in place of intensities. OpenCV has it for one channel and without similarities. Contours
count here as much as corners do: each pixel pulls along its own gradient.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.registration.resample import shrink
from ircolor.registration.result import ModelName
from ircolor.registration.structure import Map, structure_channels
from ircolor.registration.transforms import Matrix

MAX_ITERATIONS = 15
# Moves of a corner below this end a level, in px of that level.
CONVERGED_PX = 0.01
# Share of the pixels with the steepest structure that take part, and how many of those at most.
STEEP_SHARE = 0.6
MAX_SAMPLES = 60_000
MARGIN_PX = 8
MIN_SAMPLES = 200
SEED = 2018


class Refined(NamedTuple):
    """Where refinement led.

    Attributes:
        matrix: (3, 3).
        correlation: of the structure channels at the last level that was refined, in [-1, 1].
        diverged: whether a level found nothing that correlates, or too little overlap; `matrix` is then that of the
            level before.
    """

    matrix: Matrix
    correlation: float
    diverged: bool


class Pyramid:
    """Structure channels of an image at the sizes that refinement asks for, each made once.

    Args:
        gray: (H, W) on 0..255.
    """

    def __init__(self, gray: Map) -> None:
        self.gray = gray
        self._levels: dict[int, tuple[Map, Matrix]] = {}

    def __getitem__(self, long_side: int) -> tuple[Map, Matrix]:
        """Channels (H, W, 3) at this long side in px, or at the full size if that is less; (3, 3) from full size px."""
        level = min(long_side, max(self.gray.shape))
        if level not in self._levels:
            small, zoom = shrink(self.gray, level)
            self._levels[level] = structure_channels(small), zoom
        return self._levels[level]


def refine(rgb: Pyramid, infrared: Pyramid, matrix: Matrix, model: ModelName, levels: Sequence[int]) -> Refined:
    """Improve a transform that is right to a few px.

    Args:
        rgb: of the RGB image's luma.
        infrared: of the infrared image.
        matrix: (3, 3), RGB px to infrared px.
        model: similarity, affine or homography; the result differs from `matrix` by a transform of that kind.
        levels: long sides in px that are refined at one after the other, from coarse to fine; larger than the images
            means their full size.
    """
    correlation = -1.0
    for level in levels:
        (channels_rgb, to_rgb), (channels_infrared, to_infrared) = rgb[level], infrared[level]
        start = to_infrared @ matrix @ np.linalg.inv(to_rgb)
        found = _refine_level(channels_rgb, channels_infrared, start, model)
        if found is None:
            return Refined(matrix, correlation, True)
        refined, correlation = found
        refined = np.linalg.inv(to_infrared) @ refined @ to_rgb
        matrix = refined / refined[2, 2]
    return Refined(matrix, correlation, False)


def _refine_level(rgb: Map, infrared: Map, matrix: Matrix, model: ModelName) -> tuple[Matrix, float] | None:
    """The matrix of the best correlation on the way, and that; None where nothing correlates or is left to compare."""
    height, width, _ = infrared.shape
    rgb = _turned(rgb, matrix)
    by_x, by_y = (cv2.Sobel(infrared, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))
    samples = _steep_pixels(by_x, by_y)
    if len(samples) < MIN_SAMPLES:
        return None
    y, x = np.divmod(samples, width)
    # Coordinates in [-1, 1] about the centre, so that all parameters weigh alike.
    half = width / 2
    normalise = np.array([[1 / half, 0, -width / 2 / half], [0, 1 / half, -height / 2 / half], [0, 0, 1]])
    by_x, by_y = by_x.reshape(height * width, -1)[samples], by_y.reshape(height * width, -1)[samples]
    jacobian = _jacobian(by_x, by_y, (x - width / 2) / half, (y - height / 2) / half, model)
    target = infrared.reshape(height * width, -1)[samples].ravel()
    places = np.stack([x, y, np.ones_like(x)]).astype(np.float64)
    backward: Matrix = np.asarray(np.linalg.inv(matrix))
    best: tuple[float, Matrix] | None = None
    for _ in range(MAX_ITERATIONS):
        moved = backward @ places
        source, inside = _sample(rgb, moved[:2] / moved[2])
        count = inside.sum()
        if count < MIN_SAMPLES:
            return None
        weights = np.repeat(inside, rgb.shape[2])
        total = weights.sum()
        warped, wanted = source - weights @ source / total, target - weights @ target / total
        weighted = jacobian * weights
        sums = weighted.sum(axis=1)
        hessian = (weighted @ jacobian.T - np.outer(sums, sums) / total).astype(np.float64)
        by_warped, by_wanted = (weighted @ warped).astype(np.float64), (weighted @ wanted).astype(np.float64)
        warped_energy, energy, product = (
            float((weights * a) @ b) for a, b in ((warped, warped), (wanted, wanted), (warped, wanted))
        )
        correlation = product / float(max((warped_energy * energy) ** 0.5, 1e-12))
        if best is None or correlation > best[0]:
            best = correlation, backward
        try:
            solved = np.linalg.solve(hessian, np.stack([by_warped, by_wanted], axis=1))
        except np.linalg.LinAlgError:
            return None
        gain = (energy - by_wanted @ solved[:, 1]) / max(product - by_wanted @ solved[:, 0], 1e-12)
        step = gain * solved[:, 0] - solved[:, 1] if gain > 0 else -solved[:, 1]
        move = _increment(step / half, model)
        backward = backward @ np.linalg.inv(np.linalg.inv(normalise) @ move @ normalise)
        backward /= backward[2, 2]
        if np.abs(step).max() < CONVERGED_PX:
            break
    assert best is not None
    correlation, backward = best
    if correlation <= 0:
        return None
    return np.asarray(np.linalg.inv(backward)), correlation


def _turned(channels: Map, matrix: Matrix) -> Map:
    """Structure channels with the directions that their edges have once a transform has turned the image."""
    twice = 2 * np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])
    cosine, sine = np.cos(twice), np.sin(twice)
    return np.asarray(cv2.transform(channels, np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])), np.float32)


def _steep_pixels(by_x: Map, by_y: Map) -> NDArray[np.intp]:
    """Flat indices of a sample of the pixels whose structure changes most, given its derivatives (H, W, 3)."""
    inside = np.s_[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    steepness = cv2.transform(by_x * by_x + by_y * by_y, np.ones((1, by_x.shape[2])))
    inner = np.zeros_like(steepness)
    inner[inside] = steepness[inside]
    threshold = np.quantile(inner[::3, ::3], 1 - STEEP_SHARE)
    steep = np.flatnonzero(inner.ravel() > threshold)
    share = MAX_SAMPLES / max(len(steep), 1)
    return steep if share >= 1 else steep[np.random.default_rng(SEED).random(len(steep)) < share]


def _jacobian(by_x: Map, by_y: Map, x: Map, y: Map, model: ModelName) -> Map:
    """How the samples change with each parameter of `_increment`.

    Args:
        by_x: (N, 3), derivatives of the channels at the samples.
        by_y: (N, 3).
        x: (N,), where the samples are, in normalised coordinates.
        y: (N,).
        model: whose parameters.

    Returns:
        (parameters, N * 3).
    """
    x, y = x[:, None].astype(np.float32), y[:, None].astype(np.float32)
    along = by_x * x + by_y * y
    if model == "similarity":
        rows = [by_x, by_y, along, by_y * x - by_x * y]
    else:
        rows = [by_x, by_y, by_x * x, by_x * y, by_y * x, by_y * y]
    if model == "homography":
        rows += [-x * along, -y * along]
    return np.stack(rows).reshape(len(rows), -1)


def _increment(step: NDArray[np.float64], model: ModelName) -> Matrix:
    """The transform near identity with the given parameters, in normalised coordinates."""
    if model == "similarity":
        shift_x, shift_y, grow, turn = step
        return np.array([[1 + grow, -turn, shift_x], [turn, 1 + grow, shift_y], [0, 0, 1]])
    shift_x, shift_y, xx, xy, yx, yy, *tilt = step
    return np.array([[1 + xx, xy, shift_x], [yx, 1 + yy, shift_y], [*tilt, 1] if tilt else [0, 0, 1]])


def _sample(channels: Map, places: NDArray[np.float64]) -> tuple[Map, Map]:
    """Channels at (2, N) places, (N * 3,), and (N,) 1 where the places lie inside, else 0."""
    height, width, num_channels = channels.shape
    x, y = places
    inside = (x > MARGIN_PX) & (x < width - MARGIN_PX) & (y > MARGIN_PX) & (y < height - MARGIN_PX)
    # OpenCV takes maps of up to 32767 columns and rows.
    side = int(np.ceil(len(x) ** 0.5))
    maps = np.zeros((2, side * side), np.float32)
    maps[:, : len(x)] = places
    map_x, map_y = maps.reshape(2, side, side)
    values = cv2.remap(channels, map_x, map_y, cv2.INTER_LINEAR)
    return values.reshape(-1, num_channels)[: len(x)].ravel(), inside.astype(np.float32)
