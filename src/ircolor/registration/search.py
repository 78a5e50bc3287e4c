"""Find a transform by contours alone, where too few points are seen in both spectra.

All turns and scales that two cameras on one view may have are tried at a small size; for each, one Fourier transform
gives how well the contours agree at every shift. Agreement counts strength and direction of edges without their sign.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.registration.resample import shrink
from ircolor.registration.structure import Map, structure_channels
from ircolor.registration.transforms import Matrix

# Long side searched at; of its px, a right result is off by one or two, which refinement makes up for.
SEARCH_PX = 160
TURNS_DEG = np.arange(-30.0, 30.1, 2.5)
SCALES = np.geomspace(0.72, 1.4, 13)
# Shifts of more than this part of the image leave too little in common.
MAX_SHIFT = 0.45
NUM_CANDIDATES = 4
# Candidates closer than this, in px of the searched size, are one.
SAME_PX = 6


def search_similarity(rgb: Map, infrared: Map) -> list[Matrix]:
    """The similarities at which the contours of two images agree best, the best first.

    The images are taken to show about the same field of view, whatever their sizes.

    Args:
        rgb: (H, W), luma of the RGB image, on 0..255.
        infrared: (h, w) on 0..255.

    Returns:
        At most NUM_CANDIDATES matrices (3, 3), RGB px to infrared px, each some px from the others.
    """
    source, to_source = _contours(rgb)
    target, to_target = _contours(infrared)
    height, width = target.shape
    canvas = cv2.getOptimalDFTSize(2 * height), cv2.getOptimalDFTSize(2 * width)
    spectrum = np.conj(np.fft.fft2(target, canvas))
    rows, columns = (np.fft.fftfreq(length, 1 / length) for length in canvas)
    allowed = (abs(rows) <= MAX_SHIFT * height)[:, None] & (abs(columns) <= MAX_SHIFT * width)
    found: list[tuple[float, Matrix]] = []
    for turn_deg in TURNS_DEG:
        for scale in SCALES:
            about_centre = _about_centre(source.shape, target.shape, turn_deg, scale)
            turned = _turn(source, about_centre, turn_deg, target.shape)
            agreement = np.where(allowed, np.fft.ifft2(np.fft.fft2(turned, canvas) * spectrum).real, -np.inf)
            row, column = np.unravel_index(int(agreement.argmax()), agreement.shape)
            score = float(agreement[row, column]) / max(float(np.linalg.norm(turned)), 1e-6)
            shift = np.array([[1, 0, -columns[column]], [0, 1, -rows[row]], [0, 0, 1]])
            found.append((score, shift @ about_centre))
    best: list[Matrix] = []
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], float).T
    for _, matrix in sorted(found, key=lambda item: -item[0]):
        moved = (matrix @ corners)[:2]
        if all(np.linalg.norm(moved - (other @ corners)[:2], axis=0).mean() > SAME_PX for other in best):
            best.append(matrix)
        if len(best) == NUM_CANDIDATES:
            break
    return [np.linalg.inv(to_target) @ matrix @ to_source for matrix in best]


def _contours(gray: Map) -> tuple[NDArray[np.complex64], Matrix]:
    """Edges as complex numbers, r exp(2 i a), at the size searched at; and the matrix to that size."""
    small, zoom = shrink(gray, SEARCH_PX)
    _, cosine, sine = cv2.split(structure_channels(small))
    return cosine + 1j * sine, zoom


def _about_centre(source: tuple[int, ...], target: tuple[int, ...], turn_deg: float, scale: float) -> Matrix:
    """Turn and scale about the centre of the source, which comes to the centre of the target."""
    matrix = np.vstack(
        [cv2.getRotationMatrix2D(((source[1] - 1) / 2, (source[0] - 1) / 2), -turn_deg, scale), [0, 0, 1]]
    )
    matrix[:2, 2] += (target[1] - source[1]) / 2, (target[0] - source[0]) / 2
    return matrix


def _turn(
    contours: NDArray[np.complex64], matrix: Matrix, turn_deg: float, shape: tuple[int, ...]
) -> NDArray[np.complex64]:
    """Contours under a similarity: they move, and their directions turn."""
    size = shape[1], shape[0]
    parts = (cv2.warpAffine(part, matrix[:2], size) for part in (contours.real.copy(), contours.imag.copy()))
    real, imaginary = parts
    return (real + 1j * imaginary) * np.complex64(np.exp(2j * np.deg2rad(turn_deg)))
