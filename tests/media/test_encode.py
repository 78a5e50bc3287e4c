import errno
import io
import os
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from ircolor.errors import UserError
from ircolor.media.encode import WRITABLE_SUFFIXES, encode_image, write_image
from ircolor.media.images import read_rgb
from ircolor.media.provenance import DIGITAL_SOURCE_TYPE, Provenance
from tests.conftest import noise

PROVENANCE = Provenance('snet "<&>', "1.0", "ab" * 32, 0.0, 4095.0)
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
    assert (said["InfraredLow"], said["InfraredHigh"]) == ("0", "4095")
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
