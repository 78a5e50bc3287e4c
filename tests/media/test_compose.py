import numpy as np

from ircolor.media.compose import BAR_PX, GAP_PX, side_by_side
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
