from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.media.frames import to_frame

LIMITED, FULL = 1, 2  # FFmpeg's numbers of the two ranges


def decoded(pixel_format: str, luma: NDArray[np.uint8 | np.uint16], color_range: int = 0) -> av.VideoFrame:
    """A frame with this luma, and mid-gray chroma where the format has chroma."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, pixel_format)
    frame.color_range = color_range
    for number, plane in enumerate(frame.planes):
        kind = luma.dtype
        rows = np.zeros((plane.height, plane.line_size // kind.itemsize), kind)
        middle = 1 << (frame.format.components[0].bits - 1)
        rows[:, : plane.width] = luma if number == 0 else middle
        plane.update(rows.tobytes())
    return frame


def ramp(low: int, high: int, kind: type) -> NDArray[np.uint8 | np.uint16]:
    return np.tile(np.linspace(low, high, 64), (48, 1)).round().astype(kind)


@pytest.mark.parametrize(
    ("pixel_format", "low", "high", "color_range", "bits"),
    [
        ("gray", 0, 255, 0, 8),
        ("yuv420p", 16, 235, LIMITED, 8),
        ("yuv420p", 16, 235, 0, 8),
        ("yuvj420p", 0, 255, FULL, 8),
        ("yuv420p10le", 64, 940, LIMITED, 10),
        ("gray10le", 0, 1023, 0, 10),
        ("gray12le", 0, 4095, 0, 12),
        ("gray16le", 0, 65535, 0, 16),
        ("gray", 16, 235, LIMITED, 8),
        ("gray10le", 64, 940, LIMITED, 10),
    ],
)
def test_luma_fills_the_range_of_its_bits(pixel_format: str, low: int, high: int, color_range: int, bits: int) -> None:
    kind = np.uint8 if bits == 8 else np.uint16
    frame = to_frame(decoded(pixel_format, ramp(low, high, kind), color_range))
    assert frame.bits == bits
    assert frame.pixels.dtype == kind
    np.testing.assert_allclose(frame.pixels[20], np.linspace(0, (1 << bits) - 1, 64), atol=1.2 * (1 << bits) / 256)
    assert frame.pixels[0, 0] == 0
    assert frame.pixels[0, -1] == (1 << bits) - 1


def test_stored_values_of_gray_are_kept() -> None:
    luma = np.random.default_rng(0).integers(0, 1024, (32, 48)).astype(np.uint16)
    np.testing.assert_array_equal(to_frame(decoded("gray10le", luma)).pixels, luma)


def test_time_is_exact() -> None:
    picture = decoded("gray", ramp(0, 255, np.uint8))
    picture.pts, picture.time_base = 3003, Fraction(1, 90000)
    frame = to_frame(picture)
    assert (frame.pts, frame.time_base) == (3003, Fraction(1, 90000))
    assert frame.time_s == pytest.approx(0.033366666)
