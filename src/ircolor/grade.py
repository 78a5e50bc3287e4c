"""Colour grading of a whole picture: how much of its cast is kept, and how strong which of its colours are.

Whoever balances white makes the mean colour of a photograph gray, or nearly (the gray-world assumption; Buchsbaum 1980,
"A spatial processor model for object colour perception"). A network that looks at one place at a time does not know
that: the mean colours that it gives to pictures which it has not seen vary more than true ones and hardly follow them,
while the differences of colour within a picture do. So of the mean a share is kept, and the differences may be made
stronger for it.

Nor are these all as sure. Daylight and most things are bluer, yellower, redder or greener than others; hardly anything
is magenta. And of fine detail of colour less is right than of the colour of a whole meadow. Networks do not allow for
that on pictures that they have not seen (docs/research-log.md).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.shrink import seen_size, shrink

# R'G'B' to gray R'G'B' of its luma (Rec. 601).
TO_LUMA = np.tile(np.array([0.299, 0.587, 0.114], np.float32), (3, 1))
_TO_CHROMA = np.eye(3) - TO_LUMA
_MAGENTA = -_TO_CHROMA[:, 1] / np.linalg.norm(_TO_CHROMA[:, 1])  # what pure green is the opposite of
_TO_MAGENTA = np.tile(_MAGENTA @ _TO_CHROMA, (3, 1))  # R'G'B' to how magenta it is, below 0 where it is green
_COARSE_PX = 16  # shorter side of a picture that shows no detail


@dataclass(frozen=True)
class Grade:
    """What is done to the chroma of a picture, which is RGB less its luma. Luma stays.

    Attributes:
        cast: share of the picture's mean chroma that is kept.
        saturation: what differences from that mean are multiplied by.
        detail: what their part that a picture made 16 px small does not show is multiplied by besides.
        magenta: what the part of the resulting colours that is magenta is multiplied by.
    """

    cast: float = 1.0
    saturation: float = 1.0
    detail: float = 1.0
    magenta: float = 1.0

    def apply(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """The graded colours of a whole picture, (H, W, 3), in [0, 1]; the result may lie a little outside."""
        if self == UNGRADED:
            return rgb
        mean = np.array(cv2.mean(rgb)[:3])  # numpy takes forty times as long where the last axis is but 3 long
        differences = self.saturation * _TO_CHROMA
        shift = (self.cast * _TO_CHROMA - differences) @ mean
        graded = cv2.transform(rgb, np.column_stack([TO_LUMA + self.detail * differences, shift]))
        if self.detail != 1:
            height, width = rgb.shape[:2]
            coarse = cv2.transform(shrink(rgb, seen_size((height, width), _COARSE_PX)), (1 - self.detail) * differences)
            cv2.add(graded, cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), dst=graded)
        if self.magenta != 1:
            # How much there is, in all three channels: OpenCV takes ten times as long to make three of one.
            lean = cv2.transform(graded, _TO_MAGENTA)
            np.maximum(lean, 0, out=lean)
            cv2.add(graded, cv2.transform(lean, np.diag((self.magenta - 1) * _MAGENTA)), dst=graded)
        return np.asarray(graded, np.float32)


UNGRADED = Grade()
