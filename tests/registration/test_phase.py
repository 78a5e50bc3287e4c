import numpy as np
import pytest

from ircolor.registration.phase import misalignment_px
from tests.pairs.test_duplicates import picture


@pytest.mark.parametrize(("x_px", "y_px"), [(0, 0), (4, -3)])
def test_shifts_are_measured_also_where_contrast_is_inverted(x_px: int, y_px: int) -> None:
    whole = picture(0, 140, 160)
    infrared = 255 - whole[10 + y_px : 130 + y_px, 10 + x_px : 150 + x_px, 1]
    assert misalignment_px(whole[10:130, 10:150], infrared) == pytest.approx(np.hypot(x_px, y_px), abs=0.3)


def test_two_different_scenes_tell_nothing() -> None:
    assert np.isnan(misalignment_px(picture(0), picture(1)[..., 1]))
