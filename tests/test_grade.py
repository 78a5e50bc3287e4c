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


def test_magenta_is_made_weaker_and_green_stays() -> None:
    green, orange = np.array([-0.587, 0.413, -0.587]), np.array([0.3, 0.0, -0.787])
    orange -= green * (orange @ green) / (green @ green)
    rows = np.linspace(-0.3, 0.3, 5)[:, None, None]
    columns = np.linspace(-0.2, 0.2, 9)[None, :, None]
    rgb = (0.5 + rows * green + columns * orange).astype(np.float32)
    expected = 0.5 + 2 * np.where(rows < 0, 0.4, 1) * rows * green + 2 * columns * orange
    np.testing.assert_allclose(Grade(saturation=2, magenta=0.4).apply(rgb), expected, atol=1e-5)


def test_detail_fades_and_what_is_coarse_stays() -> None:
    blue = np.array([-0.114, -0.114, 0.886])
    halves = np.repeat([-0.2, 0.2], 64)[None, :, None]
    checks = np.where(np.indices((96, 128)).sum(axis=0) % 2, 0.1, -0.1)[..., None]
    graded = Grade(detail=0.5).apply((0.5 + (halves + checks) * blue).astype(np.float32))
    inner = (slice(None), np.r_[12:52, 76:116])  # away from the edge between the halves
    np.testing.assert_allclose(graded[inner], (0.5 + (halves + checks / 2) * blue)[inner], atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (5, 7), (200, 33)])
def test_luma_stays_and_the_mean_is_drawn_to_gray_whatever_the_size(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(1).random((*size, 3), np.float32)
    graded = Grade(0.3, 1.4, 0.6).apply(rgb)
    np.testing.assert_allclose(graded @ LUMA, rgb @ LUMA, atol=1e-5)
    np.testing.assert_allclose(chroma(graded).mean(axis=(0, 1)), 0.3 * chroma(rgb).mean(axis=(0, 1)), atol=0.01)
    np.testing.assert_allclose(Grade(0.3, 1.4, 0.6, 0.5).apply(rgb) @ LUMA, rgb @ LUMA, atol=1e-5)


def test_without_cast_and_saturation_it_is_gray(rgb: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(chroma(Grade(0, 0).apply(rgb)), 0, atol=1e-6)


def test_ungraded_colours_are_the_same(rgb: NDArray[np.float32]) -> None:
    assert UNGRADED.apply(rgb) is rgb
