import io
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ircolor.errors import UserError
from ircolor.media.images import read_infrared, read_rgb, to_infrared
from tests.conftest import gray_png, noise


def encoded(pixels: NDArray[Any], suffix: str) -> bytes:
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return bytes(data.tobytes())


def jpeg_with_thumbnail() -> bytes:
    jpeg = encoded(noise(200, 300), ".jpg")
    exif = b"Exif\0\0" + encoded(noise(40, 40), ".jpg")
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".pgm"])
def test_lossless_formats_give_the_stored_pixels(suffix: str) -> None:
    pixels = noise(9, 13)
    np.testing.assert_array_equal(read_infrared(encoded(pixels, suffix)).pixels, pixels)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bits_stay_16_bits(suffix: str) -> None:
    pixels = np.array([[0, 1, 4095], [256, 30000, 65535]], np.uint16)
    read = read_infrared(encoded(pixels, suffix)).pixels
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, pixels)


def test_float_tiff_keeps_its_values() -> None:
    pixels = np.linspace(250, 320, 12, dtype=np.float32).reshape(3, 4)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels)
    np.testing.assert_array_equal(read_infrared(buffer.getvalue()).pixels, pixels)


def test_a_tiff_with_a_palette_is_read_as_colours() -> None:
    palette = PillowImage.new("P", (4, 3), 1)
    palette.putpalette([0, 0, 0, 200, 200, 200])
    buffer = io.BytesIO()
    palette.save(buffer, "TIFF")
    assert (read_infrared(buffer.getvalue()).pixels == 200).all()


def test_a_colour_image_becomes_its_luma_and_that_is_said() -> None:
    bgr = np.zeros((2, 2, 3), np.uint8)
    bgr[..., 2] = 200  # OpenCV's order: red
    infrared = read_infrared(encoded(bgr, ".png"))
    assert (infrared.pixels == 60).all()  # 0.299 * 200
    assert infrared.notes == ("it is a colour image; its luma was taken as the infrared image",)
    assert (read_rgb(encoded(bgr, ".png")) == [200, 0, 0]).all()


def test_dim_colours_are_colours() -> None:
    deep = np.tile(np.array([500, 40, 300], np.uint16), (40, 50, 1))
    with_a_hot_pixel = (deep / 1023).astype(np.float32)
    with_a_hot_pixel[0, 0] = 100
    for rgb in (deep, deep * 100, with_a_hot_pixel):
        assert to_infrared(rgb).notes == ("it is a colour image; its luma was taken as the infrared image",)
    rounded = np.tile(np.array([500, 501, 502], np.uint16), (4, 5, 1))
    assert to_infrared(rounded).notes == ()


def test_gray_stored_as_colour_is_not_a_conversion() -> None:
    assert read_infrared(gray_png()).notes == ()


def test_alpha_is_ignored_and_that_is_said() -> None:
    bgra = np.full((2, 2, 4), 100, np.uint8)
    bgra[0, 0, 3] = 0
    infrared = read_infrared(encoded(bgra, ".png"))
    assert (infrared.pixels == 100).all()
    assert infrared.notes == ("transparency was ignored",)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tiff"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_truncated_file_is_told(suffix: str, kept: float, capfd: pytest.CaptureFixture[str]) -> None:
    data = encoded(noise(60, 80), suffix)
    with pytest.raises(UserError, match=r"^night\S*: "):
        read_infrared(data[: int(len(data) * kept)], f"night{suffix}")
    if suffix in (".png", ".jpg"):
        assert "libpng" not in capfd.readouterr().err


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture() -> None:
    data = jpeg_with_thumbnail()
    assert read_infrared(data).pixels.shape == (200, 300)
    with pytest.raises(UserError, match="truncated"):
        read_infrared(data[: len(data) // 2])


@pytest.mark.parametrize(
    "options",
    [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 3]],
)
def test_a_jpeg_that_another_one_begins_within_is_told(options: list[int]) -> None:
    """As where a card was filled again: the end that is found is that of the other one."""
    data = cv2.imencode(".jpg", noise(60, 80), options)[1].tobytes()
    assert read_infrared(data + data).pixels.shape == (60, 80)  # behind its end there may be anything
    for kept in (0.3, 0.6, 0.9):
        with pytest.raises(UserError, match="the JPEG file is truncated or damaged"):
            read_infrared(data[: int(kept * len(data))] + data)


def test_a_flipped_bit_in_a_png_is_told() -> None:
    data = bytearray(gray_png())
    data[len(data) // 2] ^= 1
    with pytest.raises(UserError, match="the PNG file is damaged"):
        read_infrared(bytes(data))


def test_a_png_that_claims_to_be_huge_is_refused() -> None:
    def chunk(kind: bytes, payload: bytes) -> bytes:
        return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    with pytest.raises(UserError, match="larger than 268435456 pixels"):
        read_infrared(b"\x89PNG\r\n\x1a\n" + header + pixels)


def test_a_tiff_that_claims_to_be_huge_is_refused() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, noise(4, 4), metadata=None)
    data = bytearray(buffer.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as tiff:
        for tag in ("ImageWidth", "ImageLength"):
            offset = tiff.pages.first.tags[tag].offset
            data[offset + 2 : offset + 12] = struct.pack("<HII", 4, 1, 60000)
    with pytest.raises(UserError, match="larger than"):
        read_infrared(bytes(data))


@pytest.mark.parametrize("data", [b"", b"I am text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"II*\0", b"\0" * 1000])
def test_what_is_no_image_is_told(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^notes.png: "):
        read_infrared(data, "notes.png")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.png: cannot be read \(No such file or directory\)"):
        read_infrared(tmp_path / "none.png")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite_are_told(value: float) -> None:
    pixels = np.array([[0.5, value]])
    with pytest.raises(UserError, match=r"1 values are NaN or infinite; replace them"):
        to_infrared(pixels)


def test_masked_values_are_told() -> None:
    masked = np.ma.masked_less(np.array([[0.5, -3e38, 1.0]]), 0)
    with pytest.raises(UserError, match="1 values are masked; fill them first"):
        to_infrared(masked)
    assert to_infrared(masked.filled(0.0)).pixels.shape == (1, 3)
    assert to_infrared(np.ma.array([[1.0, 2.0]])).pixels.shape == (1, 2)  # with nothing masked


@pytest.mark.parametrize("shape", [(0, 4), (3,), (2, 2, 5), (1, 2, 2, 1)])
def test_wrong_shapes_are_told(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="shape"):
        to_infrared(np.zeros(shape, np.uint8))


def test_wrong_types_are_told() -> None:
    with pytest.raises(UserError, match="type int64; convert"):
        to_infrared(np.zeros((2, 2), np.int64))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_read_as_a_file(tmp_path: Path) -> None:
    pixels, path = noise(9, 13), tmp_path / "night.png"
    for suffix in (".png", ".tiff"):
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(encoded(pixels, suffix),))
        writer.start()
        np.testing.assert_array_equal(read_infrared(path).pixels, pixels)
        writer.join()
        path.unlink()
