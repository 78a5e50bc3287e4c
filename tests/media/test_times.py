from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from ircolor.media.times import time_in_exif, time_in_name, time_of

TAKEN = "2018:10:07 14:25:30"
TAKEN_S = datetime(2018, 10, 7, 14, 25, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("name", "after_s"),
    [
        ("20181007_142530", 0),
        ("IMG_20181007_142530_123", 0.123),
        ("IMG_20181007_142530_1", 0),  # a burst, not a fraction
        ("PXL_20181007_142530250", 0.25),
        ("drive2_20181007-142530.250_left", 0.25),
        ("2018-10-07T14-25-30.123", 0.123),
        ("2018-10-07 14.25.30", 0),
        ("2018-10-07_14h25m30", 0),
        ("20181007142530", 0),
        ("cam1_1538922330", 0),
        ("1538922330250", 0.25),
        ("1538922330.250000", 0.25),
        ("1538922330250000", 0.25),
        ("1538922330250000000", 0.25),
    ],
)
def test_times_in_names_are_read(name: str, after_s: float) -> None:
    assert time_in_name(name) == pytest.approx(TAKEN_S + after_s, abs=1e-5)


@pytest.mark.parametrize(
    "name", ["0001", "street_0001", "20181307_142530", "20181007_149930", "20181007", "drive_2018", "123456789012"]
)
def test_other_numbers_are_no_times(name: str) -> None:
    assert time_in_name(name) is None


# Pillow is the independent writer of EXIF data; JPEG and PNG are big endian with it, TIFF is little endian.
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff"])
@pytest.mark.parametrize(("fraction", "after_s"), [("25", 0.25), ("125000", 0.125), ("", 0), ("??", 0)])
def test_exif_times_go_before_names(tmp_path: Path, suffix: str, fraction: str, after_s: float) -> None:
    file = write_exif(tmp_path / f"20200101_000000{suffix}", TAKEN, fraction)
    assert time_in_exif(file) == time_of(file) == pytest.approx(TAKEN_S + after_s, abs=1e-5)


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday"])
def test_an_unset_clock_leaves_the_name(tmp_path: Path, taken: str) -> None:
    file = write_exif(tmp_path / "20181007_142530.jpg", taken)
    assert time_in_exif(file) is None
    assert time_of(file) == TAKEN_S


def test_files_without_exif_or_without_content_leave_the_name(tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    Image.new("L", (4, 4)).save(tmp_path / "20181007_142530.jpg")
    assert time_of(tmp_path / "empty.png") is None
    assert time_of(tmp_path / "absent.png") is None
    assert time_of(tmp_path / "20181007_142530.jpg") == TAKEN_S


@given(st.data())
def test_damaged_exif_is_no_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    file = tmp_path_factory.getbasetemp() / data.draw(st.sampled_from(["a.jpg", "a.tiff"]))
    content = bytearray(write_exif(file, TAKEN, "25").read_bytes())
    for place, byte in data.draw(st.dictionaries(st.integers(0, 200), st.integers(0, 255), max_size=4)).items():
        content[place] = byte
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    assert isinstance(time_in_exif(file), float | None)


def write_exif(file: Path, taken: str, fraction: str = "") -> Path:
    """Write an image with DateTimeOriginal and SubSecTimeOriginal, by another library."""
    folder = {0x9003: taken, 0x9291: fraction}
    changed = "2020:01:01 00:00:00"  # when the file was last changed: not what we want
    image = Image.new("RGB", (8, 8))
    if file.suffix == ".tiff":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[0x0132], tags[0x8769] = changed, folder
        image.save(file, tiffinfo=tags)
    else:
        exif = Image.Exif()
        exif[0x0132], exif[0x8769] = changed, folder
        image.save(file, exif=exif.tobytes())
    return file
