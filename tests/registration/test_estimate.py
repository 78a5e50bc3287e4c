from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.registration.estimate import Estimate, ModelChoice, estimate
from ircolor.registration.points import HandPoints
from ircolor.registration.refine import Refined
from ircolor.registration.resample import Points
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import Matrix, Warp, apply_matrix
from tests.conftest import noise
from tests.registration.cameras import HEIGHT, WIDTH, corner_error_px, road
from tests.registration.test_candidate import STRETCHED, TILTED
from tests.registration.textures import about_centre, displaced

TRUTH = about_centre(6, 1.08, (9, -7))
INFRARED = road(HEIGHT, WIDTH, 0)[0]


def rgb_as(matrix: Matrix, seed: int = 0) -> NDArray[np.uint8]:
    return displaced(road(HEIGHT, WIDTH, seed)[1], matrix)


@pytest.fixture(scope="module")
def rgb() -> NDArray[np.uint8]:
    return rgb_as(TRUTH)


@pytest.fixture(scope="module")
def found(rgb: NDArray[np.uint8]) -> Estimate:
    return estimate(rgb, INFRARED)


def error_px(found: Estimate, truth: Matrix) -> float:
    assert found.warp is not None
    return corner_error_px(found.warp.matrix, truth)


def test_a_known_similarity_is_found_named_and_accepted(found: Estimate) -> None:
    assert error_px(found, TRUTH) < 0.2
    assert found.warp is not None
    assert (found.warp.model, found.verdict) == ("similarity", "accept")
    assert found.reason.endswith("blocks agree")
    assert found.correlation_after > found.correlation_before + 0.3
    assert 0 < found.residual_median_px < found.residual_p90_px < 1
    assert 0.75 < found.overlap < 1
    assert 0.5 < found.coverage <= 1
    assert found.num_inliers == len(found.matches.rgb) > 60
    errors_px = np.linalg.norm(apply_matrix(TRUTH, found.matches.rgb) - found.matches.infrared, axis=1)
    assert np.median(errors_px) < 0.5
    assert errors_px.max() < 3
    row = found.to_registration("a", 0.5)
    assert (row.stem, row.verdict, row.model, row.seconds) == ("a", "accept", "similarity", 0.5)
    np.testing.assert_array_equal(row.matrix, found.warp.matrix)


@pytest.mark.parametrize(
    ("matrix", "model"), [(TILTED, "homography"), pytest.param(STRETCHED, "affine", marks=pytest.mark.slow)]
)
def test_a_richer_model_is_named_where_no_similarity_explains_the_pair(matrix: Matrix, model: ModelName) -> None:
    found = estimate(rgb_as(matrix), INFRARED)
    assert found.warp is not None
    assert (found.warp.model, found.verdict) == (model, "accept")
    assert error_px(found, matrix) < 0.5


@pytest.mark.parametrize("model", ["affine", "homography"])
def test_a_model_asked_for_is_fitted(rgb: NDArray[np.uint8], model: ModelChoice) -> None:
    found = estimate(rgb, INFRARED, model)
    assert found.warp is not None
    assert found.warp.model == model
    assert error_px(found, TRUTH) < 0.6


def test_depths_and_sizes_may_differ(rgb: NDArray[np.uint8], found: Estimate) -> None:
    deep = estimate(rgb.astype(np.uint16) * 200, INFRARED.astype(np.uint16) * 16)
    assert error_px(deep, TRUTH) < 0.2
    large = np.asarray(cv2.resize(rgb, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    shrink = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375], [0, 0, 1]])
    grown = estimate(large, INFRARED)
    assert grown.warp is not None
    assert corner_error_px(grown.warp.matrix @ np.linalg.inv(shrink), TRUTH) < 0.2
    assert (deep.verdict, grown.verdict) == ("accept", "accept")
    # Residuals are in px of the infrared image.
    double = estimate(rgb, np.asarray(cv2.resize(INFRARED, None, fx=2, fy=2), np.uint8))
    assert double.residual_median_px == pytest.approx(2 * found.residual_median_px, rel=0.4)
    assert double.usable is not None
    assert double.usable.shape == (2 * HEIGHT, 2 * WIDTH)


def test_displacing_the_infrared_image_displaces_the_estimate(rgb: NDArray[np.uint8], found: Estimate) -> None:
    assert found.warp is not None
    for further in (about_centre(-4, 1.05, (6, 3)), about_centre(3, 0.95, (-5, 8))):
        again = estimate(rgb, displaced(INFRARED, np.asarray(np.linalg.inv(further))))
        assert again.verdict == "accept"
        assert error_px(again, further @ found.warp.matrix) < 0.3


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: road(HEIGHT, WIDTH, 1)[1], id="scene 1"),
        pytest.param(lambda: np.ascontiguousarray(road(HEIGHT, WIDTH, 0)[1][:, ::-1]), id="mirrored"),
        pytest.param(lambda: np.stack([noise(HEIGHT, WIDTH, seed) for seed in range(3)], axis=2), id="noise"),
        *(
            pytest.param(lambda seed=seed: road(HEIGHT, WIDTH, seed)[1], id=f"scene {seed}", marks=pytest.mark.slow)
            for seed in range(2, 8)
        ),
    ],
)
def test_two_different_scenes_are_never_accepted(other: Callable[[], NDArray[np.uint8]]) -> None:
    found = estimate(other(), INFRARED)
    assert found.verdict != "accept"
    assert "match" in found.reason or "displacement" in found.reason


def test_blank_images_are_rejected_with_no_transform(rgb: NDArray[np.uint8]) -> None:
    found = estimate(np.full_like(rgb, 40), INFRARED)
    assert (found.warp, found.usable, found.verdict) == (None, None, "reject")
    assert found.reason == "the RGB image is blank"
    assert "the infrared image is blank" in estimate(rgb, INFRARED // 128 + 40).reason
    assert np.isnan(found.to_registration("a", 0.1).matrix).all()


def test_a_dark_image_is_aligned_but_looked_at(rgb: NDArray[np.uint8]) -> None:
    found = estimate(rgb, INFRARED // 20)
    assert found.verdict == "review"
    assert "nearly black" in found.reason
    assert error_px(found, TRUTH) < 1


def test_a_copy_of_the_other_image_is_rejected() -> None:
    found = estimate(np.repeat(INFRARED[..., None], 3, axis=2), INFRARED)
    assert found.verdict == "reject"
    assert "gray copy" in found.reason
    assert error_px(found, np.eye(3)) < 0.05


@pytest.mark.parametrize("shape", [(1, 900), (2, 2), (40, 48)])
def test_images_too_small_to_tell_are_rejected(shape: tuple[int, int]) -> None:
    found = estimate(np.stack([noise(*shape, seed) for seed in range(3)], axis=2), noise(*shape, seed=3))
    assert (found.warp, found.verdict) == (None, "reject")
    assert found.reason == "nothing in the two images matches"


def test_a_part_that_moved_is_masked(rgb: NDArray[np.uint8]) -> None:
    infrared = INFRARED.copy()
    infrared[120:, :160] = np.roll(INFRARED, 5, axis=1)[120:, :160]
    found = estimate(rgb, infrared)
    assert error_px(found, TRUTH) < 0.5
    assert found.usable is not None
    assert found.usable.shape == (HEIGHT, WIDTH)
    assert found.usable[150:200, 40:130].mean() < 0.2
    assert found.usable[:, 190:].mean() > 0.95
    assert found.usable[:90].mean() > 0.95


def clicked(matrix: Matrix, num: int = 8, **changes: Any) -> HandPoints:
    """Points clicked half a px off."""
    rng = np.random.default_rng(4)
    rgb: Points = rng.uniform((60, 50), (WIDTH - 60, HEIGHT - 50), (num, 2))
    infrared = apply_matrix(matrix, rgb) + rng.normal(0, 0.4, (num, 2))
    return HandPoints(rgb, infrared, list(range(2, 2 + num)), "points.csv", **changes)


def test_points_by_hand_stand_where_images_show_nothing(rgb: NDArray[np.uint8]) -> None:
    blurred = np.full_like(INFRARED, 90)
    blurred[:, ::2] = 99
    found = estimate(rgb, blurred, hand=clicked(TRUTH))
    assert error_px(found, TRUTH) < 2
    assert "as points given by hand say" in found.reason
    # Not those that would be found in the images.
    elsewhere = about_centre(-3, 1.0, (-20, 15))
    contradicted = estimate(rgb, INFRARED, hand=clicked(elsewhere))
    assert error_px(contradicted, elsewhere) < 2
    assert contradicted.verdict == "review"
    assert "both images show texture" in contradicted.reason
    with pytest.raises(UserError, match="needs at least 2"):
        estimate(rgb, INFRARED, hand=clicked(TRUTH, num=1))


def test_edges_improve_points_by_hand_and_a_misclicked_one_is_named(rgb: NDArray[np.uint8]) -> None:
    hand = clicked(TRUTH)
    plain = estimate(rgb, INFRARED, hand=hand)
    assert (plain.verdict, error_px(plain, TRUTH) < 0.2) == ("accept", True)
    hand.infrared[3] += 25
    found = estimate(rgb, INFRARED, hand=hand)
    assert found.verdict == "review"
    assert "points.csv line 5: " in found.reason
    assert "line 4" not in found.reason
    assert error_px(found, TRUTH) < 0.2


def test_exchanged_columns_of_points_are_named(rgb: NDArray[np.uint8]) -> None:
    hand = clicked(TRUTH)
    found = estimate(rgb, INFRARED, hand=replace(hand, rgb=hand.infrared, infrared=hand.rgb))
    assert found.verdict == "reject"
    assert "points.csv: x_rgb,y_rgb look exchanged with x_ir,y_ir" in found.reason


def test_a_spline_goes_through_its_points(rgb: NDArray[np.uint8]) -> None:
    hand = clicked(TRUTH, num=12)
    found = estimate(rgb, INFRARED, "thin-plate spline", hand=hand)
    assert found.warp is not None
    assert found.warp.model == "thin-plate spline"
    np.testing.assert_allclose(found.warp.to_infrared(hand.rgb), hand.infrared, atol=1e-6)
    assert found.verdict == "accept"
    assert found.correlation_after > found.correlation_before + 0.2


RIG = Warp("similarity", about_centre(0.1, 1.0, (0.5, -0.5)) @ TRUTH)


def test_a_frame_differs_from_its_rig_by_what_its_own_evidence_supports(rgb: NDArray[np.uint8]) -> None:
    assert 0.5 < corner_error_px(RIG.matrix, TRUTH) < 1.5
    found = estimate(rgb, INFRARED, rig=RIG)
    assert found.verdict == "accept"
    assert error_px(found, TRUTH) < 0.2


def test_frames_without_texture_inherit_the_transform_of_their_rig(rgb: NDArray[np.uint8]) -> None:
    grain = np.random.default_rng(0).integers(0, 6, INFRARED.shape, np.uint8)
    frames = (
        (np.full_like(INFRARED, 40), "review", "the infrared image is blank; "),
        (grain, "review", "the infrared image is nearly black; "),
        (np.asarray(40 + 8 * grain, np.uint8), "accept", ""),
    )
    for infrared, verdict, complaint in frames:
        found = estimate(rgb, infrared, rig=RIG)
        assert error_px(found, RIG.matrix) < 1e-9
        assert (found.verdict, found.reason) == (verdict, f"{complaint}as the rig says")


def test_a_frame_that_contradicts_its_rig_is_not_accepted() -> None:
    shaken = about_centre(0, 1, (25, 12)) @ TRUTH
    found = estimate(rgb_as(shaken), INFRARED, rig=RIG)
    assert found.verdict != "accept"
    assert "blocks agree" in found.reason
    assert error_px(found, RIG.matrix) < 1e-9


def test_what_could_not_be_refined_is_looked_at(rgb: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    def diverging(_rgb: Any, _infrared: Any, matrix: Matrix, *_: Any) -> Refined:
        return Refined(matrix, 0.0, True)

    monkeypatch.setattr("ircolor.registration.candidate.refine", diverging)
    found = estimate(rgb, INFRARED, "similarity")
    assert found.verdict == "review"
    assert found.reason.count("could not be refined to sub-pixel") == 1
