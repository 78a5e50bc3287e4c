import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.registration.resample import Points
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import (
    FITS,
    MIN_POINTS,
    Warp,
    apply_matrix,
    fit_homography,
    fit_thin_plate,
    geometry_problem,
)
from tests.conftest import noise

SIMILARITY = np.array([[0.98, 0.05, 9], [-0.05, 0.98, 13], [0, 0, 1]])
AFFINE = np.array([[1.02, 0.08, 9], [-0.05, 0.9, 13], [0, 0, 1]])
HOMOGRAPHY = np.array([[1.02, 0.03, 9], [-0.05, 0.98, 13], [2e-4, -1e-4, 1]])
KNOWN: list[tuple[ModelName, NDArray[np.float64]]] = [
    ("similarity", SIMILARITY),
    ("affine", AFFINE),
    ("homography", HOMOGRAPHY),
]
VGA = (480, 640)


def clicks(matrix: NDArray[np.float64], num: int, noise_px: float = 0.0, seed: int = 0) -> tuple[Points, Points]:
    rng = np.random.default_rng(seed)
    rgb = rng.uniform(40, 440, (num, 2))
    return rgb, apply_matrix(matrix, rgb) + rng.normal(0, 1, (num, 2)) * noise_px


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    """Round hills, which survive a resampling."""
    y, x = np.mgrid[:height, :width]
    return np.asarray(127 + 80 * np.sin(x / 9) * np.cos(y / 7), np.uint8)


@pytest.mark.parametrize(("model", "matrix"), KNOWN)
def test_a_known_transform_is_found_from_the_fewest_points_and_from_many(
    model: ModelName, matrix: NDArray[np.float64]
) -> None:
    for num in (MIN_POINTS[model], 30):
        np.testing.assert_allclose(FITS[model](*clicks(matrix, num), None), matrix, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("model", "matrix"), KNOWN)
def test_a_weight_counts_as_often_as_it_says_and_zero_not_at_all(model: ModelName, matrix: NDArray[np.float64]) -> None:
    rgb, infrared = clicks(matrix, 12, noise_px=1)
    fit = FITS[model]
    weights = np.array([2.0, 0] + [1] * 10)
    repeated = [0, 0, *range(2, 12)]
    np.testing.assert_allclose(
        fit(rgb, infrared, weights), fit(rgb[repeated], infrared[repeated], None), rtol=1e-5, atol=1e-8
    )


def test_noisy_fits_are_those_of_opencv() -> None:
    rgb, infrared = clicks(HOMOGRAPHY, 30, noise_px=1)
    np.testing.assert_allclose(fit_homography(rgb, infrared), cv2.findHomography(rgb, infrared, 0)[0], rtol=1e-4)
    # estimateAffine2D has no plain least squares; the normal equations say the same of the residuals.
    residuals = apply_matrix(FITS["affine"](rgb, infrared, None), rgb) - infrared
    np.testing.assert_allclose(np.hstack([rgb, np.ones((30, 1))]).T @ residuals, 0, atol=1e-7)


def test_a_similarity_never_mirrors() -> None:
    rgb, _ = clicks(SIMILARITY, 10)
    assert np.linalg.det(FITS["similarity"](rgb, rgb[:, ::-1], None)) > 0


def test_resampling_is_that_of_opencv_and_valid_where_all_neighbours_are_inside() -> None:
    image = noise(60, 80)
    warp = Warp("homography", HOMOGRAPHY)
    warped, valid = warp.rgb_onto_infrared(image, (70, 90))
    expected = cv2.warpPerspective(image, HOMOGRAPHY, (90, 70), flags=cv2.INTER_CUBIC)
    # Both round positions to 1/32 px, but not always to the same one.
    assert np.abs(warped[valid].astype(float) - expected[valid]).mean() < 1
    # Drawn from ones within zeros, only what is valid is one.
    ones = np.pad(np.ones((60, 80), np.float32), 100)
    shift = np.array([[1, 0, -100], [0, 1, -100], [0, 0, 1]])
    covered, _ = Warp("homography", HOMOGRAPHY @ shift).rgb_onto_infrared(ones, (70, 90))
    np.testing.assert_allclose(covered[valid], 1, atol=1e-3)
    assert 0.6 < valid.sum() / (covered > 0.5).sum() < 1


def test_an_identity_changes_nothing_and_keeps_every_pixel() -> None:
    image = np.stack([noise(20, 30, seed) for seed in range(3)], axis=2).astype(np.uint16) * 257
    warped, valid = Warp("similarity", np.eye(3)).infrared_onto_rgb(image, (20, 30))
    assert valid.all()
    assert warped.dtype == np.uint16
    np.testing.assert_array_equal(warped, image)


def test_a_round_trip_of_image_and_points_comes_back() -> None:
    image = smooth(120, 160)
    warp = Warp("affine", AFFINE)
    there, _ = warp.rgb_onto_infrared(image, (150, 200))
    back, valid = warp.infrared_onto_rgb(there, (120, 160))
    inner = valid & (cv2.erode(np.pad(np.ones((100, 140), np.uint8), 10), np.ones((3, 3))) > 0)
    assert np.abs(back.astype(float) - image)[inner].max() <= 4
    points = clicks(AFFINE, 5)[0]
    np.testing.assert_allclose(warp.to_rgb(warp.to_infrared(points)), points)


def test_shrinking_fine_stripes_gives_gray_not_false_stripes() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 64))
    warped, _ = Warp("similarity", np.diag([1 / 2.2, 1 / 2.2, 1])).rgb_onto_infrared(stripes, (29, 58))
    assert np.ptp(warped[:, 2:-2].astype(int)) < 20


def test_a_thin_plate_spline_passes_through_its_points_both_ways_and_follows_an_affine_map() -> None:
    rgb, infrared = clicks(AFFINE, 12, noise_px=4)
    warp = fit_thin_plate(rgb, infrared)
    np.testing.assert_allclose(warp.to_infrared(rgb), infrared, atol=1e-6)
    np.testing.assert_allclose(warp.to_rgb(infrared), rgb, atol=1e-6)
    np.testing.assert_allclose(warp.matrix, FITS["affine"](rgb, infrared, None))
    exact = fit_thin_plate(*clicks(AFFINE, 12))
    np.testing.assert_allclose(exact.to_infrared(rgb + 50), apply_matrix(AFFINE, rgb + 50), atol=1e-6)


def test_a_thin_plate_spline_is_that_of_scipy() -> None:
    interpolate = pytest.importorskip("scipy.interpolate")
    rgb, infrared = clicks(HOMOGRAPHY, 12, noise_px=4)
    elsewhere = clicks(HOMOGRAPHY, 30, seed=1)[0]
    expected = interpolate.RBFInterpolator(rgb, infrared, kernel="thin_plate_spline")(elsewhere)
    np.testing.assert_allclose(fit_thin_plate(rgb, infrared).to_infrared(elsewhere), expected, atol=1e-6)


def test_a_spline_draws_each_point_where_it_was_given() -> None:
    rgb, infrared = clicks(SIMILARITY, 10, noise_px=4)
    warp = fit_thin_plate(rgb, infrared)
    y, x = np.mgrid[:480, :480].astype(np.float32)
    # An image that holds its own coordinates tells where each drawn pixel comes from.
    drawn = np.dstack([warp.rgb_onto_infrared(each, (480, 480))[0] for each in (x, y)])
    places = np.rint(infrared).astype(int)
    np.testing.assert_allclose(drawn[places[:, 1], places[:, 0]], warp.to_rgb(places.astype(float)), atol=0.06)


@pytest.mark.parametrize("matrix", [np.eye(3), SIMILARITY, AFFINE, HOMOGRAPHY, -HOMOGRAPHY])
def test_sane_transforms_have_no_problem(matrix: NDArray[np.float64]) -> None:
    assert geometry_problem(matrix, VGA, VGA) is None


def test_the_scale_counts_by_the_sizes_of_the_images() -> None:
    assert geometry_problem(np.diag([0.1, 0.1, 1.0]), (4800, 6400), VGA) is None


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        (np.full((3, 3), np.nan), "no transform"),
        ([[-1, 0, 640], [0, 1, 0], [0, 0, 1]], "mirrors"),
        ([[1, 0, 0], [0, 1, 0], [-0.002, 0, 1]], "horizon"),
        (np.diag([5.0, 5, 1]), "to 5 times"),
        (np.diag([0.2, 0.2, 1]), "to 0.2 times"),
        ([[1, 0, 0], [0, 1, 0], [-0.0014, 0, 1]], "times the size"),
        (np.diag([1.7, 1, 1]), "1.7 times as much"),
        ([[1, 0, 600], [0, 1, 0], [0, 0, 1]], "overlap by 6 %"),
        ([[1, 0, 9000], [0, 1, 0], [0, 0, 1]], "overlap by 0 %"),
    ],
)
def test_each_absurd_transform_is_told_why(matrix: object, problem: str) -> None:
    assert problem in str(geometry_problem(np.asarray(matrix, np.float64), VGA, VGA))
