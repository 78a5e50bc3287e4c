"""What a Colorizer takes as an image: an array, a PIL image, or the path of a file. PIL need not be installed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.media.images import Infrared, read_infrared, to_infrared

if TYPE_CHECKING:
    from PIL import Image as PillowImage


def is_pillow(image: object) -> bool:
    """Whether this is a PIL image; PIL need not be installed to ask."""
    return any(base.__module__.partition(".")[0] == "PIL" for base in type(image).__mro__)


def load(image: Any, name: str = "the image") -> Infrared:
    """The infrared image of an array, a PIL image, a path, the bytes of a file, or an `Infrared` that was read before.

    Args:
        image: one of these.
        name: what to call it in messages, where it has no name of its own.

    Raises:
        UserError: as `read_infrared` and `to_infrared`.
    """
    if isinstance(image, Infrared):
        return image
    if isinstance(image, str | os.PathLike):
        return read_infrared(Path(image))
    if isinstance(image, bytes):
        return read_infrared(image, name)
    if not is_pillow(image):
        return to_infrared(image, name)
    try:
        pixels = _pillow_pixels(image)
    except (OSError, ValueError) as error:  # it decodes only now, and has modes that it does not convert
        raise UserError(f"{name}: PIL cannot give its pixels ({brief(error)}); is it whole?") from error
    return to_infrared(pixels, name)


def _pillow_pixels(image: "PillowImage.Image") -> NDArray[Any]:
    """The pixels as stored, or as RGB where the stored numbers are not intensities (e.g. a palette)."""
    if image.mode in ("1", "L", "LA", "RGB", "RGBA", "F") or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.mode == "I":
        pixels = np.asarray(image)
        is_deep = pixels.size and pixels.min() >= 0 and pixels.max() < 1 << 16
        return pixels.astype(np.uint16 if is_deep else np.float32)
    return np.asarray(image.convert("RGB"))
