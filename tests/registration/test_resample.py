import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.registration.resample import resample


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_no_value_leaves_the_range_of_the_image(dtype: type[np.generic]) -> None:
    """Above the 1023 of a 10-bit camera, the image would be taken for one of 12 bits."""
    low, high = (0.25, 1.0) if dtype is np.float32 else (3, 200) if dtype is np.uint8 else (64, 1023)
    edges = np.where(np.indices((32, 32)).sum(axis=0) // 4 % 2, high, low).astype(dtype)
    warped, _ = resample(edges, lambda points: points + 0.4, (32, 32))
    assert warped.dtype == dtype
    assert (warped.min(), warped.max()) == (edges.min(), edges.max())


def test_an_image_that_nearly_vanishes_is_told() -> None:
    image = np.zeros((100, 150), np.uint8)
    with pytest.raises(UserError, match=r"it would be drawn 1e\+08 times smaller; are the two images of one view"):
        resample(image, lambda points: points * 1e8, (100, 150))
