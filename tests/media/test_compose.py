import numpy as np

from ircolor.media.compose import BAR_PX, GAP_PX, side_by_side, side_by_side_width
from tests.conftest import noise


def test_panels_stand_beside_each_other() -> None:
    gray, rgb = noise(10, 40), np.stack([noise(10, 40, seed) for seed in (1, 2, 3)], axis=2)
    picture = side_by_side([gray, rgb])
    assert picture.shape == (10, 80 + GAP_PX, 3)
    np.testing.assert_array_equal(picture[:, :40, 1], gray)
    np.testing.assert_array_equal(picture[:, 40 + GAP_PX :], rgb)


def test_captions_stand_above_and_stay_over_their_panel() -> None:
    picture = side_by_side([noise(10, 40), noise(10, 40)], ["a very long caption for it", ""])
    assert picture.shape[0] == 10 + BAR_PX
    assert (picture[:BAR_PX, :40] < 128).any()
    assert (picture[:BAR_PX, 40:] == 255).all()


def test_strips_of_16_bit_panels_give_the_strips_of_the_picture() -> None:
    gray = noise(10, 40).astype(np.uint16) * 257
    rgb = np.repeat(gray[::-1, :, None], 3, axis=2)
    whole = side_by_side([gray, rgb])
    assert whole.dtype == np.uint16
    assert whole.shape[1] == side_by_side_width(40, 2)
    assert (whole[:, 40 : 40 + GAP_PX] == 65535).all()
    strips = [side_by_side([gray[rows], rgb[rows]]) for rows in (slice(0, 3), slice(3, 10))]
    np.testing.assert_array_equal(np.concatenate(strips), whole)
    assert (side_by_side([gray], ["x"])[:BAR_PX] == 65535).any()
