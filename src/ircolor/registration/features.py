"""Points that both spectra show, described without regard to which side of an edge is brighter.

SIFT finds the points. Its descriptor holds, in 4x4 cells, histograms of gradient directions over 360 degrees; where
the spectra swap bright and dark, a gradient turns by 180 degrees. So opposite directions are added up (as in the
partial intensity invariant descriptor of Chen et al. 2010, "A partial intensity invariant feature descriptor for
multimodal retinal image registration"). The main direction of a point, which turns the cells, may itself be turned
by 180 degrees; so each infrared point is described both ways round.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.registration.resample import Points, shrink
from ircolor.registration.structure import Map

# Long side that points are looked for at: larger costs time, and refinement takes over from here.
FEATURE_PX = 448
MAX_FEATURES = 1000
# Half of SIFT's own, for hazy and dark images.
CONTRAST_THRESHOLD = 0.02
# Largest ratio of the distances to the nearest and the second nearest descriptor. Loose, as the consensus sorts out
# what is wrong, and cross-spectral descriptors differ more than those of one camera.
MAX_RATIO = 0.92
CELLS, DIRECTIONS = 4, 8


class Features(NamedTuple):
    """Points of one image.

    Attributes:
        points: (N, 2), in px of the image.
        descriptors: (N, 64) float32 of unit length.
        turned: (N, 64), the same for the point turned by 180 degrees.
    """

    points: Points
    descriptors: NDArray[np.float32]
    turned: NDArray[np.float32]


class Matches(NamedTuple):
    """Points that look alike: rgb (N, 2) and infrared (N, 2), in px."""

    rgb: Points
    infrared: Points


def find_features(gray: Map) -> Features:
    """Points of an image and their polarity-blind descriptors.

    Args:
        gray: (H, W) on 0..255, of any size.
    """
    height, width = gray.shape
    small, _ = shrink(gray, FEATURE_PX)
    # Dark or hazy images use a small part of the range, and SIFT works on 8 bits.
    low, high = np.percentile(small, (0.5, 99.5))
    stretched = np.clip((small - low) * (255 / max(high - low, 16)), 0, 255).astype(np.uint8)
    detector = cv2.SIFT.create(nfeatures=MAX_FEATURES, contrastThreshold=CONTRAST_THRESHOLD)
    keypoints, raw = detector.detectAndCompute(stretched, None)
    if not keypoints:
        nothing = np.zeros((0, CELLS * CELLS * DIRECTIONS // 2), np.float32)
        return Features(np.zeros((0, 2)), nothing, nothing)
    points = (np.array([keypoint.pt for keypoint in keypoints]) + 0.5) * [
        width / small.shape[1],
        height / small.shape[0],
    ]
    cells = raw.reshape(-1, CELLS, CELLS, DIRECTIONS)
    return Features(points - 0.5, _fold(cells), _fold(cells[:, ::-1, ::-1]))


def match_features(rgb: Features, infrared: Features) -> Matches:
    """Points of two images that are each other's nearest and clearly nearer than the second nearest."""
    if min(len(rgb.points), len(infrared.points)) < 2:
        return Matches(np.zeros((0, 2)), np.zeros((0, 2)))
    similarity = np.maximum(rgb.descriptors @ infrared.descriptors.T, rgb.descriptors @ infrared.turned.T)
    rows = np.arange(len(similarity))
    nearest = similarity.argmax(axis=1)
    mutual = similarity.argmax(axis=0)[nearest] == rows
    distance = _distance(similarity[rows, nearest])
    similarity[rows, nearest] = -1
    distinct = distance < MAX_RATIO * _distance(similarity.max(axis=1))
    chosen = mutual & distinct
    return Matches(rgb.points[chosen], infrared.points[nearest[chosen]])


def _fold(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    half = DIRECTIONS // 2
    folded = (cells[..., :half] + cells[..., half:]).reshape(len(cells), -1)
    # The root makes the scalar product compare histograms (Arandjelovic and Zisserman, CVPR 2012: RootSIFT).
    return np.asarray(np.sqrt(folded / np.maximum(folded.sum(axis=1, keepdims=True), 1e-6)), np.float32)


def _distance(similarity: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.sqrt(np.maximum(2 - 2 * similarity, 1e-9)), np.float32)
