"""Lens calibration files: read them, and straighten images by them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.registration.resample import Points, comes_from_inside, within_range
from ircolor.registration.transforms import Size

# Of the files that OpenCV's sample writes, with the points of all views of the board; a hundred views have a tenth.
MAX_CHARACTERS = 2_000_000
# OpenCV's parser recurses, and overflows the stack on what is nested 20,000 deep. Brackets, tags, keys, dashes of lists
# and indentation nest; a calibration has a hundred of them.
MAX_OPENINGS = 4_000
_OPENING = re.compile(r"[\[{<:]|-\s")
DISTORTION_COUNTS = (4, 5, 8, 12, 14)
# Of the iteration that straightens a point: steps, and change in px / focal length.
_PRECISELY = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 50, 1e-10)
PINHOLE_MODELS = ("", "plumb_bob", "rational_polynomial")


@dataclass(frozen=True, eq=False)
class Calibration:
    """A pinhole camera with lens distortion, in OpenCV's terms.

    Attributes:
        camera_matrix: (3, 3), focal lengths and principal point in px of an image of `size`.
        distortion: (4,), (5,), (8,), (12,) or (14,) coefficients.
        size: (height, width) of the images that it was calibrated with.
        name: what to call the file in messages.
    """

    camera_matrix: NDArray[np.float64]
    distortion: NDArray[np.float64]
    size: tuple[int, int]
    name: str = "the calibration"

    def undistort(self, image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Straighten an image, keeping its size and its camera matrix; what comes from outside of it is black.

        Args:
            image: (H, W) or (H, W, 3), uint8, uint16 or float32; of `size`, or of another one with its aspect ratio.

        Returns:
            The image, of the same type, and which of its pixels the camera saw, (H, W).

        Raises:
            UserError: another aspect ratio.
        """
        height, width = image.shape[:2]
        matrix = self._matrix_at(image.shape)
        places = cv2.initUndistortRectifyMap(matrix, self.distortion, np.eye(3), matrix, (width, height), cv2.CV_32FC1)
        x, y = (np.asarray(place, np.float32) for place in places)
        straight = cv2.remap(image, x, y, cv2.INTER_CUBIC)
        seen = comes_from_inside(x, y, image.shape)
        inside = seen.reshape(*seen.shape, *[1] * (image.ndim - 2))
        return np.where(inside, within_range(straight, image), np.minimum(straight, image.max())), seen

    def undistort_points(self, points: Points, size: Size) -> Points:
        """Where (N, 2) points of an image of (height, width) come to lie when it is straightened, both in px.

        Raises:
            UserError: another aspect ratio.
        """
        matrix = self._matrix_at(size)
        straight = cv2.undistortPoints(
            np.ascontiguousarray(points), matrix, self.distortion, R=np.eye(3), P=matrix, criteria=_PRECISELY
        )
        return np.asarray(straight, np.float64).reshape(-1, 2)

    def _matrix_at(self, size: Size) -> NDArray[np.float64]:
        """The camera matrix for images of another size."""
        height, width = size[:2]
        scale = width / self.size[1]
        if abs(self.size[0] * scale - height) > 1:
            raise UserError(
                f"{self.name}: made for {self.size[1]}x{self.size[0]} images, but this one is {width}x{height}; give "
                "the calibration of this camera at this aspect ratio"
            )
        # Pixel centres are at whole numbers, so the corner that scaling leaves in place is at -0.5.
        shift = (scale - 1) / 2
        return np.asarray(np.array([[scale, 0, shift], [0, scale, shift], [0, 0, 1]]) @ self.camera_matrix)


def read_calibration(file: Path) -> Calibration:
    """Read a calibration in YAML, XML or JSON, as OpenCV's calibration sample or ROS writes it.

    Raises:
        UserError: it cannot be read, lacks camera_matrix, distortion_coefficients, image_width or image_height, or
            is that of a fisheye lens.
    """
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read; give an OpenCV calibration in YAML or XML") from error
    indentation = max((len(line) - len(line.lstrip()) for line in text.splitlines()), default=0)
    if len(text) > MAX_CHARACTERS or len(_OPENING.findall(text)) + indentation > MAX_OPENINGS:
        raise UserError(f"{file}: too long for a calibration; keep only the camera matrix, distortion and image size")
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        matrix, distortion, width, height = (
            _numbers(storage.getNode(key))
            for key in ("camera_matrix", "distortion_coefficients", "image_width", "image_height")
        )
        kind = storage.getNode("distortion_model").string()
        fisheye = _numbers(storage.getNode("fisheye_model"))
    except (cv2.error, SystemError) as error:  # SystemError: what the binding makes of some parse errors
        raise UserError(f"{file}: not in OpenCV's YAML, XML or JSON; write it with cv2.FileStorage") from error
    if kind not in PINHOLE_MODELS or any(fisheye):
        raise UserError(f"{file}: a fisheye lens, which is not supported; undistort the images beforehand")
    problems = {
        "camera_matrix": len(matrix) != 9 or min(matrix[0], matrix[4]) <= 0 or [matrix[3], *matrix[6:]] != [0, 0, 0, 1],
        "distortion_coefficients": len(distortion) not in DISTORTION_COUNTS,
        "image_width": len(width) != 1 or width[0] < 1,
        "image_height": len(height) != 1 or height[0] < 1,
    }
    for key, wrong in problems.items():
        if wrong:
            raise UserError(f"{file}: no usable {key} in it; give a file as OpenCV's calibration sample writes it")
    size = int(height[0]), int(width[0])
    return Calibration(np.array(matrix).reshape(3, 3), np.array(distortion), size, str(file))


def _numbers(node: cv2.FileNode) -> list[float]:
    """The numbers of a matrix, a list or a single value; empty where there is anything else, or one is not finite."""
    # Not by node.mat(), which believes any size and knows no ROS files.
    node = node.getNode("data") if node.isMap() else node
    items = [node.at(number) for number in range(node.size())] if node.isSeq() else [node]
    numbers = [item.real() for item in items if item.isReal() or item.isInt()]
    return numbers if len(numbers) == len(items) and np.isfinite(numbers).all() else []
