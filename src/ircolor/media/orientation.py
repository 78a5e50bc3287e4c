"""Turn pictures upright: cameras store them as the sensor lies, and note in EXIF how to turn them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror stored pixels so that they show the scene as it was.

    Args:
        pixels: (H, W) or (H, W, C), as stored.
        orientation: 1 to 8, as EXIF and TIFF number it (`ircolor.media.exif`).

    Returns:
        The same pixels, height and width exchanged for orientations 5 to 8; maybe a view.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
