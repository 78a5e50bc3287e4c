"""Edge maps of colour images: what EdgeNet learns, and where errors are looked at."""

from collections.abc import Callable
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

EdgeTarget = Literal["canny", "find_edges"]

CANNY_THRESHOLDS = (100, 200)  # of the luma's Sobel gradient, in 8-bit units
FIND_EDGES_KERNEL = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32)


def canny_edges(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Edge map of the text: Canny on luma. (H, W, 3) uint8 RGB -> (H, W) of zeros and ones."""
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return (cv2.Canny(luma, *CANNY_THRESHOLDS) > 0).astype(np.float32)


def find_edges(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Edge map of the notebook: 3x3 Laplacian of the red channel. (H, W, 3) uint8 RGB -> (H, W) in [0, 1]."""
    red = rgb[..., 0].astype(np.float32) / 255
    laplacian = cv2.filter2D(red, cv2.CV_32F, FIND_EDGES_KERNEL, borderType=cv2.BORDER_REPLICATE)
    return laplacian.clip(0, 1).astype(np.float32, copy=False)


EDGE_MAPS: dict[EdgeTarget, Callable[[NDArray[np.uint8]], NDArray[np.float32]]] = {
    "canny": canny_edges,
    "find_edges": find_edges,
}
