"""Pictures of two cameras for tests, and an estimator that knows the answer."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.media.encode import write_image
from ircolor.media.scene import draw_road_scene
from ircolor.registration.estimate import Estimate
from ircolor.registration.features import Matches
from ircolor.registration.partners import Partners
from ircolor.registration.transforms import Warp

HEIGHT, WIDTH = 240, 320
# RGB px to infrared px: a turn of 2 degrees, a little smaller, shifted.
TURN = np.array([[0.959, -0.034, 9.0], [0.034, 0.959, 4.0], [0.0, 0.0, 1.0]])
SHIFT = np.array([[1.0, 0.0, 8.0], [0.0, 1.0, 4.0], [0.0, 0.0, 1.0]])

road = cache(draw_road_scene)


def write_view(
    folder: Path, stem: str, *, seed: int = 0, seed_rgb: int | None = None, matrix: NDArray[np.float64] = TURN
) -> Partners:
    """Write `infrared/STEM.png`, and the scene in colour as `rgb/STEM.png`: the matrix takes that to the infrared."""
    infrared, _ = road(HEIGHT, WIDTH, seed)
    _, rgb = road(HEIGHT, WIDTH, seed if seed_rgb is None else seed_rgb)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    displaced = cv2.warpAffine(rgb, matrix[:2], (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return write_images(folder, stem, np.asarray(displaced, np.uint8), infrared)


def write_images(folder: Path, stem: str, rgb: NDArray[Any], infrared: NDArray[Any]) -> Partners:
    """Write `rgb/STEM.png` and `infrared/STEM.png`."""
    pair = Partners(stem, folder / "rgb" / f"{stem}.png", folder / "infrared" / f"{stem}.png")
    write_image(pair.rgb, rgb)
    write_image(pair.infrared, infrared)
    return pair


def write_noise(folder: Path, num_pairs: int) -> list[Partners]:
    """Small pictures of nothing, for tests that bring their own estimator."""
    pairs = []
    for number in range(num_pairs):
        random = np.random.default_rng(number)
        rgb = random.integers(0, 256, (40, 48, 3), np.uint8)
        pairs.append(write_images(folder, f"{number:02d}", rgb, rgb[..., 1].copy()))
    return pairs


def use_estimator(patch: pytest.MonkeyPatch, known: Callable[..., Estimate]) -> None:
    """Have all pairs of this process estimated by a function that takes what `estimate` takes."""
    patch.setattr("ircolor.registration.pair.estimate", known)


def make_estimate(**changes: Any) -> Estimate:
    """An accepted shift by 8 px to the right and 4 px down, but for the changes."""
    values: dict[str, Any] = {
        "warp": Warp("similarity", SHIFT),
        "usable": None,
        "matches": Matches(np.zeros((0, 2)), np.zeros((0, 2))),
        "verdict": "accept",
        "reason": "as told",
        "num_inliers": 50,
        "coverage": 0.9,
        "residual_median_px": 0.2,
        "residual_p90_px": 0.4,
        "correlation_before": 0.1,
        "correlation_after": 0.6,
        "overlap": 0.8,
    }
    return Estimate(**(values | changes))


def corner_error_px(matrix: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Mean distance of the four image corners."""
    corners = np.array([[0, 0, 1], [WIDTH, 0, 1], [WIDTH, HEIGHT, 1], [0, HEIGHT, 1]]).T
    placed = [moved[:2] / moved[2] for moved in (matrix @ corners, truth @ corners)]
    return float(np.linalg.norm(placed[0] - placed[1], axis=0).mean())
