import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.grade import UNGRADED, Grade

LUMA = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def rgb() -> NDArray[np.float32]:
    return np.random.default_rng(0).random((6, 8, 3), np.float32) * np.array([0.9, 0.5, 0.3], np.float32)


def chroma(rgb: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(rgb - (rgb @ LUMA)[..., None])


def test_luma_stays(rgb: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(Grade(0.3, 1.4).apply(rgb) @ LUMA, rgb @ LUMA, atol=1e-6)


def test_a_share_of_the_cast_is_kept_and_differences_grow(rgb: NDArray[np.float32]) -> None:
    before, after = chroma(rgb), chroma(Grade(0.3, 1.4).apply(rgb))
    mean = before.mean(axis=(0, 1))
    np.testing.assert_allclose(after.mean(axis=(0, 1)), 0.3 * mean, atol=1e-6)
    np.testing.assert_allclose(after - after.mean(axis=(0, 1)), 1.4 * (before - mean), atol=1e-6)


def test_without_cast_and_saturation_it_is_gray(rgb: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(chroma(Grade(0, 0).apply(rgb)), 0, atol=1e-6)


def test_ungraded_colours_are_the_same(rgb: NDArray[np.float32]) -> None:
    assert UNGRADED.apply(rgb) is rgb
