"""Little videos with known motion: a window that moves over a seeded texture."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
HEIGHT, WIDTH = 96, 128


def texture(seed: int = 0, height: int = 260, width: int = 360) -> Image:
    """(height, width) in [0.1, 0.8]: details of several sizes."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), sigma) * sigma for sigma in (1.5, 4, 12)]
    sum_ = np.sum(layers, axis=0)
    return np.asarray(0.1 + 0.7 * (sum_ - sum_.min()) / (sum_.max() - sum_.min()), np.float32)


def window(image: Image, x: float, y: float) -> Image:
    """What a camera sees at (x, y), which may lie between pixels."""
    shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, shift, (WIDTH, HEIGHT), flags=flags))


def noisy(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """As a sensor of this noise gives it."""
    return np.clip(image + sigma * rng.standard_normal(image.shape), 0, 1).astype(np.float32)


def painted(infrared: Image) -> Image:
    """(H, W, 3): some colour for each brightness, as a network gives it."""
    return np.stack([infrared, infrared**2, 1 - infrared], axis=2).astype(np.float32)
