"""Smooth seeded textures, and what other cameras see of them."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.registration.structure import Map
from ircolor.registration.transforms import Matrix, apply_matrix
from tests.registration.cameras import HEIGHT, WIDTH

NUM_WAVES = 30


def texture(matrix: Matrix | None = None, *, seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> Map:
    """Random waves, exact at any place: with a matrix, as a camera sees them whose px it takes to px without one.

    Returns:
        (height, width) float32, nearly all of it on 0..255.
    """
    return _waves(np.asarray(np.eye(3) if matrix is None else matrix, np.float64).tobytes(), seed, height, width).copy()


@lru_cache(maxsize=64)
def _waves(matrix: bytes, seed: int, height: int, width: int) -> Map:
    rng = np.random.default_rng(seed)
    lengths_px, turns, starts = np.geomspace(9, 70, NUM_WAVES), *rng.uniform(0, 2 * np.pi, (2, NUM_WAVES))
    waves = 2 * np.pi / lengths_px * np.stack([np.cos(turns), np.sin(turns)])
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2).astype(float)
    phases = apply_matrix(np.frombuffer(matrix).reshape(3, 3), places) @ waves + starts
    values = np.cos(phases.astype(np.float32)).sum(axis=1)
    return np.asarray(np.clip(127 + values * (50 / NUM_WAVES**0.5), 0, 255), np.float32).reshape(height, width)


def displaced(image: NDArray[np.uint8], matrix: Matrix) -> NDArray[np.uint8]:
    """An image as another camera sees it, whose px the matrix takes to those of the image; black outside of it."""
    height, width = image.shape[:2]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(image, matrix, (width, height), flags=flags), np.uint8)


def about_centre(turn_deg: float, scale: float, shift_px: tuple[float, float]) -> Matrix:
    """A similarity about the middle of the image."""
    turn = np.deg2rad(turn_deg)
    rows = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    return np.vstack([np.column_stack([rows, centre + shift_px - rows @ centre]), [0, 0, 1]])


def as_rgb(gray: Map) -> NDArray[np.uint8]:
    """The same values in three channels, (H, W, 3)."""
    return np.repeat(np.rint(gray).astype(np.uint8)[..., None], 3, axis=2)
