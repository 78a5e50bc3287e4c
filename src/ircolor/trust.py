"""Which colours to trust: the expected error of each pixel as a picture, and colours that are faded by it.

Expected errors are in CIEDE2000, the distance of colours by eye: 1 can hardly be seen, 10 is another shade, 30 another
colour. They count errors of lightness too.
"""

from threading import Lock

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ircolor.errors import UserError
from ircolor.grade import TO_LUMA
from ircolor.media.images import Image
from ircolor.view import thrice

# The map's scale is fixed, so that maps of different images and models can be compared. Errors are expected ones,
# means over what a thing may be, so they hardly reach beyond 30 even where the colour is anyone's guess.
MAP_END_DELTA_E = 30.0
# Networks are 10 off on the average where all is well (foliage, sky, walls), mostly in lightness: such colours stay.
# From 20 on another hue is as likely as the one that was predicted.
SURE_DELTA_E, UNSURE_DELTA_E = 10.0, 20.0


def check_fade_strength(strength: float) -> None:
    """Raise UserError when this is not a number from 0 to 1."""
    if not 0 <= strength <= 1:
        raise UserError(f"fade strength {strength:g}: give a number from 0 (colours as they are) to 1 (gray)")


def fade(rgb: NDArray[np.float32], expected_error: NDArray[np.float32], strength: float = 1.0) -> NDArray[np.float32]:
    """Fade colours that are not to be trusted toward gray of their own luma.

    Colours below SURE_DELTA_E stay, to the last bit; above UNSURE_DELTA_E `strength` of their colour is gone; between,
    it goes smoothly. Each pixel is on its own, so tiles have no seams.

    Args:
        rgb: (H, W, 3), in [0, 1].
        expected_error: (H, W), CIEDE2000.
        strength: from 0, which leaves all as it is, to 1.

    Returns:
        (H, W, 3), in [0, 1].
    """
    doubt = np.clip((expected_error - SURE_DELTA_E) / np.float32(UNSURE_DELTA_E - SURE_DELTA_E), 0, 1)
    doubt = doubt * doubt * (3 - 2 * doubt) * np.float32(strength)
    pixels = np.ascontiguousarray(rgb)
    faded = np.asarray(cv2.transform(pixels, TO_LUMA - np.eye(3, dtype=np.float32)), np.float32)
    faded *= thrice(doubt)
    faded += pixels
    return np.asarray(np.clip(faded, 0, 1, out=faded))


def error_picture(expected_error: NDArray[np.float32], dtype: DTypeLike = np.uint8) -> Image:
    """Expected errors as a picture: from black (0) by purple and orange to pale yellow (MAP_END_DELTA_E and above).

    The colours are those of the perceptually uniform map inferno, which reads the same in gray and to the colour-blind.

    Args:
        expected_error: (H, W), CIEDE2000.
        dtype: uint8 or uint16.

    Returns:
        RGB, (H, W, 3).
    """
    levels = np.rint(np.clip(expected_error / np.float32(MAP_END_DELTA_E), 0, 1) * 255).astype(np.uint8)
    colors = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    picture = np.asarray(colors, dtype)
    return picture * (np.iinfo(picture.dtype).max // 255)


class MeanError:
    """The mean of expected errors that come part by part, from several threads."""

    def __init__(self) -> None:
        self._sum, self._num_px = 0.0, 0
        self._turn = Lock()

    def add(self, expected_error: NDArray[np.float32]) -> None:
        """Count the pixels of a part, (h, W)."""
        with self._turn:
            self._sum += float(expected_error.sum(dtype=np.float64))
            self._num_px += expected_error.size

    @property
    def delta_e(self) -> float | None:
        """CIEDE2000; None where there was nothing."""
        return self._sum / self._num_px if self._num_px else None
