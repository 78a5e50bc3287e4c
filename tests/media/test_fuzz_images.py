"""Mutated image files give an image or an error that names the file: no crash, hang, warning or memory explosion.

IRCOLOR_FUZZ_CASES=10000 runs as many random cases; by default it is a few hundred, the same ones each time.
"""

import faulthandler
import io
import os
import resource
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from ircolor.errors import UserError
from ircolor.media.images import Infrared, num_pages, read_infrared, read_pages
from tests.conftest import noise

NUM_CASES = int(os.environ.get("IRCOLOR_FUZZ_CASES", "200"))
STUCK_S = 300
# The largest image that is read is 2**28 pixels; few bytes cannot make a decoder fill as many.
MOST_BYTES = 1 << 30
NAME = "mutated file"


def by_pillow(pixels: Any, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def by_tifffile(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def by_opencv(pixels: Any, suffix: str, *options: int) -> bytes:
    return bytes(cv2.imencode(suffix, pixels, options)[1].tobytes())


@cache
def valid_files() -> tuple[bytes, ...]:
    """Small files of every format that is read."""
    gray, deep = noise(12, 17), noise(12, 17).astype(np.uint16) * 250
    rgb = np.stack([noise(12, 17, seed) for seed in range(3)], axis=2)
    turned = PillowImage.Exif()
    turned[0x0112] = 6
    pages = np.stack([noise(8, 9, seed) for seed in range(4)])
    unit = gray.astype(np.float32) / 255
    return (
        by_opencv(gray, ".png"),
        by_opencv(deep, ".png"),
        by_opencv(rgb, ".png"),
        by_pillow(np.dstack([rgb, gray]), "PNG", exif=turned),
        by_opencv(gray, ".jpg"),
        by_pillow(rgb, "JPEG", exif=turned),
        by_opencv(rgb, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        by_tifffile(gray),
        by_tifffile(deep, byteorder=">"),
        by_tifffile(unit),
        by_tifffile(rgb, bigtiff=True),
        by_tifffile(gray, compression="zlib", predictor=2),
        by_tifffile(np.tile(deep, (3, 3)), tile=(16, 16), compression="zlib"),
        by_tifffile(np.moveaxis(rgb, 2, 0), planarconfig="separate", photometric="rgb"),
        by_tifffile(gray, photometric="miniswhite"),
        by_tifffile(pages, photometric="minisblack"),
        by_tifffile(pages, photometric="minisblack", metadata=None, compression="zlib"),
        by_pillow(gray, "TIFF", compression="tiff_lzw", exif=turned),
        by_pillow(rgb, "TIFF", compression="jpeg"),
        by_pillow(gray > 99, "TIFF", compression="group4"),
        by_opencv(gray, ".bmp"),
        by_opencv(rgb, ".bmp"),
        by_opencv(rgb, ".webp"),
        by_pillow(rgb, "WEBP", lossless=True, exif=turned),
        by_opencv(gray, ".pgm"),
        by_opencv(deep, ".pgm"),
        by_opencv(rgb, ".ppm", cv2.IMWRITE_PXM_BINARY, 0),
        by_opencv(gray, ".pbm"),
        by_opencv(np.tile(rgb, (3, 3, 1)), ".jp2"),
        by_opencv(np.tile(deep, (3, 3)), ".jp2"),
    )


def with_right_checksums(png: bytes) -> bytes:
    """Mutations would not come past the checksums of a PNG file."""
    parts, position = [png[:8]], 8
    while position + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, position)
        body = png[position + 4 : position + 8 + length]
        parts.append(struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body)))
        position += 12 + length
    return b"".join(parts) + png[position:]


NUMBERS = st.sampled_from(
    [
        struct.pack(form, value)
        for value in (0, 1, 2, 3, 7, 255, 65535, 1 << 17, 0x7FFFFFFF, 0xFFFFFFFF)
        for form in ("<I", ">I", "<H", ">H", "<Q")
        if value < 1 << 8 * struct.calcsize(form)
    ]
)


# Gentle ones more often: what is torn apart is refused early.
EDITS = ["byte", "byte", "byte", "number", "number", "number", "cut", "remove", "repeat", "insert", "splice"]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(valid_files())))
    # Headers are short, and most that can go wrong is in them; but past the signature, or it is no image to anyone.
    places = st.one_of(st.integers(4, min(200, len(data))), st.integers(4, len(data)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(places)
        match draw(st.sampled_from(EDITS)):
            case "byte":
                data[place : place + 1] = bytes([draw(st.integers(0, 255))])
            case "number":
                number = draw(NUMBERS)
                data[place : place + len(number)] = number
            case "cut":
                del data[place:]
            case "remove":
                del data[place : place + draw(st.integers(1, 40))]
            case "repeat":
                data[place:place] = data[place : place + draw(st.integers(1, 40))] * draw(st.integers(1, 3))
            case "insert":
                data[place:place] = draw(st.binary(min_size=1, max_size=12))
            case "splice":
                other = draw(st.sampled_from(valid_files()))
                data[place:] = other[draw(st.integers(0, len(other))) :]
    whole = bytes(data)
    return with_right_checksums(whole) if whole.startswith(b"\x89PNG") and draw(st.integers(0, 3)) else whole


@pytest.fixture(scope="module")
def _bounded_memory() -> Iterator[None]:
    """Of the process, from the first case to the last."""
    unit = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < MOST_BYTES


@pytest.mark.usefixtures("_bounded_memory")
@given(data=mutated())
@settings(
    max_examples=NUM_CASES,
    derandomize="IRCOLOR_FUZZ_CASES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)
def test_a_mutated_file_is_an_image_or_a_named_error(data: bytes) -> None:
    faulthandler.dump_traceback_later(STUCK_S, exit=True)
    try:
        outcomes: list[object] = [*outcome(lambda: [read_infrared(data, NAME)])]
        outcomes += outcome(lambda: list(islice(read_pages(data, NAME), 6)))
        outcomes += outcome(lambda: [num_pages(data, NAME)])
    finally:
        faulthandler.cancel_dump_traceback_later()
    for result in outcomes:
        if isinstance(result, Infrared):
            assert result.pixels.ndim == 2
            assert result.pixels.size > 0
            assert result.pixels.dtype in (np.uint8, np.uint16, np.float32)
        elif isinstance(result, UserError):
            assert str(result).startswith(NAME)
            assert "\n" not in str(result)
        else:
            assert isinstance(result, int)
            assert result > 0


def outcome(read: Callable[[], Sequence[object]]) -> Sequence[object]:
    """What was read, or the error that a user would see; others are raised."""
    try:
        return read()
    except UserError as error:
        return [error]


def test_the_files_are_read_before_they_are_mutated() -> None:
    for data in valid_files():
        assert read_infrared(data, NAME).pixels.size
