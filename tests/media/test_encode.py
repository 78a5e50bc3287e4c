import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ircolor.errors import UserError
from ircolor.media.encode import WRITABLE_SUFFIXES, check_writable_suffix, encode_image, write_image, write_rows
from ircolor.media.images import read_rgb
from ircolor.media.provenance import DIGITAL_SOURCE_TYPE, Provenance
from tests.conftest import noise

PROVENANCE = Provenance('snet "<&>', "1.0", "ab" * 32, 0.0, 4095.0, "0:4095")
RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(np.arange(0, 200, 10)[:, None], np.arange(0, 240, 8)[None], 90), axis=2).astype(
    np.uint8
)


def facts(xmp: bytes) -> dict[str, str]:
    """The attributes of the description in an XMP packet, read by Python's own XML parser."""
    start, end = xmp.index(b"<x:xmpmeta"), xmp.index(b"</x:xmpmeta>") + 12
    description = ElementTree.fromstring(xmp[start:end])[0][0]
    return {key.partition("}")[2]: value for key, value in description.attrib.items()}


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"image{suffix.upper()}"
    write_image(path, SMOOTH, PROVENANCE)
    error = np.abs(read_rgb(path).astype(int) - SMOOTH).mean()
    assert error == 0 if suffix in (".png", ".tif", ".tiff", ".webp") else error < 2
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_the_file_says_that_its_colours_are_predicted(suffix: str) -> None:
    data = encode_image(RGB, suffix, PROVENANCE)
    image = PillowImage.open(io.BytesIO(data))
    image.load()
    # Pillow finds the packet by itself: it is where readers look for it.
    xmp = image.info["XML:com.adobe.xmp"].encode() if suffix == ".png" else image.info["xmp"]
    said = facts(xmp)
    assert said["DigitalSourceType"] == DIGITAL_SOURCE_TYPE
    assert said["Model"] == 'snet "<&>'
    assert said["ModelSHA256"] == "ab" * 32
    assert (said["InfraredLow"], said["InfraredHigh"], said["IntensityRule"]) == ("0", "4095", "0:4095")
    assert "predicted from an infrared image" in xmp.decode()


def test_opencv_finds_the_packet_in_a_png() -> None:
    data = np.frombuffer(encode_image(RGB, ".png", PROVENANCE), np.uint8)
    _, kinds, packets = cv2.imdecodeWithMetadata(data, flags=cv2.IMREAD_UNCHANGED)
    assert list(kinds) == [cv2.IMAGE_METADATA_XMP]
    assert facts(packets[0].tobytes())["ModelVersion"] == "1.0"


def test_png_and_tiff_say_it_in_plain_words() -> None:
    png = PillowImage.open(io.BytesIO(encode_image(RGB, ".png", PROVENANCE)))
    assert png.info["Description"] == PROVENANCE.sentence
    with tifffile.TiffFile(io.BytesIO(encode_image(RGB, ".tiff", PROVENANCE))) as tiff:
        assert tiff.pages.first.description == PROVENANCE.sentence


def test_unknown_suffixes_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"image.gif: cannot write .gif; use .png"):
        write_image(tmp_path / "image.gif", RGB)


def test_an_image_too_large_for_the_format_is_told(tmp_path: Path) -> None:
    long = np.zeros((1, 70000, 3), np.uint8)
    for name in ("long.webp", "long.jpg"):
        with pytest.raises(UserError, match=rf"{name}: an image of 1x70000 does not fit"):
            write_image(tmp_path / name, long)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot be written"):
        write_image(tmp_path / "out" / "a.png", RGB)


def test_a_folder_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=r"a.png: cannot be written \(Permission denied\)"):
        write_image(tmp_path / "a.png", RGB)


def test_gray_noise_survives_png_bit_for_bit() -> None:
    rgb = np.repeat(noise(7, 5)[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_rgb(encode_image(rgb, ".png", PROVENANCE)), rgb)


def test_jpeg_quality_is_a_choice() -> None:
    assert len(encode_image(SMOOTH, ".jpg", jpeg_quality=20)) < len(encode_image(SMOOTH, ".jpg"))


def deep(height: int, width: int) -> NDArray[np.uint16]:
    return np.random.default_rng(1).integers(0, 65536, (height, width, 3), np.uint16)


def in_strips(pixels: NDArray[Any], *cuts: int) -> Iterator[NDArray[Any]]:
    return iter(np.split(pixels, cuts))


@pytest.fixture
def _streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small images are written as large ones are."""
    monkeypatch.setattr("ircolor.media.encode.STREAMED_BYTES", 0)
    monkeypatch.setattr("ircolor.media.png._BLOCK_BYTES", 1000)
    monkeypatch.setattr("ircolor.media.tiff_write._STRIP_BYTES", 2000)


@pytest.mark.usefixtures("_streamed")
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize(
    "pixels", [RGB, SMOOTH, deep(20, 30), deep(1, 1), RGB[:1], RGB[:, :1]], ids=lambda a: str(a.shape)
)
@pytest.mark.parametrize("cuts", [(), (1,), (3, 4, 5, 15)])
def test_streamed_files_are_read_alike_by_three_libraries(
    tmp_path: Path, suffix: str, pixels: NDArray[Any], cuts: tuple[int, ...]
) -> None:
    path = tmp_path / f"image{suffix}"
    strips = in_strips(pixels, *(cut for cut in cuts if cut < len(pixels)))
    write_rows(path, strips, len(pixels), len(pixels[0]), pixels.dtype, PROVENANCE)
    by_opencv = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    np.testing.assert_array_equal(by_opencv[..., ::-1], pixels)
    np.testing.assert_array_equal(read_rgb(path), pixels)
    if suffix == ".tiff":
        np.testing.assert_array_equal(tifffile.imread(path), pixels)
    with PillowImage.open(path) as image:
        if pixels.dtype == np.uint8:
            np.testing.assert_array_equal(np.asarray(image), pixels)
        elif suffix == ".png":  # Pillow reads 16-bit colours as 8-bit, but checks them all the same
            assert np.abs(np.asarray(image) - (pixels >> 8).astype(int)).max() <= 1


@pytest.mark.usefixtures("_streamed")
def test_streamed_files_say_that_their_colours_are_predicted(tmp_path: Path) -> None:
    for name in ("image.png", "image.tiff"):
        write_rows(tmp_path / name, in_strips(RGB), 20, 30, np.uint8, PROVENANCE)
    with PillowImage.open(tmp_path / "image.png") as png:
        assert facts(png.info["XML:com.adobe.xmp"].encode())["IntensityRule"] == "0:4095"
        assert png.info["Description"] == PROVENANCE.sentence
    with tifffile.TiffFile(tmp_path / "image.tiff") as tiff:
        assert tiff.pages.first.description == PROVENANCE.sentence


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_small_images_in_strips_are_written_as_whole_ones(tmp_path: Path, suffix: str) -> None:
    write_rows(tmp_path / f"strips{suffix}", in_strips(RGB, 7, 8), 20, 30, np.uint8, PROVENANCE)
    write_image(tmp_path / f"whole{suffix}", RGB, PROVENANCE)
    assert (tmp_path / f"strips{suffix}").read_bytes() == (tmp_path / f"whole{suffix}").read_bytes()


@pytest.mark.usefixtures("_streamed")
@pytest.mark.parametrize("suffix", [".png", ".tiff", ".jpg"])
def test_a_failure_between_strips_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    def strips() -> Iterator[NDArray[Any]]:
        yield RGB[:10]
        raise UserError("not enough memory")

    with pytest.raises(UserError, match="not enough memory"):
        write_rows(tmp_path / f"image{suffix}", strips(), 20, 30, np.uint8)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    pixels = deep(9, 7)
    write_image(tmp_path / f"image{suffix}", pixels, PROVENANCE)
    np.testing.assert_array_equal(read_rgb(tmp_path / f"image{suffix}"), pixels)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_16_bits_in_formats_of_8_are_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"image{suffix}"
    said = rf"image{suffix}: {suffix} holds 8 bits, not 16; use .png or .tiff"
    with pytest.raises(UserError, match=said):
        check_writable_suffix(path, 16)
    with pytest.raises(UserError, match=said):
        write_image(path, deep(2, 2))
    with pytest.raises(UserError, match=said):
        write_rows(path, in_strips(deep(2, 2)), 2, 2, np.uint16)


@pytest.mark.parametrize(("suffix", "width"), [(".jpg", 65501), (".webp", 16384)])
def test_what_will_not_fit_is_told_before_any_strip_is_made(tmp_path: Path, suffix: str, width: int) -> None:
    strips = in_strips(np.zeros((1, width, 3), np.uint8))
    with pytest.raises(UserError, match=rf"image{suffix}: an image of 1x{width} does not fit"):
        write_rows(tmp_path / f"image{suffix}", strips, 1, width, np.uint8)
    assert len(next(strips)) == 1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_edges_beyond_what_png_readers_take_are_for_tiff(tmp_path: Path, suffix: str) -> None:
    long = np.zeros((1, 1_000_001, 3), np.uint8)
    file = tmp_path / f"image{suffix}"
    said = rf"image{suffix}: an image of 1x1000001 does not fit .*; write \.tiff$"
    with pytest.raises(UserError, match=said):
        write_image(file, long)
    with pytest.raises(UserError, match=said):
        write_rows(file, [long], 1, 1_000_001, np.uint8)
    write_image(tmp_path / "image.tiff", long)
