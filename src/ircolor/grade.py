"""Colour grading of a whole picture: how much of its cast is kept, and how strong its colours are.

Whoever balances white makes the mean colour of a photograph gray, or nearly (the gray-world assumption; Buchsbaum 1980,
"A spatial processor model for object colour perception"). A network that looks at one place at a time does not know
that: the mean colours that it gives to pictures which it has not seen vary more than true ones and hardly follow them,
while the differences of colour within a picture do (docs/research-log.md). So of the mean a share is kept, and the
differences may be made stronger for it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# R'G'B' to gray R'G'B' of its luma (Rec. 601).
TO_LUMA = np.tile(np.array([0.299, 0.587, 0.114], np.float32), (3, 1))


@dataclass(frozen=True)
class Grade:
    """What is done to the chroma of a picture, which is RGB less its luma. Luma stays.

    Attributes:
        cast: share of the picture's mean chroma that is kept.
        saturation: what differences from that mean are multiplied by.
    """

    cast: float = 1.0
    saturation: float = 1.0

    def apply(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """The graded colours of a whole picture, (H, W, 3), in [0, 1]; the result may lie a little outside."""
        if self == UNGRADED:
            return rgb
        mean = np.array(cv2.mean(rgb)[:3])  # numpy takes forty times as long where the last axis is but 3 long
        shift = (self.cast - self.saturation) * (mean - TO_LUMA @ mean)
        matrix = TO_LUMA + self.saturation * (np.eye(3) - TO_LUMA)
        return np.asarray(cv2.transform(rgb, np.column_stack([matrix, shift])), np.float32)


UNGRADED = Grade()
