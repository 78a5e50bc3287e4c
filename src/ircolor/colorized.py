"""What colorizing gives: a whole image, or one that is made strip by strip; and how it came about."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ircolor.media.intensity import IntensityWindow
from ircolor.media.provenance import Provenance
from ircolor.tiles import Tiling


@dataclass(frozen=True)
class Strip:
    """Some rows of a result.

    Attributes:
        rgb: (h, W, 3), uint8 or uint16: the predicted colours.
        infrared: (h, W), of the same type: the infrared image as the network saw it.
        expected_error: (h, W), float32: the expected CIEDE2000 of the colours, before they were faded; None where it is
            not wanted.
    """

    rgb: NDArray[Any]
    infrared: NDArray[Any]
    expected_error: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class ColorizedRows:
    """A result that is made strip by strip as it is iterated, from top to bottom, and how it comes about.

    Each iteration runs the network anew.

    Attributes:
        height: of the image.
        width: of the image.
        dtype: of the strips: uint8 or uint16.
        window: the stored values that are taken for black and white.
        tiling: how the image is cut.
        provenance: what an output file should say about itself.
        notes: one sentence per conversion the user should know of.
    """

    height: int
    width: int
    dtype: np.dtype[Any]
    window: IntensityWindow
    tiling: Tiling
    provenance: Provenance
    notes: tuple[str, ...]
    _make: Callable[[], Iterator[Strip]] = field(repr=False)

    def __iter__(self) -> Iterator[Strip]:
        """The strips.

        Raises:
            UserError: not enough memory.
        """
        return self._make()


@dataclass(frozen=True)
class Colorized:
    """A result and how it came about.

    Attributes:
        rgb: (H, W, 3), uint8 or uint16: the predicted colours.
        infrared: (H, W), of the same type: the infrared image as the network saw it.
        expected_error: (H, W), float32, as of a `Strip`.
        window: the stored values that were taken for black and white.
        tiling: how the image was cut.
        provenance: what an output file should say about itself.
        notes: one sentence per conversion the user should know of.
    """

    rgb: NDArray[Any]
    infrared: NDArray[Any]
    expected_error: NDArray[np.float32] | None
    window: IntensityWindow
    tiling: Tiling
    provenance: Provenance
    notes: tuple[str, ...]
