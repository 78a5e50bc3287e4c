"""Pictures inside a page: embedded, so that the page is one file."""

import base64
from html import escape
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.evaluation.score import Image
from ircolor.media.encode import encode_image

SHOWN_WIDTH_PX = 480


def figure(image: Image, caption: str, row: str | None = None) -> str:
    """A picture with a caption, as HTML.

    Args:
        image: (H, W) or (H, W, 3), uint8 or float in [0, 1]; shrunk to `SHOWN_WIDTH_PX`, and compressed as JPEG.
        caption: below it, and for those who cannot see it.
        row: what it shows, for scripts of the page.
    """
    source = "data:image/jpeg;base64," + base64.b64encode(_jpeg(image)).decode()
    text = escape(caption)
    mark = "" if row is None else f' data-row="{escape(row)}"'
    return f'<figure{mark}><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'


def eight_bit(image: Image) -> NDArray[np.uint8]:
    """The image as (H, W, 3) uint8, from uint8 or float in [0, 1], gray or not."""
    pixels: Any = image if image.dtype == np.uint8 else np.rint(255 * image).astype(np.uint8)
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def _jpeg(image: Image) -> bytes:
    pixels = eight_bit(image)
    height, width = pixels.shape[:2]
    if width > SHOWN_WIDTH_PX:
        shown_height = max(1, round(height * SHOWN_WIDTH_PX / width))
        pixels = np.asarray(cv2.resize(pixels, (SHOWN_WIDTH_PX, shown_height), interpolation=cv2.INTER_AREA), np.uint8)
    return encode_image(pixels, ".jpg")
