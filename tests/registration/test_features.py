import cv2
import numpy as np
import pytest

from ircolor.registration.features import Features, find_features, match_features
from ircolor.registration.structure import to_luma
from ircolor.registration.transforms import apply_matrix
from tests.registration.cameras import HEIGHT, WIDTH, road
from tests.registration.textures import about_centre, texture


def test_descriptors_are_of_unit_length_and_do_not_tell_bright_from_dark() -> None:
    one, other = find_features(texture()), find_features(255 - texture())
    np.testing.assert_allclose(np.linalg.norm(one.descriptors, axis=1), 1, atol=1e-5)
    distances_px = np.linalg.norm(one.points[:, None] - other.points, axis=2)
    nearest = distances_px.argmin(axis=1)
    same = distances_px[np.arange(len(nearest)), nearest] < 0.1
    assert same.mean() > 0.9
    both_ways = np.stack([other.descriptors, other.turned])[:, nearest]
    likeness = (both_ways * one.descriptors).sum(axis=2).max(axis=0)
    assert np.median(likeness[same]) > 0.98


def test_points_match_those_of_an_inverted_turned_and_scaled_copy() -> None:
    matrix = about_centre(25, 1.3, (5, -4))
    matches = match_features(find_features(255 - texture(matrix)), find_features(texture()))
    errors_px = np.linalg.norm(apply_matrix(matrix, matches.rgb) - matches.infrared, axis=1)
    assert len(errors_px) > 200
    assert (errors_px < 2).mean() > 0.8
    assert np.median(errors_px) < 0.5


def test_points_match_across_spectra() -> None:
    infrared, rgb = road(HEIGHT, WIDTH, 0)
    matches = match_features(find_features(to_luma(rgb)), find_features(to_luma(infrared)))
    right = np.linalg.norm(matches.rgb - matches.infrared, axis=1) < 2
    assert right.sum() > 30
    assert right.mean() > 0.3


def test_points_are_in_px_of_large_images() -> None:
    y, x = np.mgrid[:900, :1200]
    blob = 200 * np.exp(-((x - 700.0) ** 2 + (y - 300.0) ** 2) / (2 * 20**2))
    points = find_features(blob.astype(np.float32)).points
    assert len(points)
    # Of the size looked at, a px is 2.7 of these.
    assert np.linalg.norm(points - [700, 300], axis=1).min() < 2.7


def test_only_mutual_and_distinct_neighbours_match() -> None:
    def features(*rows: list[float]) -> Features:
        descriptors = np.array(rows, np.float32)
        descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
        points = np.arange(2.0 * len(rows)).reshape(-1, 2)
        return Features(points, descriptors, descriptors[:, ::-1])

    # The first has one neighbour, the second two alike, the third that of the first, only farther.
    rgb = features([1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 0.4, 0])
    infrared = features([1, 0.1, 0, 0], [0, 1, 0.1, 1], [0, 1, -0.1, 1])
    matches = match_features(rgb, infrared)
    np.testing.assert_array_equal(matches.rgb, rgb.points[:1])
    np.testing.assert_array_equal(matches.infrared, infrared.points[:1])


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (1, 900), (900, 1), (1, 1)])
def test_images_of_nothing_have_no_points_and_match_nothing(shape: tuple[int, int]) -> None:
    nothing = find_features(np.full(shape, 40, np.float32))
    assert [len(part) for part in nothing] == [0, 0, 0]
    for pair in ((nothing, find_features(texture())), (nothing, nothing)):
        assert [part.shape for part in match_features(*pair)] == [(0, 2), (0, 2)]


def test_a_faint_image_has_as_many_points() -> None:
    gray = np.asarray(cv2.GaussianBlur(texture(), (0, 0), 2), np.float32)
    many, faint = (len(find_features(image).points) for image in (gray, 10 + gray / 8))
    assert faint > 0.8 * many > 80
