"""Where the errors of a system lie, and which colours it gives: what a mean over images does not tell."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.edge_maps import canny_edges
from ircolor.metrics import Mask, load_skimage, unit_rgb, usable_pixels

Image = NDArray[Any]

# Lower ends of the classes of distance from the nearest edge of the truth, in px; the last has no upper end.
DISTANCES_PX = (0, 1, 2, 4, 8, 16, 32)
NUM_HUES = 24
STRIDE_PX = 2  # a quarter of the pixels tells as much
MIN_CHROMA = 5.0  # in CIELAB: below it a pixel is gray, and its hue is chance


@dataclass
class Anatomy:
    """Sums over the images of a split.

    Attributes:
        squared_error: by distance from edges: of RGB in [0, 1], summed over pixels and averaged over channels.
        num_pixels: by distance from edges.
        hues: chroma of predicted pixels, summed by hue.
        num_hued_pixels: all pixels that `hues` were summed over, gray ones too.
    """

    squared_error: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(DISTANCES_PX)))
    num_pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(DISTANCES_PX), np.int64))
    hues: NDArray[np.float64] = field(default_factory=lambda: np.zeros(NUM_HUES))
    num_hued_pixels: int = 0

    def add(self, pred_rgb: Image, true_rgb: Image, mask: Mask | None = None) -> None:
        """Count one image.

        Args:
            pred_rgb: (H, W, 3), uint8 or float in [0, 1].
            true_rgb: (H, W, 3) uint8.
            mask: (H, W), True where a pixel counts; None where all do.
        """
        classes = np.digitize(usable_pixels(distance_from_edges_px(true_rgb), mask), DISTANCES_PX) - 1
        pred, true = (unit_rgb(usable_pixels(rgb, mask)) for rgb in (pred_rgb, true_rgb))
        error = ((pred - true) ** 2).mean(axis=2)
        self.squared_error += np.bincount(classes.ravel(), error.ravel(), len(DISTANCES_PX))
        self.num_pixels += np.bincount(classes.ravel(), minlength=len(DISTANCES_PX))
        thin = slice(None, None, STRIDE_PX)
        ab = load_skimage("color").rgb2lab(unit_rgb(pred_rgb[thin, thin]).astype(np.float32))[..., 1:]
        if mask is not None:
            ab = ab[mask[thin, thin]]
        chroma = np.hypot(ab[..., 0], ab[..., 1])
        hue = np.arctan2(ab[..., 1], ab[..., 0]) % (2 * np.pi)
        places = np.minimum((hue / (2 * np.pi) * NUM_HUES).astype(np.intp), NUM_HUES - 1)
        self.hues += np.bincount(places.ravel(), np.where(chroma < MIN_CHROMA, 0, chroma).ravel(), NUM_HUES)
        self.num_hued_pixels += chroma.size

    @property
    def rmse_by_distance(self) -> list[float]:
        """Root mean square error of RGB in [0, 1] by distance from edges; NaN where no pixel lies so far."""
        counted = self.num_pixels > 0
        mean = np.divide(self.squared_error, self.num_pixels, out=np.full(len(DISTANCES_PX), np.nan), where=counted)
        return [float(value) for value in np.sqrt(mean)]

    @property
    def chroma_by_hue(self) -> list[float]:
        """Mean chroma that pixels of each hue bring to the mean chroma of all pixels, in CIELAB."""
        return [float(value) for value in self.hues / max(self.num_hued_pixels, 1)]


def distance_from_edges_px(true_rgb: Image) -> NDArray[np.float32]:
    """How far each pixel lies from the nearest edge of its image, (H, W, 3) uint8 -> (H, W).

    An edge is what Canny finds on the luma; in an image without any, all pixels are infinitely far.
    """
    edges = canny_edges(true_rgb) > 0
    if not edges.any():
        return np.full(edges.shape, np.inf, np.float32)
    return np.asarray(cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
