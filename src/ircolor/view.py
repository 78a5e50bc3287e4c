"""What a network is shown of a large picture, and how the colours that it gives come to full size.

A network trained on few pictures tells sky from road by how a whole scene looks, at the size that it learned from.
Shown a larger picture as stored, it sees a small part at a time, and errs more (by 0.4 dB, docs/research-log.md). So it
is shown the picture made small. At every place of that, each channel of its colours is then fitted as an affine
function of the infrared image, which is evaluated with the infrared image at full size: all detail is that of the
picture itself, and the time of the network does not grow with the picture.

Source of the fit: He, Sun and Tang 2013, "Guided Image Filtering"; of using it across sizes: He and Sun 2015, "Fast
Guided Filter"; of weighting the fits by what they leave unexplained: Chen and Wu 2020, "Weighted aggregation for guided
image filtering".
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.grade import UNGRADED, Grade
from ircolor.sessions.prediction import Prediction
from ircolor.shrink import seen_size

# Of the fit, at the size that the network sees. A larger radius carries colours over edges, a smaller epsilon makes
# noise of the infrared image a noise of colours, and fits that leave less than it unexplained hardly differ in weight.
RADIUS_PX = 4
EPSILON = 1e-4
PAINTED_PX = 1 << 16  # of the picture at full size, at a time: so many stay in the processor's cache

Image = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """How a network is shown pictures, and what becomes of the colours that it gives.

    Attributes:
        px: the shorter side is shrunk to this where it is larger; 0 for every picture as it is, tiled if need be.
        grade: of the colours; needs a view, as only then a picture is seen whole.
    """

    px: int = 0
    grade: Grade = UNGRADED

    def carries(self, shape: tuple[int, ...]) -> bool:
        """Whether the colours of a picture, (H, W), are fitted: it is shown smaller, or whole as they are graded."""
        return seen_size(shape, self.px) != shape or self.grade != UNGRADED


@dataclass(frozen=True)
class ColorMap:
    """Colours as an affine function of the infrared image, which varies from place to place.

    Attributes:
        gain: (h, w, 3), of the small picture.
        offset: (h, w, 3).
        expected_error: (h, w), CIEDE2000; None where it is not known.
    """

    gain: Image
    offset: Image
    expected_error: Image | None = None

    def paint(self, infrared: Image, rows: slice, height: int) -> Prediction:
        """The colours of some rows of the picture, at full size.

        Args:
            infrared: those rows, (h, W), in [0, 1].
            rows: where they lie in the picture.
            height: of the picture.

        Returns:
            RGB, (h, W, 3), float32 in [0, 1], and the expected error, (h, W).
        """
        width = infrared.shape[1]
        rgb = np.empty((*infrared.shape, 3), np.float32)
        error = None if self.expected_error is None else np.empty(infrared.shape, np.float32)
        num_rows = max(1, PAINTED_PX // width)
        for first in range(0, len(infrared), num_rows):  # three times as fast as all rows at once
            part = slice(first, min(first + num_rows, len(infrared)))
            painted = slice(rows.start + part.start, rows.start + part.stop)
            gain, offset = (_enlarged(maps, painted, height, width) for maps in (self.gain, self.offset))
            cv2.multiply(gain, thrice(infrared[part]), dst=gain)
            cv2.add(gain, offset, dst=gain)
            np.clip(gain, 0, 1, out=rgb[part])
            if error is not None and self.expected_error is not None:
                error[part] = _enlarged(self.expected_error, painted, height, width)
        return Prediction(rgb, error)


def color_map(infrared: Image, prediction: Prediction, grade: Grade = UNGRADED) -> ColorMap:
    """Fit the colours of a small picture, at every place, as an affine function of its infrared image.

    Args:
        infrared: (h, w), in [0, 1]: what the network was shown, the whole picture.
        prediction: what it gave, at rest: RGB, (h, w, 3), in [0, 1], and the expected error, (h, w), or None.
        grade: of the colours; the expected error is already that of graded ones.
    """
    rgb = grade.apply(prediction.rgb)
    mean_infrared, mean_rgb = _mean(infrared), _mean(rgb)
    variance = _mean(infrared * infrared) - mean_infrared * mean_infrared
    mean_guide = thrice(mean_infrared)
    covariance = _mean(thrice(infrared) * rgb) - mean_guide * mean_rgb
    gain = covariance * thrice(1 / (variance + np.float32(EPSILON)))
    offset = mean_rgb - gain * mean_guide
    # One function does not explain two things, say a tree and the sky behind it: squares that hold both count little.
    unexplained = _mean(_summed(rgb * rgb)) - _summed(mean_rgb * mean_rgb + gain * covariance)
    weight = 1 / (np.maximum(unexplained, 0) + np.float32(EPSILON))
    share = thrice(1 / _mean(weight))
    weight = thrice(weight)
    return ColorMap(_mean(gain * weight) * share, _mean(offset * weight) * share, prediction.expected_error)


def _mean(image: NDArray[Any]) -> Image:
    """Over a square around each pixel."""
    edge_px = 2 * RADIUS_PX + 1
    return np.asarray(cv2.blur(image, (edge_px, edge_px), borderType=cv2.BORDER_REFLECT))


def thrice(channel: NDArray[Any]) -> Image:
    """(h, w) -> (h, w, 3): numpy is slow where a broadcast axis is but 3 long."""
    return np.asarray(cv2.merge([channel] * 3))


def _summed(image: Image) -> Image:
    """Over the channels: (h, w, 3) -> (h, w)."""
    return np.asarray(cv2.transform(image, np.ones((1, 3), np.float32)))


def _enlarged(maps: Image, rows: slice, height: int, width: int) -> Image:
    """Some rows of maps, (h, w) or (h, w, C), that are bilinearly enlarged to a height and a width."""
    last = len(maps) - 1
    places = np.clip((np.arange(rows.start, rows.stop, dtype=np.float64) + 0.5) * len(maps) / height - 0.5, 0, last)
    above = places.astype(np.intp)
    share = (places - above).astype(np.float32).reshape(-1, *[1] * (maps.ndim - 1))
    mixed = maps[above]
    mixed += share * (maps[np.minimum(above + 1, last)] - mixed)
    return np.asarray(cv2.resize(mixed, (width, len(mixed)), interpolation=cv2.INTER_LINEAR))
