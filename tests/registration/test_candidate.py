import cv2
import numpy as np
import pytest

from ircolor.registration.candidate import (
    View,
    assess,
    best,
    explained,
    from_contours,
    from_points,
    improved,
    refined,
    simplest,
)
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import Matrix, Warp, fit_thin_plate
from tests.registration.cameras import HEIGHT, WIDTH, corner_error_px
from tests.registration.test_refine import AFFINE, HOMOGRAPHY, SIMILARITY
from tests.registration.textures import about_centre, texture

# Blocks see these as bent: no similarity is near everywhere.
STRETCHED = SIMILARITY @ np.array([[1.08, 0.04, 0], [0, 0.93, 0], [0, 0, 1]])
TILTED = SIMILARITY @ np.array([[1, 0, 0], [0, 1, 0], [4e-4, -3e-4, 1]])


def view_of(matrix: Matrix) -> View:
    return View(texture(matrix), texture())


@pytest.fixture(scope="module")
def view() -> View:
    return view_of(SIMILARITY)


def test_views_bring_both_images_to_one_resolution_and_transforms_with_them() -> None:
    large = cv2.resize(texture(), (4 * WIDTH, 4 * HEIGHT))
    view = View(large, texture())
    assert view.rgb.gray.shape == view.size == (HEIGHT, WIDTH)
    assert view.unit_px == 1
    # The corners of both images stay where they are.
    shrink = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375], [0, 0, 1]])
    np.testing.assert_allclose(view.to_work(shrink), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(view.to_original(np.eye(3)), shrink, atol=1e-12)
    np.testing.assert_allclose(view.to_original(view.to_work(HOMOGRAPHY)), HOMOGRAPHY, atol=1e-9)
    assert View(texture(), large).unit_px == 4
    huge = np.zeros((900, 3200), np.float32)
    assert View(huge, huge).size == (450, 1600)


def test_points_and_contours_alike_find_the_similarity(view: View) -> None:
    for found in (from_points(view), from_contours(view)):
        assert found is not None
        assert (found.model, found.note) == ("similarity", "")
        assert corner_error_px(found.matrix, SIMILARITY) < 0.05
        assert found.agreement > 0.95
        assert found.correlation > 0.95
        assert 0.7 < found.valid.mean() < 1
        assert found.coverage == pytest.approx(found.support / len(found.residual.places))


def test_a_wrong_transform_has_few_blocks_on_its_side(view: View) -> None:
    right, wrong = (assess(view, matrix, "similarity") for matrix in (SIMILARITY, about_centre(3, 1.04, (40, 4))))
    assert right.support > 60 > 10 > wrong.support
    assert right.correlation > 0.9 > 0.3 > wrong.correlation


def test_a_spline_warps_as_its_matrix_does_where_its_points_lie_on_that(view: View) -> None:
    corners = np.array([[10.0, 10], [300, 20], [20, 220], [310, 230], [150, 100]])
    warp = fit_thin_plate(corners, Warp("affine", AFFINE).to_infrared(corners))
    bent, plain = assess(view, warp.matrix, warp.model, warp=warp), assess(view, AFFINE, "affine")
    both = bent.valid & plain.valid
    assert both.mean() > 0.7
    # Cubic and linear interpolation differ a little.
    assert np.abs(bent.warped - plain.warped)[both].mean() < 2
    assert bent.model == "thin-plate spline"


@pytest.mark.parametrize(("model", "matrix"), [("affine", STRETCHED), ("homography", TILTED)])
def test_blocks_of_the_nearest_similarity_point_at_the_richer_model(model: ModelName, matrix: Matrix) -> None:
    view = view_of(matrix)
    similarity = refined(view, SIMILARITY, "similarity")
    assert corner_error_px(similarity.matrix, matrix) > 3
    for found in (explained(view, similarity, model), simplest(view, similarity)):
        assert found is not None
        assert found.model == model
        assert corner_error_px(found.matrix, matrix) < 0.1
        assert found.support > 1.25 * similarity.support


def test_the_simplest_stays_where_it_explains_the_blocks(view: View) -> None:
    found = refined(view, SIMILARITY, "similarity")
    assert simplest(view, found) is found


def test_a_candidate_moves_to_where_its_blocks_point(view: View) -> None:
    near = assess(view, about_centre(3, 1.04, (9, -7)), "similarity")
    assert near.support == 0
    moved = improved(view, near)
    assert moved.support > 60
    assert corner_error_px(moved.matrix, SIMILARITY) < 0.05
    assert improved(view, moved) is moved


def test_images_of_nothing_give_no_candidate_with_support() -> None:
    flat = np.full((HEIGHT, WIDTH), 40, np.float32)
    view = View(flat, flat)
    assert from_points(view) is None
    nothing = refined(view, np.eye(3), "similarity")
    assert (nothing.support, nothing.agreement) == (0, 0)
    assert nothing.note == "could not be refined to sub-pixel"
    assert np.isnan(nothing.correlation)
    assert explained(view, nothing, "affine") is None
    assert best([None, nothing]) is None


def test_the_best_is_that_of_the_highest_correlation(view: View) -> None:
    right, near = (assess(view, matrix, "similarity") for matrix in (SIMILARITY, about_centre(3, 1.04, (6, -4))))
    assert best([near, None, right]) is right
