"""How far the two images of a pair are shifted against each other."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_RESPONSE = 0.2  # below, the peak of the correlation is no better than chance


def misalignment_px(rgb: NDArray[np.uint8], infrared: NDArray[np.uint8]) -> float:
    """The length of the shift between the edges of both images, by phase correlation.

    Args:
        rgb: (H, W, 3), uint8.
        infrared: (H, W), uint8.

    Returns:
        In px of the images; NaN where it cannot be told.
    """
    luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    window = cv2.createHanningWindow(luma.shape[::-1], cv2.CV_32F)
    shift_px, response = cv2.phaseCorrelate(_structure(luma), _structure(infrared), window)
    return math.hypot(*shift_px) if response >= MIN_RESPONSE else math.nan


def _structure(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Gradient magnitude relative to that of the surroundings: contrast may be inverted between the spectra."""
    smooth = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 1.2)
    magnitude = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.asarray(magnitude / (cv2.GaussianBlur(magnitude, (0, 0), 15) + 3))
