from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.shrink import seen_size, shrink


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
