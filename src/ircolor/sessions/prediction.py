"""What a network gives: colours, and how wrong they are likely to be."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Prediction(NamedTuple):
    """Colours and how wrong they are likely to be: of a batch at a network's mouth, or of one image at rest.

    Attributes:
        rgb: (B, 3, H, W), float32 in [-1, 1]; at rest (H, W, 3) in [0, 1].
        expected_error: (B, 1, H, W), float32; at rest (H, W): the expected CIEDE2000 of each pixel. None where it was
            not asked for.
    """

    rgb: NDArray[np.float32]
    expected_error: NDArray[np.float32] | None = None
