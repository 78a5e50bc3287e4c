import cv2
import numpy as np

from ircolor.registration.search import NUM_CANDIDATES, search_similarity
from tests.registration.cameras import HEIGHT, WIDTH, corner_error_px
from tests.registration.textures import about_centre, texture

# Of the images here; results are off by one or two px of half their size.
CLOSE_PX = 9


def test_an_inverted_turned_scaled_and_shifted_image_is_found() -> None:
    truth = about_centre(12, 1.15, (25, -18))
    found = search_similarity(255 - texture(truth), texture())
    assert corner_error_px(found[0], truth) < CLOSE_PX
    np.testing.assert_allclose(found[0][2], [0, 0, 1])
    assert 1 < len(found) <= NUM_CANDIDATES
    assert min(corner_error_px(found[0], other) for other in found[1:]) > 6


def test_sizes_may_differ() -> None:
    truth = about_centre(-27, 0.8, (-30, 10))
    large = cv2.resize(texture(truth), (3 * WIDTH, 3 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    shrink = np.array([[1 / 3, 0, -1 / 3], [0, 1 / 3, -1 / 3], [0, 0, 1]])
    found = search_similarity(large, texture())
    assert corner_error_px(found[0] @ np.linalg.inv(shrink), truth) < CLOSE_PX


def test_images_of_nothing_give_candidates_that_are_numbers() -> None:
    for matrix in search_similarity(np.full((30, 40), 9, np.float32), np.full((1, 40), 9, np.float32)):
        assert np.isfinite(matrix).all()
