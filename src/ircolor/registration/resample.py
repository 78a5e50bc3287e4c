"""Draw an image on another grid."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError

Points = NDArray[np.float64]
Image = NDArray[Any]

# From this shrinking on, fine texture would turn into false patterns.
MAX_SHRINK_WITHOUT_BLUR = 1.5
MAX_SHRINK = 64  # no two cameras differ by more, and the blur takes long
# The way to a pixel's source is computed on a grid this wide and interpolated, to a few hundredths of a px.
GRID_PX = 4
_NO_SECOND_MAP = np.empty(0, np.float32)  # as both coordinates are in the first


def shrink(image: Image, long_side: int) -> tuple[Image, NDArray[np.float64]]:
    """An image at no more than a long side in px, by averaging, and the (3, 3) matrix from its px to the new ones.

    Args:
        image: (H, W) or (H, W, channels); returned as it is where it is no larger.
        long_side: of the result.
    """
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    if scale >= 1:
        return image, np.eye(3)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    x, y = size[0] / width, size[1] / height
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return small, np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def resample(
    image: Image, to_source: Callable[[Points], Points], size: tuple[int, int]
) -> tuple[Image, NDArray[np.bool_]]:
    """Draw an image on another grid by cubic interpolation.

    Args:
        image: (H, W) or (H, W, 3), uint8, uint16 or float32. Where it shrinks by more than MAX_SHRINK_WITHOUT_BLUR it
            is blurred first.
        to_source: maps (N, 2) points of the new grid to points of the image; smooth.
        size: (height, width) of the new grid.

    Raises:
        UserError: it would shrink by more than MAX_SHRINK.

    Returns:
        The image at that size, of the same type, its edge pixels repeated outside; and (height, width), whether all
        pixels that a value was interpolated from lie inside.
    """
    height, width = size
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    here, right, below = to_source(centre + np.array([[0, 0], [1, 0], [0, 1]]))
    shrink = float(np.sqrt(abs(np.linalg.det([right - here, below - here]))))
    if not shrink <= MAX_SHRINK:
        raise UserError(f"it would be drawn {shrink:.3g} times smaller; are the two images of one view?")
    if shrink > MAX_SHRINK_WITHOUT_BLUR:
        sigma_px = np.sqrt(shrink**2 - 1) / 2
        image = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
    source = _dense(to_source, size).astype(np.float32)
    warped = cv2.remap(image, source, _NO_SECOND_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return within_range(warped, image), comes_from_inside(source[..., 0], source[..., 1], image.shape)


def within_range(interpolated: Image, image: Image) -> Image:
    """What cubic interpolation gives, which overshoots, within the values of the image that it comes from.

    One level above the range of a 10-bit camera would be taken for 12 bits, and the image for four times as dark.
    """
    return np.asarray(np.clip(interpolated, image.min(), image.max()))


def comes_from_inside(x: NDArray[np.float32], y: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether all pixels that a value is interpolated from lie inside of an image, (height, width, ...).

    Args:
        x: where values come from, of any shape, in px.
        y: the same.
        shape: of the image.
    """
    return _inside(x, shape[1]) & _inside(y, shape[0])


def _inside(position_px: NDArray[np.float32], length_px: int) -> NDArray[np.bool_]:
    """Whether the pixels of a cubic interpolation along one axis are inside; at a pixel's centre it needs that only."""
    last = length_px - 1
    nearest = np.rint(position_px)
    on_pixel = np.abs(position_px - nearest) < 1e-3
    return np.where(on_pixel, (nearest >= 0) & (nearest <= last), (position_px >= 1) & (position_px <= last - 1))


def _dense(to_source: Callable[[Points], Points], size: tuple[int, int]) -> Points:
    """Where each pixel comes from, (height, width, 2): exact in the middle of cells of GRID_PX, linear between."""
    # One cell more on every side, as cv2.resize knows nothing outside of the outermost middles.
    y, x = ((np.arange(-1, -(-length // GRID_PX) + 1) + 0.5) * GRID_PX - 0.5 for length in size)
    coarse = to_source(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)).reshape(len(y), len(x), 2)
    fine = cv2.resize(coarse, None, fx=GRID_PX, fy=GRID_PX, interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[GRID_PX:, GRID_PX:][: size[0], : size[1]])
