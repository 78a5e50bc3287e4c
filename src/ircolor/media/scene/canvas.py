"""What the scene is drawn on: near infrared and colour together, and the camera that looks at it."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 masks and layers, whatever numpy makes of them on the way
Colour = tuple[float, float, float]
Outline = list[tuple[float, float]]  # points (x, y) in pixels

CAMERA_HEIGHT_M = 1.6
HORIZON = 0.47  # of the height of the image, from its top
FOCAL = 0.95  # of the width of the image
_SHIFT = 4  # OpenCV takes points in 1/16 pixels


@dataclass
class Canvas:
    """Near infrared and colour, drawn together; values in [0, 1]."""

    infrared: Array
    rgb: Array
    random: np.random.Generator

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self.infrared.shape[0], self.infrared.shape[1]

    def paint(self, mask: Array, infrared: Array | float, rgb: Array | Colour) -> None:
        """Lay a colour over the picture where the mask, (H, W) in [0, 1], says so."""
        colour = np.asarray(rgb, np.float32)
        self.infrared += mask * (infrared - self.infrared)
        self.rgb += mask[..., None] * (colour - self.rgb)

    def shade(self, mask: Array, factor: float) -> None:
        """Darken, e.g. a shadow."""
        self.infrared *= 1 - mask * (1 - factor)
        self.rgb *= (1 - mask * (1 - factor))[..., None]

    def polygon(self, points: Outline) -> Array:
        """The mask of a polygon."""
        mask = np.zeros(self.size, np.float32)
        cv2.fillPoly(mask, _subpixels(points), 1.0, shift=_SHIFT)
        return mask

    def fill(self, points: Outline, infrared: float, rgb: Colour) -> None:
        """Draw a polygon in one colour, straight into the picture."""
        cv2.fillPoly(self.infrared, _subpixels(points), infrared, shift=_SHIFT)
        cv2.fillPoly(self.rgb, _subpixels(points), rgb, shift=_SHIFT)

    def noise(self, cell_px: float, octaves: int = 4) -> Array:
        """Soft noise of mean 0 and deviation 1, its largest blobs about `cell_px` wide."""
        height, width = self.size
        total = np.zeros(self.size, np.float32)
        for octave in range(octaves):
            cell = max(cell_px / 2**octave, 1.0)
            grid = self.random.standard_normal((int(height / cell) + 3, int(width / cell) + 3))
            blobs = cv2.resize(grid.astype(np.float32), None, fx=cell, fy=cell, interpolation=cv2.INTER_CUBIC)
            total += blobs[:height, :width] * 0.6**octave
        return np.asarray((total - total.mean()) / (total.std() + 1e-6))


def project(canvas: Canvas, x_m: float, z_m: float, up_m: float = 0.0) -> tuple[float, float]:
    """Pixel (x, y) of a point `x_m` right of the camera, `z_m` ahead and `up_m` above the road."""
    height, width = canvas.size
    scale = FOCAL * width / z_m
    return width / 2 + x_m * scale, HORIZON * height + (CAMERA_HEIGHT_M - up_m) * scale


def box(canvas: Canvas, left_m: float, right_m: float, low_m: float, high_m: float, z_m: float) -> Outline:
    """An upright rectangle that faces the camera."""
    left, low = project(canvas, left_m, z_m, low_m)
    right, high = project(canvas, right_m, z_m, high_m)
    return [(left, low), (right, low), (right, high), (left, high)]


def _subpixels(points: Outline) -> list[NDArray[np.int32]]:
    return [np.rint(np.array(points) * (1 << _SHIFT)).astype(np.int32)]
