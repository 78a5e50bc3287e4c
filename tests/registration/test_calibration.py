from pathlib import Path

import cv2
import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.registration.calibration import MAX_CHARACTERS, MAX_OPENINGS, Calibration, read_calibration
from tests.registration.test_transforms import smooth

MATRIX = np.array([[150.0, 0, 82], [0, 148, 58], [0, 0, 1]])
DISTORTION = np.array([-0.25, 0.08, 0.001, -0.002, 0.01])
ROS = """image_width: 160
image_height: 120
camera_name: narrow_stereo
camera_matrix:
  rows: 3
  cols: 3
  data: [150, 0, 82, 0, 148.0, 58, 0, 0, 1]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.25, 0.08, 0.001, -0.002, 0.01]
"""
CALIBRATION = Calibration(MATRIX, DISTORTION, (120, 160))


def write_by_opencv(file: Path, **changes: object) -> Path:
    """As OpenCV's calibration sample does, but for the changes."""
    values = {"image_width": 160, "image_height": 120, "camera_matrix": MATRIX, "distortion_coefficients": DISTORTION}
    storage = cv2.FileStorage(str(file), cv2.FILE_STORAGE_WRITE)
    for key, value in (values | changes).items():
        if value is not None:
            storage.write(key, value)  # type: ignore[call-overload]
    storage.release()
    return file


@pytest.mark.parametrize("name", ["camera.yml", "camera.yaml", "camera.xml", "camera.json"])
def test_files_of_opencv_are_read(tmp_path: Path, name: str) -> None:
    check(read_calibration(write_by_opencv(tmp_path / name)))


@pytest.mark.parametrize("head", ["", "%YAML:1.0\n---\n"])
def test_files_of_ros_are_read(tmp_path: Path, head: str) -> None:
    (tmp_path / "ost.yaml").write_text(head + ROS)
    check(read_calibration(tmp_path / "ost.yaml"))


def check(calibration: Calibration) -> None:
    np.testing.assert_array_equal(calibration.camera_matrix, MATRIX)
    np.testing.assert_array_equal(calibration.distortion, DISTORTION)
    assert calibration.size == (120, 160)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"camera_matrix": None}, "no usable camera_matrix"),
        ({"camera_matrix": np.eye(2)}, "no usable camera_matrix"),
        ({"camera_matrix": np.zeros((3, 3))}, "no usable camera_matrix"),
        ({"camera_matrix": np.full((3, 3), np.nan)}, "no usable camera_matrix"),
        ({"camera_matrix": "a matrix"}, "no usable camera_matrix"),
        ({"distortion_coefficients": np.zeros(3)}, "no usable distortion_coefficients"),
        ({"image_width": 0}, "no usable image_width"),
        ({"image_height": None}, "no usable image_height"),
        ({"fisheye_model": 1}, "fisheye"),
        ({"distortion_model": "equidistant"}, "fisheye"),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path: Path, changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(UserError, match=rf"camera\.yml: .*{complaint}"):
        read_calibration(write_by_opencv(tmp_path / "camera.yml", **changes))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x89PNG\r\n\x1a\n\xff",
        b"%YAML:1.0\n---\nimage_width: [1,2\n",
        b"<?xml version='1.0'?><opencv_storage><a>",
        b"- 1\n- 2\n",
        b"%YAML:1.0\n---\ncamera_matrix: !!opencv-matrix\n   rows: 900000\n   cols: 900000\n   dt: d\n   data: [ 1. ]",
        b"%YAML:1.0\n---\na: " + b"[" * (MAX_OPENINGS - 20),
        b"%YAML:1.0\n---\na: " + b"[" * 10**6,
        b"%YAML:1.0\n---\na: " + b"1 " * MAX_CHARACTERS,
        b"%YAML:1.0\n---\na:\n" + b"- " * 10**6,
        b"%YAML:1.0\n---\n" + b"".join(b" " * depth + b"a:\n" for depth in range(2000)),
        b"<?xml version='1.0'?><opencv_storage>" + b"<a>" * (MAX_OPENINGS - 20),
        b'{"a":' * (MAX_OPENINGS // 2 - 20),
        b'{"a":' * 10**6,
    ],
)
def test_hostile_files_are_told_and_crash_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "camera.yml").write_bytes(content)
    with pytest.raises(UserError, match=r"camera\.yml: "):
        read_calibration(tmp_path / "camera.yml")


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yml: cannot be read"):
        read_calibration(tmp_path / "none.yml")


@pytest.mark.parametrize("scale", [1, 4])
def test_images_are_straightened_as_by_opencv_at_any_size(scale: int) -> None:
    image = smooth(120 * scale, 160 * scale)
    matrix = MATRIX.copy()
    matrix[:2] *= scale
    matrix[:2, 2] += (scale - 1) / 2
    expected = cv2.undistort(image, matrix, DISTORTION)
    straight, _ = CALIBRATION.undistort(image)
    inner = np.s_[10 * scale : -10 * scale, 10 * scale : -10 * scale]
    assert straight.shape == image.shape
    # OpenCV interpolates linearly, which costs a gray value at most on these hills.
    assert np.abs(straight[inner].astype(float) - expected[inner]).max() <= 1
    assert np.abs(straight[inner].astype(float) - image[inner]).mean() > 2


def test_a_colour_image_keeps_its_type() -> None:
    image = np.dstack([smooth(120, 160)] * 3).astype(np.uint16)
    straight, _ = CALIBRATION.undistort(image)
    assert straight.dtype == np.uint16
    np.testing.assert_array_equal(straight[..., 1], CALIBRATION.undistort(image[..., 0])[0])


def test_straightening_keeps_to_the_range_of_the_camera_and_black() -> None:
    pincushion = Calibration(MATRIX, np.array([0.25, 0, 0, 0]), (120, 160))
    edges = np.where(np.indices((120, 160)).sum(axis=0) // 4 % 2, 1023, 64).astype(np.uint16)
    straight, seen = pincushion.undistort(edges)
    assert (straight.min(), straight.max()) == (0, 1023)
    assert 0.5 < seen.mean() < 0.95
    assert straight[seen].min() == 64
    assert not seen[straight == 0].any()


def test_another_aspect_ratio_is_told() -> None:
    with pytest.raises(UserError, match="made for 160x120 images, but this one is 160x90"):
        CALIBRATION.undistort(smooth(90, 160))


@pytest.mark.parametrize("scale", [1, 4])
def test_points_go_where_the_image_goes(scale: int) -> None:
    image = np.zeros((120 * scale, 160 * scale), np.uint8)
    points = np.array([[20.0, 15.0], [140.0, 100.0], [80.0, 60.0]]) * scale
    for x, y in points.astype(int):
        cv2.circle(image, (int(x), int(y)), 3 * scale, 255, -1)
    straight, _ = CALIBRATION.undistort(image)
    placed = CALIBRATION.undistort_points(points, image.shape)
    assert np.abs(placed - points).max() > 0.5 * scale
    _, _, _, centres = cv2.connectedComponentsWithStats((straight > 127).astype(np.uint8))
    for place in placed:
        assert np.linalg.norm(centres[1:] - place, axis=1).min() < 0.4 * scale


def test_the_points_of_all_views_may_be_in_the_file(tmp_path: Path) -> None:
    """OpenCV's calibration sample writes them, too."""
    views = np.random.default_rng(0).uniform(0, 160, (40, 54 * 2))
    file = write_by_opencv(tmp_path / "camera.yml", image_points=views, extrinsic_parameters=views[:, :6])
    assert len(file.read_text()) > 50_000
    check(read_calibration(file))


def test_a_transposed_matrix_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no usable camera_matrix"):
        read_calibration(write_by_opencv(tmp_path / "camera.yml", camera_matrix=MATRIX.T.copy()))


def test_points_may_be_columns_of_a_table() -> None:
    table = np.array([[20.0, 15.0, 1, 2], [140.0, 100.0, 3, 4]])
    straight = CALIBRATION.undistort_points(table[:, :2], (120, 160))
    np.testing.assert_array_equal(straight, CALIBRATION.undistort_points(table[:, :2].copy(), (120, 160)))
