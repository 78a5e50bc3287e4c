import numpy as np
import pytest

from ircolor.noise import NUM_LEVELS, at_brightness, spatial_variance, temporal_variance
from tests.moving_textures import Image, noisy, texture


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.06])
def test_noise_is_found_on_a_textured_picture(sigma: float) -> None:
    image = noisy(texture(), sigma, np.random.default_rng(0))
    assert np.sqrt(spatial_variance(image)[NUM_LEVELS // 2]) == pytest.approx(sigma, rel=0.25)


def test_noise_is_found_for_each_brightness() -> None:
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0.05, 0.9, 320, dtype=np.float32), (240, 1))
    image = ramp + 0.05 * ramp * rng.standard_normal(ramp.shape).astype(np.float32)
    found = np.sqrt(spatial_variance(image)[[64, 192]])
    np.testing.assert_allclose(found, 0.05 * np.array([64, 192]) / 255, rtol=0.25)


def test_noise_between_frames_is_that_of_most_pixels() -> None:
    rng = np.random.default_rng(0)
    difference = 0.03 * rng.standard_normal((240, 320)).astype(np.float32)
    difference[:60] = 0.5  # something moved
    table = temporal_variance(np.full((240, 320), 0.5, np.float32), difference**2)
    assert np.sqrt(table[128]) == pytest.approx(0.03, rel=0.1)


def test_a_table_is_read_by_brightness() -> None:
    table = np.arange(NUM_LEVELS, dtype=np.float32)
    np.testing.assert_array_equal(at_brightness(table, np.array([[0, 0.2, 1]], np.float32)), [[0, 51, 255]])


def test_a_tiny_picture_has_some_noise_too() -> None:
    assert np.isfinite(spatial_variance(np.full((3, 4), 0.5, np.float32))).all()


def _rms(values: Image) -> float:
    return float(np.sqrt(np.mean(values**2)))
