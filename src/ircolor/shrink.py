"""Pictures made small: to which size a network is shown them, and how."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.media.decode import strips_of


def seen_size(shape: tuple[int, ...], view_px: int) -> tuple[int, int]:
    """Height and width that a network is shown of an image.

    Args:
        shape: of the image, (H, W).
        view_px: what the shorter side is shrunk to where it is larger; 0 to show every image as it is.
    """
    height, width = shape
    shorter = min(shape)
    if not view_px or shorter <= view_px:
        return height, width
    return round(height * view_px / shorter), round(width * view_px / shorter)


def shrink(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Shrink an image, each pixel the mean of those that it covers.

    Args:
        pixels: (H, W) or (H, W, C), uint8, uint16 or float.
        size: height and width of the result, at most those of the image.

    Returns:
        The same type; float32 for floats that OpenCV has not.
    """
    if pixels.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        pixels = pixels.astype(np.float32)
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA))


def shrink_mapped(
    pixels: NDArray[Any], size: tuple[int, int], to_unit: Callable[[NDArray[Any]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Shrink what becomes of an image's stored values, without all of it in memory.

    The values themselves must not be averaged: means of integers are rounded, and outliers that are to be clipped would
    outshine what is around them.

    Args:
        pixels: (H, W), of any type.
        size: height and width of the result, at most those of the image.
        to_unit: maps stored values to [0, 1].
    """
    width = size[1]
    narrow = [shrink(to_unit(pixels[rows]), (len(pixels[rows]), width)) for rows in strips_of(pixels)]
    return np.asarray(shrink(np.concatenate(narrow), size))
