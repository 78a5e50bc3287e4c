import numpy as np
import pytest

from ircolor.motion import MotionFinder
from tests.moving_textures import HEIGHT, WIDTH, noisy, texture, window

RNG_SEED = 3


def finder() -> MotionFinder:
    return MotionFinder((HEIGHT, WIDTH))


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (1.3, -0.6), (-4.0, 2.5), (24.0, 6.0)])
def test_flow_points_to_where_things_were(x: float, y: float) -> None:
    scene = texture()
    motion = finder()(window(scene, 60, 60), window(scene, 60 + x, 60 + y))
    inner = motion.flow[30:-30, 40:-40]
    np.testing.assert_allclose(np.median(inner, axis=(0, 1)), (x, y), atol=0.15)
    assert not motion.is_cut


def test_flow_survives_noise_and_a_change_of_gain() -> None:
    rng = np.random.default_rng(RNG_SEED)
    scene = texture()
    before, now = noisy(window(scene, 60, 60), 0.03, rng), noisy(0.7 * window(scene, 62, 61), 0.03, rng)
    motion = finder()(before, now)
    np.testing.assert_allclose(np.median(motion.flow[20:-20, 20:-20], axis=(0, 1)), (2, 1), atol=0.3)
    assert motion.gain == pytest.approx(0.7, rel=0.01)
    assert not motion.is_cut


def test_gain_is_that_of_what_both_frames_show() -> None:
    scene = texture()
    before, now = window(scene, 60, 60), 1.2 * window(scene, 60, 60)
    now[20:60, 30:70] = 0.05  # a dark thing came into view
    assert finder()(before, now).gain == pytest.approx(1.2, rel=0.01)


def test_clipped_pixels_have_no_say_in_the_gain() -> None:
    before = window(texture(), 60, 60)
    now = np.minimum(1.8 * before, 1)
    assert (now == 1).mean() > 0.05
    assert finder()(before, now).gain == pytest.approx(1.8, rel=0.02)


def test_another_scene_is_a_cut_at_any_brightness() -> None:
    before, now = window(texture(1), 60, 60), window(texture(2), 60, 60)
    assert finder()(before, now).is_cut
    assert finder()(before, 0.3 * now).is_cut


@pytest.mark.parametrize("sigma", [0.005, 0.02, 0.06])
def test_noise_on_a_blank_view_is_no_cut(sigma: float) -> None:
    rng = np.random.default_rng(RNG_SEED)
    blank = np.full((HEIGHT, WIDTH), 0.4, np.float32)
    assert not finder()(noisy(blank, sigma, rng), noisy(blank, sigma, rng)).is_cut


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_views_that_show_nothing_give_numbers_all_the_same(level: float) -> None:
    blank = np.full((16, 20), level, np.float32)
    motion = MotionFinder((16, 20))(blank, blank)
    assert np.isfinite(motion.flow).all()
    assert motion.gain == pytest.approx(1)
    assert not motion.is_cut
