import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from PIL import ImageOps

from ircolor.media.encode import write_image
from ircolor.media.exif import Exif, find_exif
from ircolor.media.images import read_infrared, read_rgb
from ircolor.media.orientation import upright
from tests.conftest import noise

# Pillow is the independent writer, and its exif_transpose says how a picture stands.
FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {"quality": 100, "subsampling": 0}),
    ("PNG", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", {"compression": "tiff_lzw"}),  # by OpenCV, which turns it by itself
]


def turned_file(pixels: Any, orientation: int, form: str, **options: Any) -> bytes:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, form, exif=exif, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("form", "options"), FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_comes_upright(form: str, options: dict[str, Any], orientation: int) -> None:
    gray = noise(5, 7)
    rgb = np.stack([noise(5, 7, seed) for seed in range(3)], axis=2)
    for pixels in (gray, rgb):
        data = turned_file(pixels, orientation, form, **options)
        image = ImageOps.exif_transpose(PillowImage.open(io.BytesIO(data)))
        expected = np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(read_rgb(data) - expected).max() <= (2 if form == "JPEG" else 0)


def test_an_orientation_that_is_cut_off_counts_as_none() -> None:
    """Whose text would begin with the last byte of the file."""
    folder = struct.pack("<HHHII", 1, 0x0112, 2, 9, 26) + bytes(4)
    data = b"II*\0" + struct.pack("<I", 8) + folder + b"\x06"
    assert Exif(data, 0, "<").orientation() == 1


def test_16_bit_pngs_are_turned_too(tmp_path: Path) -> None:
    pixels = noise(4, 6).astype(np.uint16) * 250
    data = turned_file(pixels, 8, "PNG")
    np.testing.assert_array_equal(read_infrared(data).pixels, upright(pixels, 8))
    np.testing.assert_array_equal(upright(pixels, 8), np.rot90(pixels))
    write_image(tmp_path / "upright.png", read_rgb(data))
    assert find_exif((tmp_path / "upright.png").read_bytes()) is None


def test_every_page_of_a_tiff_has_its_own_orientation() -> None:
    from ircolor.media.images import read_pages

    pixels, buffer = noise(4, 6), io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for orientation in (1, 6):
            writer.write(pixels, metadata=None, extratags=[(274, 3, 1, orientation, True)])
    first, second = (page.pixels for page in read_pages(buffer.getvalue()))
    np.testing.assert_array_equal(first, pixels)
    np.testing.assert_array_equal(second, np.rot90(pixels, -1))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_an_orientation_that_does_not_exist_counts_as_absent(form: str, orientation: int) -> None:
    pixels = noise(4, 6)
    np.testing.assert_array_equal(read_infrared(turned_file(pixels, orientation, form)).pixels, pixels)


def test_exif_behind_the_pixels_of_a_png_and_with_a_jpeg_header_in_a_webp_is_found() -> None:
    png = turned_file(noise(4, 6), 6, "PNG")
    start = png.index(b"eXIf") - 4
    end = png.index(b"IDAT") - 4
    last = png.index(b"IEND") - 4
    moved = png[:start] + png[end:last] + png[start:end] + png[last:]
    assert read_infrared(moved).pixels.shape == (6, 4)
    webp = turned_file(noise(4, 6), 6, "WEBP", lossless=True)
    found = find_exif(webp)
    assert found
    assert found.orientation() == 6
    place = webp.index(b"EXIF")
    length = int.from_bytes(webp[place + 4 : place + 8], "little") + 6
    headed = webp[: place + 4] + length.to_bytes(4, "little") + b"Exif\0\0" + webp[place + 8 :]
    again = find_exif(headed)
    assert again
    assert again.orientation() == 6
