"""Files that are of rare kinds, damaged or made to do harm: read soundly, or told in one line that names them."""

import io
import struct
import tracemalloc
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ircolor.errors import UserError
from ircolor.media.images import read_infrared, read_rgb, to_infrared
from tests.conftest import noise


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **({"metadata": None} | options))
    return buffer.getvalue()


def plain_tiff(tags: dict[int, tuple[int, int, int]], pixels: bytes) -> bytes:
    """A TIFF file with exactly these tags: kind, number of values, value; its pixels begin at byte 8."""
    pixels += bytes(len(pixels) % 2)
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + entries + bytes(4)


def gray_tags(width: int, height: int, bits: int, num_bytes: int) -> dict[int, tuple[int, int, int]]:
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: num_bytes}
    return {tag: (4, 1, value) for tag, value in tags.items()}


def with_tag(data: bytes, tag: int, kind: int, count: int, value: int) -> bytes:
    with tifffile.TiffFile(io.BytesIO(data)) as opened:
        place = opened.pages.first.tags[tag].offset
    return data[:place] + struct.pack("<HHII", tag, kind, count, value) + data[place + 12 :]


def deflated_tiff(content: bytes, height: int, width: int) -> bytes:
    """One deflated strip that may hold anything."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        strips = iter([content])
        writer.write(strips, shape=(height, width), dtype=np.uint8, compression="zlib", rowsperstrip=height)
    return buffer.getvalue()


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_are_read_in_stored_units(bits: int) -> None:
    values = np.arange(16) * 60
    packed = "".join(f"{value:0{bits}b}" for value in values)
    pixels = int(packed, 2).to_bytes(len(packed) // 8, "big")
    read = read_infrared(plain_tiff(gray_tags(16, 1, bits, len(pixels)), pixels)).pixels
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read[0], values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_min_is_white_is_inverted(dtype: type[Any]) -> None:
    pixels = noise(5, 6).astype(dtype)
    np.testing.assert_array_equal(read_infrared(tiff(pixels, photometric="miniswhite")).pixels, ~pixels)


@pytest.mark.parametrize("photometric", [0, 3])
def test_float_whose_0_is_white_or_with_a_palette_is_told(photometric: int) -> None:
    tags = gray_tags(2, 1, 32, 8) | {262: (4, 1, photometric), 339: (4, 1, 3)}
    data = plain_tiff(tags, struct.pack("<ff", 0.5, float("nan")))
    with pytest.raises(UserError, match=r"^scan.tiff: float32 values with a palette or whose 0 is white"):
        read_infrared(data, "scan.tiff")


@pytest.mark.parametrize("compression", [None, "group4", "tiff_lzw"])
def test_bilevel_becomes_black_and_white(compression: str | None) -> None:
    bits = noise(5, 9) > 128
    buffer = io.BytesIO()
    PillowImage.fromarray(bits).save(buffer, "TIFF", compression=compression)
    np.testing.assert_array_equal(read_infrared(buffer.getvalue()).pixels, bits * 255)


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_compressed_pages_whose_0_is_white_are_turned_to_black(bits: int, dtype: type[Any]) -> None:
    values = np.arange(16).astype(dtype) * 13
    stored = int("".join(f"{value:0{bits}b}" for value in values), 2).to_bytes(2 * bits, "big")
    runs = bytes([len(stored) - 1]) + stored  # PackBits: one run of bytes as they are
    tags = gray_tags(16, 1, bits, len(runs)) | {262: (3, 1, 0), 259: (3, 1, 32773)}
    data = plain_tiff(tags, runs)
    if bits == 16:  # stored in the order of the file
        data = plain_tiff(tags, runs[:1] + values.astype("<u2").tobytes())
    np.testing.assert_array_equal(read_infrared(data).pixels[0], (1 << bits) - 1 - values.astype(int))


def test_colours_beside_a_transparency_are_as_stored() -> None:
    rgba = np.dstack([noise(4, 5, seed) for seed in range(4)])
    buffer = io.BytesIO()
    PillowImage.fromarray(rgba).save(buffer, "TIFF", compression="tiff_lzw")
    np.testing.assert_array_equal(read_rgb(buffer.getvalue()), rgba[..., :3])


def test_compressed_pages_that_opencv_gets_wrong_are_refused() -> None:
    deep = np.stack([noise(4, 5, seed) for seed in range(3)]).astype(np.uint16)
    for data, kind in (
        (tiff(deep, photometric="rgb", planarconfig="separate"), "channels one after the other"),
        (tiff(np.dstack([deep[0], deep[1]]), photometric="minisblack", extrasamples=[2]), "transparency"),
        (tiff(deep[0].astype(np.float32), photometric="miniswhite"), "0 as white"),
    ):
        with pytest.raises(UserError, match=rf"bits with {kind}, compressed; store it uncompressed"):
            read_infrared(with_tag(data, 259, 3, 1, 32773))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_planar_colours_are_read(dtype: type[Any]) -> None:
    planes = np.stack([noise(4, 3, seed) for seed in range(3)]).astype(dtype) / (255 if dtype is np.float32 else 1)
    data = tiff(planes.astype(dtype), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_rgb(data), np.moveaxis(planes, 0, 2).astype(dtype))


@pytest.mark.parametrize("compression", [None, "tiff_adobe_deflate", "tiff_lzw"])
def test_a_palette_is_applied(compression: str | None) -> None:
    image = PillowImage.fromarray(noise(6, 5) % 4).convert("P")
    colours = noise(4, 3, 9)
    image.putpalette(colours.ravel().tolist())
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", compression=compression)
    np.testing.assert_array_equal(read_rgb(buffer.getvalue()), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_both_byte_orders_are_read(order: str, dtype: type[Any]) -> None:
    pixels = noise(5, 6).astype(dtype)
    read = read_infrared(tiff(pixels, byteorder=order)).pixels
    assert read.dtype == (np.uint16 if dtype is np.uint16 else np.float32)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
def test_whole_numbers_of_other_types_are_told(dtype: type[Any]) -> None:
    with pytest.raises(UserError, match=rf"^scan.tiff: pixels of type {np.dtype(dtype)}; convert them to uint8"):
        read_infrared(tiff(np.ones((2, 3), dtype)), "scan.tiff")


def test_too_many_channels_are_told() -> None:
    data = tiff(np.zeros((3, 4, 7), np.uint8), photometric="minisblack", planarconfig="contig")
    with pytest.raises(UserError, match=r"^scan.tiff: has 7 channels"):
        read_infrared(data, "scan.tiff")


def test_nan_in_a_large_float_image_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.decode._STRIP_VALUES", 1000)
    pixels = np.zeros((300, 200), np.float32)
    pixels[[0, 150, 299], [0, 7, 199]] = np.nan, np.inf, -np.inf
    with pytest.raises(UserError, match=r"^scan.tiff: 3 values are NaN or infinite"):
        read_infrared(tiff(pixels), "scan.tiff")


def test_a_jpeg_of_12_bits_is_told() -> None:
    data = cv2.imencode(".jpg", noise(16, 16))[1].tobytes()
    place = data.index(b"\xff\xc0") + 4
    with pytest.raises(UserError, match=r"^scan.jpg: a JPEG file of 12 bits, not 8; convert it"):
        read_infrared(data[:place] + b"\x0c" + data[place + 1 :], "scan.jpg")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp", ".pgm"])
@pytest.mark.parametrize("shape", [(16, 65500), (3, 65500), (65500, 3)])
def test_strips_of_65500_px_are_read(suffix: str, shape: tuple[int, int]) -> None:
    pixels = np.broadcast_to(np.arange(shape[1]) // 300 % 256, shape).astype(np.uint8)
    read = read_infrared(cv2.imencode(suffix, pixels)[1].tobytes()).pixels
    assert np.abs(read.astype(int) - pixels).max() <= (12 if suffix == ".jpg" else 0)


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + end


def jpeg_that_claims(width: int, height: int) -> bytes:
    data = cv2.imencode(".jpg", noise(16, 16))[1].tobytes()
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def jp2_that_claims(width: int, height: int) -> bytes:
    data = cv2.imencode(".jp2", noise(64, 64))[1].tobytes()
    place = data.index(b"\xff\x4f\xff\x51") + 8
    return data[:place] + struct.pack(">II", width, height) + data[place + 8 :]


@pytest.mark.parametrize(
    "data",
    [
        png_header(100_000, 100_000),
        jpeg_that_claims(60_000, 60_000),
        jp2_that_claims(100_000, 100_000),
        b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 100_000, -100_000, 1, 8, 1),
        b"P5 # a comment\n100000 # another\n100000 255\n",
        b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + b"\xff\xff\0" * 2,
        plain_tiff(gray_tags(100_000, 100_000, 8, 4), b"abcd"),
    ],
    ids=["png", "jpeg", "jp2", "bmp", "pgm", "webp", "tiff"],
)
def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_decoded(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^scan: .*is larger than 268435456 pixels; cut it into parts first"):
        read_infrared(data, "scan")


@pytest.mark.parametrize(
    "data",
    [
        png_header(16_000, 16_000),
        b"BM" + bytes(12) + struct.pack("<IiiHHI", 40, 16_000, 16_000, 1, 8, 0),
        b"P6\n16000 16000 255\n" + bytes(100),
        b"P5\n10 10 65535\n" + bytes(199),
        b"P4\n16000 16000\n" + bytes(100),
    ],
    ids=["png", "bmp", "ppm", "pgm", "pbm"],
)
def test_a_file_too_short_for_its_claim_is_refused_before_it_is_decoded(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^scan: the file is truncated"):
        read_infrared(data, "scan")


@pytest.mark.parametrize("suffix", [".pgm", ".ppm", ".bmp", ".webp", ".jp2", ".tiff"])
@pytest.mark.parametrize("kept", [0.5, 0.9, 0.99])
def test_truncated_files_of_other_formats_are_told(suffix: str, kept: float) -> None:
    pixels = noise(64, 80) if suffix == ".pgm" else np.stack([noise(64, 80, seed) for seed in range(3)], axis=2)
    data = cv2.imencode(suffix, pixels)[1].tobytes()
    with pytest.raises(UserError, match=r"^scan: "):
        read_infrared(data[: int(len(data) * kept)], "scan")


def test_what_inflates_beyond_its_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.tiff._HARMLESS_BYTES", 1 << 20)
    bomb = zlib.compress(bytes(1 << 26), 1)
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"^scan.tiff: the TIFF file is damaged \(holds more than its size\)"):
            read_infrared(deflated_tiff(bomb, 30, 40), "scan.tiff")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1 << 25


def test_a_large_strip_that_deflated_well_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.tiff._HARMLESS_BYTES", 1 << 10)
    pixels = np.tile(noise(1, 64), (900, 64))
    data = deflated_tiff(zlib.compress(pixels.tobytes(), 1), *pixels.shape)
    np.testing.assert_array_equal(read_infrared(data).pixels, pixels)


@pytest.mark.parametrize(
    ("tag", "count"), [(273, 0x7FFFFFFF), (279, 0x7FFFFFFF), (273, 1 << 21), (258, 1 << 30)], ids=str
)
def test_absurd_numbers_of_values_are_refused(tag: int, count: int) -> None:
    data = with_tag(tiff(noise(4, 4)), tag, 4, count, 8)
    with pytest.raises(UserError, match=rf"^scan.tiff: the TIFF file is damaged \(tag {tag} of {count} values\)"):
        read_infrared(data, "scan.tiff")


def test_strips_that_are_missing_or_lie_outside_the_file_are_told() -> None:
    data = tiff(noise(64, 64), rowsperstrip=8)
    for broken, said in (
        (with_tag(data, 278, 4, 1, 1), "lacks parts of its picture"),
        (with_tag(tiff(noise(4, 4)), 273, 4, 1, 1 << 20), "truncated or damaged"),
        (with_tag(tiff(noise(4, 4)), 279, 4, 1, 1 << 20), "truncated or damaged"),
    ):
        with pytest.raises(UserError, match=rf"^scan.tiff: the TIFF file (is )?{said}"):
            read_infrared(broken, "scan.tiff")


@pytest.mark.parametrize("packed", [True, False])
def test_a_tile_that_claims_to_be_huge_is_refused(packed: bool) -> None:
    data = tiff(noise(16, 16), tile=(16, 16), compression="zlib" if packed else None)
    for tag in (322, 323):
        data = with_tag(data, tag, 4, 1, 1 << 20)
    with pytest.raises(UserError, match=r"^scan.tiff: 1048576x1048576 is larger than"):
        read_infrared(data, "scan.tiff")


@pytest.mark.parametrize(("tag", "value"), [(256, 0), (257, 0), (339, 9)])
def test_a_page_without_pixels_or_of_an_unknown_type_is_told(tag: int, value: int) -> None:
    tags = gray_tags(4, 4, 8, 16) | {339: (4, 1, 1)}
    data = plain_tiff(tags | {tag: (4, 1, value)}, bytes(16))
    with pytest.raises(UserError, match=r"^scan.tiff: the TIFF file "):
        read_infrared(data, "scan.tiff")


def test_colour_is_judged_and_reduced_the_same_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.decode._STRIP_VALUES", 1000)
    rgb = np.stack([noise(300, 70, seed) for seed in range(3)], axis=2)
    red, green, blue = (rgb[..., channel].astype(np.float64) for channel in range(3))
    expected = 0.299 * red + 0.587 * green + 0.114 * blue
    assert np.abs(to_infrared(rgb).pixels - expected).max() <= 0.501
    gray = np.repeat(noise(300, 70)[..., None], 3, axis=2)
    assert to_infrared(gray).notes == ()
    gray[299, 69, 0] ^= 0x80  # colour in the last pixel only
    assert to_infrared(gray).notes == ("it is a colour image; its luma was taken as the infrared image",)
