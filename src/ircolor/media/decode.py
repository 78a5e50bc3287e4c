"""Decode image files other than TIFF: PNG, JPEG, BMP, WebP, PNM and JPEG 2000, by OpenCV."""

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.media.exif import find_exif
from ircolor.media.headers import claim_of
from ircolor.media.intact import JPEG_SIGNATURE, PNG_SIGNATURE, check_jpeg, check_png
from ircolor.media.orientation import upright

# No image may be larger: what it decodes to has to fit into memory.
MAX_PIXELS = 1 << 28
_STRIP_VALUES = 1 << 22


def decode(data: bytes, name: str) -> NDArray[Any]:
    """The pixels of an image file as stored, but upright.

    Args:
        data: the bytes of the file.
        name: what to call it in messages.

    Returns:
        (H, W), or (H, W, C) in RGB(A) order; uint8, uint16 or float32.

    Raises:
        UserError: not an image, too large, or damaged.
    """
    claim = claim_of(data)
    if claim is None:
        raise UserError(f"{name}: not an image, or damaged; give a PNG, JPEG, TIFF, BMP or WebP file")
    check_size(claim.height, claim.width, name)
    flags = cv2.IMREAD_UNCHANGED  # keeps depth and alpha
    if data.startswith(PNG_SIGNATURE):
        check_png(data, name)
    elif data.startswith(JPEG_SIGNATURE):
        check_jpeg(data, name)
        flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    if claim.least_bytes > len(data):
        raise UserError(f"{name}: the file is truncated; copy it again from its source")
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise UserError(f"{name}: cannot be decoded ({brief(error)}); is it an image, and whole?") from error
    if pixels is None:
        raise UserError(f"{name}: not an image, or damaged; give a PNG, JPEG, TIFF, BMP or WebP file")
    exif = find_exif(data)
    return upright(to_rgb(pixels), exif.orientation() if exif else 1)


def check_size(height: int, width: int, name: str) -> None:
    """Raise UserError where an image is too large to be read."""
    if height * width > MAX_PIXELS:
        raise UserError(f"{name}: {height}x{width} is larger than {MAX_PIXELS} pixels; cut it into parts first")


def to_rgb(pixels: Any) -> NDArray[Any]:
    """OpenCV's channel order to ours, in place; gray stays as it is."""
    image: NDArray[Any] = np.asarray(pixels)
    if image.ndim == 3 and image.shape[2] >= 3:
        code = cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        for rows in strips_of(image):
            image[rows] = cv2.cvtColor(image[rows], code)
    return image


def strips_of(image: NDArray[Any]) -> Iterator[slice]:
    """The rows of an image in portions that are small beside it, for work that takes more memory than its result."""
    rows = max(1, _STRIP_VALUES // max(1, math.prod(image.shape[1:])))
    return (slice(top, top + rows) for top in range(0, len(image), rows))
