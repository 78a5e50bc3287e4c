from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.media.intensity import FOLLOW_FRAMES, IntensityRule, IntensityTracker


@pytest.mark.parametrize(
    ("brightest", "high"),
    [
        (0, 255),
        (255, 255),
        (256, 1023),
        (1023, 1023),
        (4095, 4095),
        (4096, 16383),
        (16384, 65535),
        (65535, 65535),
    ],
)
def test_auto_takes_the_smallest_depth_that_fits(brightest: int, high: int) -> None:
    pixels = np.array([[0, brightest]], np.uint16)
    window = IntensityRule("auto").window(pixels)
    assert (window.low, window.high) == (0, high)
    assert window.apply(pixels)[0, 1] == pytest.approx(brightest / high)


def test_auto_leaves_8_bit_alone() -> None:
    pixels = np.array([[10, 20]], np.uint8)
    window = IntensityRule("auto").window(pixels)
    assert (window.low, window.high) == (0, 255)
    np.testing.assert_allclose(window.apply(pixels), [[10 / 255, 20 / 255]], rtol=1e-6)


def test_auto_keeps_float_within_the_unit_range_and_stretches_other_float() -> None:
    unit = np.array([[0.25, 0.5]], np.float32)
    np.testing.assert_array_equal(IntensityRule("auto").window(unit).apply(unit), unit)
    kelvin = np.linspace(280, 310, 1001, dtype=np.float32)[None]
    window = IntensityRule("auto").window(kelvin)
    assert (window.low, window.high) == pytest.approx((280.03, 309.97), abs=1e-3)


def test_full_is_the_range_of_the_type() -> None:
    assert IntensityRule("full").window(np.zeros((1, 1), np.uint16)).high == 65535
    assert IntensityRule("full").window(np.full((1, 1), 7.0, np.float32)).high == 1


def test_percentile_ignores_few_hot_pixels() -> None:
    pixels = np.full((100, 100), 100, np.uint16)
    pixels[::2] = 200
    pixels[0, 0] = 65535
    window = IntensityRule("percentile").window(pixels)
    assert (window.low, window.high) == (100, 200)


def test_a_range_is_taken_as_given_and_clips() -> None:
    rule = IntensityRule.parse("100:300")
    pixels = np.array([[0, 200, 1000]], np.uint16)
    np.testing.assert_array_equal(rule.window(pixels).apply(pixels), [[0, 0.5, 1]])


@pytest.mark.parametrize("text", ["0:1e-46", "-1e-60:1e-60", "-1e300:1e300", "1e300:2e300", "0:1e39", "65534.5:65535"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_range_maps_whole_numbers_into_the_unit_range(text: str, dtype: type[np.unsignedinteger[Any]]) -> None:
    pixels = np.array([[0, 1, 200, np.iinfo(dtype).max]], dtype)
    unit = IntensityRule.parse(text).window(pixels).apply(pixels)
    assert unit.dtype == np.float32
    assert ((unit >= 0) & (unit <= 1)).all()


@pytest.mark.parametrize("text", ["-1.5:2e3", "auto", "FULL", " percentile "])
def test_good_texts_are_read(text: str) -> None:
    assert IntensityRule.parse(text).kind in ("auto", "full", "percentile", "range")


@pytest.mark.parametrize(
    "text", ["", "autO1", "5", "5:5", "9:1", "nan:1", "0:inf", "a:b", "1:2:3", "0:1e999", "0:1e-320", ".:1"]
)
def test_bad_texts_are_told(text: str) -> None:
    with pytest.raises(UserError, match=r"use auto, full, percentile, or LOW:HIGH"):
        IntensityRule.parse(text)


@pytest.mark.parametrize("kind", ["auto", "full", "percentile"])
@given(
    pixels=st.one_of(
        hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)),
        hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6)),
        hnp.arrays(
            np.float32,
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
            elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
        ),
    )
)
def test_any_image_maps_into_the_unit_range(kind: str, pixels: NDArray[Any]) -> None:
    window = IntensityRule.parse(kind).window(pixels)
    assert window.low < window.high
    shown = window.apply(pixels)
    assert shown.dtype == np.float32
    assert shown.shape == pixels.shape
    assert np.isfinite(shown).all()
    assert shown.min() >= 0
    assert shown.max() <= 1


def gray16(brightest: int) -> NDArray[np.uint16]:
    return np.linspace(0, brightest, 64).astype(np.uint16).reshape(8, 8)


def test_tracker_never_goes_back_to_fewer_bits() -> None:
    tracker = IntensityTracker(IntensityRule("auto"))
    assert tracker.window(gray16(900)).high == 1023
    assert tracker.window(gray16(3000)).high == 4095
    assert tracker.window(gray16(900)).high == 4095
    tracker.reset()
    assert tracker.window(gray16(900)).high == 1023


def test_tracker_takes_declared_bits() -> None:
    assert IntensityTracker(IntensityRule("auto")).window(gray16(200), bits=12).high == 4095
    assert IntensityTracker(IntensityRule("full")).window(gray16(200), bits=10).high == 1023


def test_tracked_percentiles_follow_slowly() -> None:
    tracker = IntensityTracker(IntensityRule("percentile"))
    dark, bright = gray16(1000), gray16(2000)
    first = tracker.window(dark)
    assert tracker.window(bright).high == pytest.approx(first.high * (1 + 1 / FOLLOW_FRAMES), rel=1e-3)
    for _ in range(10 * FOLLOW_FRAMES):
        last = tracker.window(bright)
    assert last.high == pytest.approx(2 * first.high, rel=1e-3)


def test_tracked_float_keeps_to_percentiles_once_outside_unit() -> None:
    tracker = IntensityTracker(IntensityRule("auto"))
    unit = np.linspace(0, 1, 64).reshape(8, 8)
    assert tracker.window(unit).high == 1
    assert tracker.window(unit * 500).high > 400
    assert tracker.window(unit).high > 400
