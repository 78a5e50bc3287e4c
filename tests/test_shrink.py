from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.shrink import seen_size, shrink, shrink_mapped


@pytest.mark.parametrize(
    ("shape", "view_px", "seen"),
    [
        ((600, 800), 224, (224, 299)),
        ((800, 600), 224, (299, 224)),
        ((224, 800), 224, (224, 800)),
        ((1, 1), 224, (1, 1)),
        ((600, 800), 0, (600, 800)),
        ((225, 100_000), 224, (224, 99_556)),
    ],
)
def test_the_shorter_side_is_shrunk_and_never_enlarged(
    shape: tuple[int, int], view_px: int, seen: tuple[int, int]
) -> None:
    assert seen_size(shape, view_px) == seen


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64, np.longdouble])
def test_shrinking_takes_means_of_every_type(dtype: type) -> None:
    pixels: NDArray[Any] = np.arange(24).reshape(4, 6).astype(dtype)
    expected = pixels.astype(float).reshape(2, 2, 3, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(shrink(pixels, (2, 3)), expected, atol=0.51 if dtype in (np.uint8, np.uint16) else 0)


@pytest.mark.parametrize("size", [(30, 41), (100, 41), (30, 140), (100, 140)])
def test_what_values_become_is_shrunk_and_not_the_values(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Means of stored integers are rounded: in a narrow window the picture would fall into a few steps."""
    monkeypatch.setattr("ircolor.media.decode._STRIP_VALUES", 1000)  # a few rows at a time
    pixels = np.random.default_rng(0).normal(108, 4, (100, 140)).clip(0).astype(np.uint16)
    pixels[3, 5] = 65535

    def to_unit(values: NDArray[np.uint16]) -> NDArray[np.float32]:
        return ((values.astype(np.float32) - 100) / 16).clip(0, 1)

    np.testing.assert_allclose(shrink_mapped(pixels, size, to_unit), shrink(to_unit(pixels), size), atol=1e-6)
