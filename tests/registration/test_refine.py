import numpy as np
import pytest

from ircolor.registration.refine import Pyramid, refine
from ircolor.registration.result import ModelName
from ircolor.registration.structure import to_luma
from ircolor.registration.transforms import Matrix
from tests.registration.cameras import HEIGHT, WIDTH, corner_error_px, road
from tests.registration.textures import about_centre, displaced, texture

SIMILARITY = about_centre(3, 1.04, (5, -4))
AFFINE = SIMILARITY @ np.array([[1.03, 0.02, 0], [0, 0.98, 0], [0, 0, 1]])
HOMOGRAPHY = AFFINE @ np.array([[1, 0, 0], [0, 1, 0], [6e-5, -5e-5, 1]])
KNOWN: list[tuple[ModelName, Matrix]] = [
    ("similarity", SIMILARITY),
    ("affine", AFFINE),
    ("homography", HOMOGRAPHY),
]
LEVELS = (80, 160, 320)
OFF = about_centre(0.6, 1.01, (3, 2))


@pytest.fixture(scope="module")
def infrared() -> Pyramid:
    return Pyramid(texture())


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("model", "matrix"), KNOWN)
def test_a_start_some_px_off_becomes_exact(infrared: Pyramid, model: ModelName, matrix: Matrix, inverted: bool) -> None:
    rgb = texture(matrix)
    start = OFF @ matrix
    assert corner_error_px(start, matrix) > 4
    found = refine(Pyramid(255 - rgb if inverted else rgb), infrared, start, model, LEVELS)
    assert not found.diverged
    assert corner_error_px(found.matrix, matrix) < 0.05
    assert found.correlation > 0.95
    assert found.matrix[2, 2] == 1


def test_only_the_model_asked_for_is_fitted(infrared: Pyramid) -> None:
    rgb = Pyramid(texture(HOMOGRAPHY))
    similarity, affine = (refine(rgb, infrared, SIMILARITY, model, LEVELS).matrix for model in ("similarity", "affine"))
    np.testing.assert_allclose(similarity[0, 0], similarity[1, 1])
    np.testing.assert_allclose(similarity[0, 1], -similarity[1, 0])
    np.testing.assert_allclose(np.vstack([similarity, affine])[[2, 5]], [[0, 0, 1]] * 2, atol=1e-12)
    assert corner_error_px(similarity, HOMOGRAPHY) > corner_error_px(affine, HOMOGRAPHY) > 0.3


def test_spectra_are_aligned_to_a_tenth_of_a_px_also_at_another_size() -> None:
    infrared, rgb = road(HEIGHT, WIDTH, 0)
    matrix = about_centre(2, 0.97, (4, 3))
    pictures = Pyramid(to_luma(displaced(rgb, matrix))), Pyramid(to_luma(infrared))
    found = refine(*pictures, OFF @ matrix, "similarity", LEVELS)
    assert corner_error_px(found.matrix, matrix) < 0.15
    # Less exact from pictures of half the size.
    coarse = refine(*pictures, OFF @ matrix, "similarity", (80, 160))
    assert 0 < corner_error_px(coarse.matrix, matrix) < 0.6


def test_levels_keep_places() -> None:
    pyramid = Pyramid(texture())
    for long_side in (1600, WIDTH, 201, 40):
        channels, zoom = pyramid[long_side]
        height, width, _ = channels.shape
        assert width == min(long_side, WIDTH)
        assert abs(height - width * HEIGHT / WIDTH) <= 0.5
        corners = np.array([[-0.5, -0.5, 1], [WIDTH - 0.5, HEIGHT - 0.5, 1]])
        zoomed = (corners @ zoom.T)[:, :2]
        np.testing.assert_allclose(zoomed, [[-0.5, -0.5], [width - 0.5, height - 0.5]])


def test_what_shows_nothing_or_has_nothing_in_common_diverges(infrared: Pyramid) -> None:
    flat = Pyramid(np.full((HEIGHT, WIDTH), 40, np.float32))
    apart = about_centre(0, 1, (WIDTH, 0))
    for model, _ in KNOWN:
        for rgb, other, start in ((flat, infrared, OFF), (infrared, flat, OFF), (infrared, infrared, apart)):
            found = refine(rgb, other, start, model, LEVELS)
            assert found.diverged
            np.testing.assert_array_equal(found.matrix, start)


def test_images_smaller_than_the_margin_diverge() -> None:
    tiny = Pyramid(texture(height=12, width=40))
    assert refine(tiny, tiny, np.eye(3), "similarity", LEVELS).diverged


@pytest.mark.parametrize("turn_deg", [30, 60, 90, 135, -90])
def test_directions_of_edges_turn_with_the_image(infrared: Pyramid, turn_deg: float) -> None:
    matrix = about_centre(turn_deg, 1.04, (5, -4))
    found = refine(Pyramid(texture(matrix)), infrared, OFF @ matrix, "similarity", LEVELS)
    assert not found.diverged
    assert corner_error_px(found.matrix, matrix) < 0.05
    assert found.correlation > 0.95
