"""Geometric transforms between the images of two cameras: fitting them, applying them, doubting them.

Points are (x, y) in px with (0, 0) at the centre of the first pixel; sizes are (height, width); matrices map
(x, y, 1) of the RGB image to the infrared image unless said otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.registration.resample import Image, Points, resample
from ircolor.registration.result import ModelName
from ircolor.registration.spline import ThinPlate, thin_plate

Matrix = NDArray[np.float64]
Size = tuple[int, ...]  # a shape will do: what follows height and width is not read

MIN_POINTS: dict[ModelName, int] = {"similarity": 2, "affine": 3, "homography": 4, "thin-plate spline": 4}
MAX_SCALE = 4.0
MAX_ANISOTROPY = 1.5
MIN_OVERLAP = 0.1
_NUM_REFINEMENTS = 10


def fit_similarity(source: Points, target: Points, weights: NDArray[np.float64] | None = None) -> Matrix:
    """Rotation, one scale and shift (no mirroring) that best take points to points; closed form (Umeyama 1991).

    Args:
        source: (N, 2), N >= 2, not all at one place.
        target: (N, 2).
        weights: (N,), at least 0, of each squared error; all 1 when not given.

    Returns:
        (3, 3) float64 with the last row 0, 0, 1.
    """
    weights = np.ones(len(source)) if weights is None else weights
    # In the plane a similarity is one complex multiplication.
    z, w = source @ [1, 1j], target @ [1, 1j]
    z_mean, w_mean = np.average(z, weights=weights), np.average(w, weights=weights)
    z, w = z - z_mean, w - w_mean
    turn = (weights * z.conj() * w).sum() / (weights * np.abs(z) ** 2).sum()
    shift = w_mean - turn * z_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag], [0, 0, 1]])


def fit_affine(source: Points, target: Points, weights: NDArray[np.float64] | None = None) -> Matrix:
    """As `fit_similarity`, for an affine map: N >= 3 points that are not on one line."""
    roots = np.sqrt(np.ones(len(source)) if weights is None else weights)[:, None]
    # About the mean, so that points far from the origin lose no digits.
    mean = source.mean(axis=0)
    design = np.hstack([source - mean, np.ones((len(source), 1))])
    rows = np.linalg.lstsq(roots * design, roots * target)[0].T
    matrix = np.vstack([rows, [0, 0, 1]])
    matrix[:2, 2] -= matrix[:2, :2] @ mean
    return matrix


def fit_homography(source: Points, target: Points, weights: NDArray[np.float64] | None = None) -> Matrix:
    """As `fit_similarity`, for a homography: N >= 4 points, no more than N - 2 of them on one line.

    The normalised direct linear transform (Hartley 1997) gives the start; Gauss-Newton then minimises the distances
    in the target image. The last element of the matrix is 1.
    """
    roots = np.sqrt(np.ones(len(source)) if weights is None else weights)
    from_source, from_target = _normalising(source), _normalising(target)
    points, wanted = apply_matrix(from_source, source), apply_matrix(from_target, target)
    design = np.hstack([points, np.ones((len(points), 1))])
    zeros = np.zeros_like(design)
    x, y = wanted.T[..., None]
    rows = np.vstack([np.hstack([design, zeros, -x * design]), np.hstack([zeros, design, -y * design])])
    rows *= np.tile(roots, 2)[:, None]
    matrix = np.linalg.eigh(rows.T @ rows)[1][:, 0].reshape(3, 3)
    matrix = matrix / matrix[2, 2]

    def errors(matrix: Matrix) -> Points:
        return roots[:, None] * (apply_matrix(matrix, points) - wanted)

    for _ in range(_NUM_REFINEMENTS):
        mapped, depth = apply_matrix(matrix, points), (design @ matrix[2])[:, None]
        by_x = np.hstack([design, zeros, -mapped[:, :1] * points]) / depth
        by_y = np.hstack([zeros, design, -mapped[:, 1:] * points]) / depth
        jacobian = np.tile(roots, 2)[:, None] * np.vstack([by_x[:, :8], by_y[:, :8]])
        step = np.linalg.lstsq(jacobian, errors(matrix).T.ravel())[0]
        refined = matrix - np.append(step, 0).reshape(3, 3)
        if not np.square(errors(refined)).sum() < np.square(errors(matrix)).sum():
            break
        matrix = refined
    matrix = np.linalg.inv(from_target) @ matrix @ from_source
    return np.asarray(matrix / matrix[2, 2])


FITS: dict[ModelName, Callable[[Points, Points, NDArray[np.float64] | None], Matrix]] = {
    "similarity": fit_similarity,
    "affine": fit_affine,
    "homography": fit_homography,
}


def apply_matrix(matrix: Matrix, points: Points) -> Points:
    """Map (N, 2) points by a (3, 3) matrix; points on its horizon become infinite or NaN."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(mapped[:, :2] / mapped[:, 2:])


@dataclass(frozen=True, eq=False)
class Warp:
    """The way between the two images of a pair.

    Attributes:
        model: what kind of transform it is.
        matrix: (3, 3), RGB px to infrared px; of a thin-plate spline, the affine map that fits its points best.
        splines: RGB px to infrared px and the reverse, where it is a thin-plate spline. Both pass through the points;
            between them they are inverse to each other only nearly.
    """

    model: ModelName
    matrix: Matrix
    splines: tuple[ThinPlate, ThinPlate] | None = None

    def to_infrared(self, points_rgb: Points) -> Points:
        """Map (N, 2) points of the RGB image to the infrared image."""
        return self.splines[0](points_rgb) if self.splines else apply_matrix(self.matrix, points_rgb)

    def to_rgb(self, points_infrared: Points) -> Points:
        """Map (N, 2) points of the infrared image to the RGB image."""
        if self.splines:
            return self.splines[1](points_infrared)
        return apply_matrix(np.asarray(np.linalg.inv(self.matrix), np.float64), points_infrared)

    def rgb_onto_infrared(self, image_rgb: Image, size: tuple[int, int]) -> tuple[Image, NDArray[np.bool_]]:
        """Draw an image of the RGB camera on the infrared grid, by cubic interpolation.

        Args:
            image_rgb: (H, W) or (H, W, 3), uint8, uint16 or float32.
            size: (height, width) of the infrared image.

        Returns:
            What `resample` returns: the image at that size, and (height, width), which of its pixels are valid.
        """
        return resample(image_rgb, self.to_rgb, size)

    def infrared_onto_rgb(self, image_infrared: Image, size: tuple[int, int]) -> tuple[Image, NDArray[np.bool_]]:
        """As `rgb_onto_infrared`, from the infrared image to the RGB grid of (height, width)."""
        return resample(image_infrared, self.to_infrared, size)


def fit_thin_plate(points_rgb: Points, points_infrared: Points) -> Warp:
    """The thin-plate spline through N >= 4 points given in both images, (N, 2) each, not on one line.

    Args:
        points_rgb: in the RGB image.
        points_infrared: where the same points are in the infrared image.
    """
    splines = (
        thin_plate(points_rgb, points_infrared),
        thin_plate(points_infrared, points_rgb),
    )
    return Warp("thin-plate spline", fit_affine(points_rgb, points_infrared), splines)


def geometry_problem(matrix: Matrix, rgb_shape: Size, infrared_shape: Size) -> str | None:
    """Why a transform cannot be that of two cameras on one view, in a few words; None where it can.

    A homography folds nothing as long as its horizon stays outside of the image, so these checks are complete.

    Args:
        matrix: (3, 3), RGB px to infrared px.
        rgb_shape: (height, width) of the RGB image.
        infrared_shape: the same of the infrared image.
    """
    if not np.isfinite(matrix).all():
        return "no transform could be computed"
    corners = _corners(rgb_shape)
    places = np.vstack([corners.mean(axis=0), corners])
    depths = places @ matrix[2, :2] + matrix[2, 2]
    if (depths * depths[0] <= 0).any():
        return "its horizon runs through the RGB image"
    # The area that a pixel takes, at the centre and at the corners; negative where mirrored.
    areas = np.asarray(np.linalg.det(matrix) / depths**3)
    if areas[0] < 0:
        return "it mirrors the image"
    scales = np.sqrt(areas * np.prod(rgb_shape[:2]) / np.prod(infrared_shape[:2]))
    for scale in (scales.max(), scales.min()):
        if not 1 / MAX_SCALE <= scale <= MAX_SCALE:
            return f"it scales the RGB image to {scale:.2g} times the size of the infrared image"
    mapped = apply_matrix(matrix, places)
    stretch = np.linalg.svd((matrix[:2, :2] - np.outer(mapped[0], matrix[2, :2])) / depths[0], compute_uv=False)
    if stretch[0] > MAX_ANISOTROPY * stretch[1]:
        return f"it stretches one direction {stretch[0] / stretch[1]:.1f} times as much as the other"
    quads = mapped[1:].astype(np.float32), _corners(infrared_shape).astype(np.float32)
    shared = cv2.intersectConvexConvex(*quads)[0] / min(map(cv2.contourArea, quads))
    if shared < MIN_OVERLAP:
        return f"the images overlap by {100 * shared:.0f} % only"
    return None


def _corners(shape: Size) -> Points:
    """Outer corners of an image, around it."""
    bottom, right = shape[0] - 0.5, shape[1] - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])


def _normalising(points: Points) -> Matrix:
    """The matrix that brings points to mean 0 and spread 1."""
    mean, scale = points.mean(axis=0), 1 / np.sqrt(points.var(axis=0).sum())
    return np.array([[scale, 0, -scale * mean[0]], [0, scale, -scale * mean[1]], [0, 0, 1]])
