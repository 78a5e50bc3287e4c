"""What a Colorizer takes as an image: an array, a PIL image, or the path of a file. PIL need not be installed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ircolor.media.images import Infrared, read_infrared, to_infrared

if TYPE_CHECKING:
    from PIL import Image as PillowImage


def is_pillow(image: object) -> bool:
    """Whether this is a PIL image; PIL need not be installed to ask."""
    return type(image).__module__.partition(".")[0] == "PIL"


def load(image: Any) -> Infrared:
    """The infrared image of an array, a PIL image, a path, or an `Infrared` that was read before.

    Raises:
        UserError: as `read_infrared` and `to_infrared`.
    """
    if isinstance(image, Infrared):
        return image
    if isinstance(image, str | Path):
        return read_infrared(Path(image))
    return to_infrared(_pillow_pixels(image) if is_pillow(image) else image)


def _pillow_pixels(image: "PillowImage.Image") -> NDArray[Any]:
    """The pixels as stored, or as RGB where the stored numbers are not intensities (e.g. a palette)."""
    if image.mode in ("1", "L", "LA", "RGB", "RGBA", "F") or image.mode.startswith("I;16"):
        return np.asarray(image)
    if image.mode == "I":
        pixels = np.asarray(image)
        return pixels.astype(np.uint16) if pixels.min() >= 0 and pixels.max() < 1 << 16 else pixels.astype(np.float32)
    return np.asarray(image.convert("RGB"))
