from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from ircolor.media.times import time_in_exif, time_in_name

TAKEN_S = datetime(2018, 10, 7, 14, 25, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("stem", "expected_s"),
    [
        ("20181007_142530", TAKEN_S),
        ("drive2_20181007-142530.250_left", TAKEN_S + 0.25),
        ("2018-10-07T14-25-30", TAKEN_S),
        ("20181007142530", TAKEN_S),
        ("1538922330", TAKEN_S),
        ("cam_1538922330250", TAKEN_S + 0.25),
        ("1538922330.250000", TAKEN_S + 0.25),
        ("20181007_149930", None),
        ("20181007_000123456", None),
        ("000123", None),
        ("street_0001", None),
    ],
)
def test_times_in_names(stem: str, expected_s: float | None) -> None:
    assert time_in_name(stem) == expected_s


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tiff"])
def test_exif_of_each_format(tmp_path: Path, suffix: str) -> None:
    file = write_exif(tmp_path / f"image{suffix}", "2018:10:07 14:25:30", "250")
    assert time_in_exif(file) == TAKEN_S + 0.25


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday"])
def test_no_time_is_none(tmp_path: Path, taken: str) -> None:
    assert time_in_exif(write_exif(tmp_path / "image.jpg", taken)) is None


def test_damaged_exif_tells_nothing_and_never_raises(tmp_path: Path) -> None:
    whole = write_exif(tmp_path / "image.jpg", "2018:10:07 14:25:30").read_bytes()
    file = tmp_path / "damaged.jpg"
    told = []
    for place in range(20, 140):
        for value in (0, 1, 127, 255):
            file.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            told.append(time_in_exif(file))
        file.write_bytes(whole[:place])
        told.append(time_in_exif(file))
    assert {None, TAKEN_S} <= set(told)
    assert time_in_exif(tmp_path / "absent.jpg") is None


def write_exif(file: Path, taken: str, fraction: str = "") -> Path:
    """Write an image with DateTimeOriginal and SubSecTimeOriginal, by another library."""
    exif = Image.Exif()
    exif[0x0132] = "2020:01:01 00:00:00"  # when the file was last changed: not what we want
    exif[0x8769] = {0x9003: taken, 0x9291: fraction}
    Image.new("RGB", (8, 8)).save(file, exif=exif.tobytes())
    return file
