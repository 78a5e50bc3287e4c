import io
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ircolor.errors import UserError
from ircolor.media.images import num_pages, read_infrared, read_pages
from ircolor.media.provenance import Provenance
from ircolor.media.tiff_write import write_pages
from tests.conftest import gray_png, noise

PROVENANCE = Provenance("snet", "1.0", "ab" * 32, 0.0, 4095.0, "0:4095")


def stack(count: int, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=options.pop("bigtiff", False)) as writer:
        for number in range(count):
            writer.write(noise(6, 8, number), metadata=None, **options)
    return buffer.getvalue()


def folders(data: bytes) -> list[int]:
    """Where the folder of each page lies, by tifffile."""
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        return [page.offset for page in tiff.pages]


def next_place(data: bytes, folder: int) -> int:
    """Where a folder says where the next one lies."""
    return int(folder + 2 + 12 * struct.unpack_from("<H", data, folder)[0])


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"compression": "zlib"}])
def test_300_pages_are_read_in_order(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "scan.tiff"
    path.write_bytes(stack(300, **options))
    assert num_pages(path) == num_pages(path.read_bytes()) == 300
    count = 0
    for number, page in enumerate(read_pages(path)):
        np.testing.assert_array_equal(page.pixels, noise(6, 8, number))
        assert page.notes == ()
        count += 1
    assert count == 300


def test_the_first_page_alone_is_read_with_a_note() -> None:
    infrared = read_infrared(stack(300))
    np.testing.assert_array_equal(infrared.pixels, noise(6, 8, 0))
    assert infrared.notes == ("only the first of 300 pages was taken",)
    assert read_infrared(stack(1)).notes == ()


def test_other_formats_have_one_page(tmp_path: Path) -> None:
    assert num_pages(gray_png()) == 1
    (page,) = read_pages(gray_png())
    np.testing.assert_array_equal(page.pixels, read_infrared(gray_png()).pixels)
    for read in (num_pages, lambda path: list(read_pages(path))):
        with pytest.raises(UserError, match=r"none.tiff: cannot be read"):
            read(tmp_path / "none.tiff")


def test_one_page_is_in_memory_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "scan.tiff"
    page_bytes = 500 * 500

    def pages() -> Iterator[tuple[NDArray[np.uint8], Provenance | None]]:
        for number in range(40):
            yield np.full((250, 333, 3), number, np.uint8), None

    tracemalloc.start()
    try:
        write_pages(path, pages(), 40)
        for _ in read_pages(path):
            pass
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert num_pages(path) == 40
    assert peak_bytes < 20 * page_bytes


def test_smaller_repetitions_and_masks_are_no_pages() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(noise(8, 8, 5), metadata=None, subfiletype=1)  # a thumbnail comes first in some files
        for number in range(2):
            writer.write(noise(32, 48, number), metadata=None, subifds=1)
            writer.write(noise(16, 24, number), metadata=None, subfiletype=1)
            writer.write(noise(16, 24, number), metadata=None, subfiletype=1)
            writer.write(noise(32, 48, number) > 99, metadata=None, photometric=4, subfiletype=4)
    assert num_pages(buffer.getvalue()) == 2
    for number, page in enumerate(read_pages(buffer.getvalue())):
        np.testing.assert_array_equal(page.pixels, noise(32, 48, number))


def test_a_page_is_found_at_once_in_any_compression(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV walks through all pages before the one that is asked for: a long stack took hours."""
    buffer = io.BytesIO()
    images = [PillowImage.fromarray(noise(8, 8, seed)) for seed in range(3)]
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:], compression="tiff_lzw")
    monkeypatch.delattr("cv2.imdecodemulti")
    assert len(list(read_pages(buffer.getvalue()))) == 3


def test_a_stack_that_imagej_keeps_as_one_page_is_told() -> None:
    buffer = io.BytesIO()
    pages = np.stack([noise(20, 30, seed) for seed in range(5)]).astype(np.uint16)
    tifffile.imwrite(buffer, pages, imagej=True, truncate=True)
    with pytest.raises(UserError, match="ImageJ keeps its 5 pages as one; save it there as an image sequence"):
        list(read_pages(buffer.getvalue()))
    whole = io.BytesIO()
    tifffile.imwrite(whole, pages, imagej=True)
    assert len(list(read_pages(whole.getvalue()))) == 5


def test_pages_in_a_compression_that_opencv_decodes_are_told_apart() -> None:
    buffer = io.BytesIO()
    images = [PillowImage.fromarray(noise(20, 30, seed)) for seed in range(4)]
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:], compression="tiff_lzw")
    for number, page in enumerate(read_pages(buffer.getvalue())):
        np.testing.assert_array_equal(page.pixels, noise(20, 30, number))


def test_a_damaged_page_is_named_and_those_before_it_are_read() -> None:
    data = bytearray(stack(5, compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as tiff:
        place = tiff.pages[2].dataoffsets[0]
    data[place : place + 8] = b"\xff" * 8
    pages = read_pages(bytes(data), "scan.tiff")
    assert [next(pages).pixels.shape for _ in range(2)] == [(6, 8)] * 2
    with pytest.raises(UserError, match=r"^scan.tiff page 3 of 5: the TIFF file cannot be decoded"):
        next(pages)


def test_values_that_are_not_finite_are_told_with_their_page() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, np.stack([np.zeros((2, 3)), np.full((2, 3), np.nan)]), metadata=None, photometric="minisblack"
    )
    with pytest.raises(UserError, match=r"^scan.tiff page 2 of 2: 6 values are NaN or infinite"):
        list(read_pages(buffer.getvalue(), "scan.tiff"))


def test_pages_in_a_circle_are_told() -> None:
    data = bytearray(stack(5))
    places = folders(bytes(data))
    struct.pack_into("<I", data, next_place(bytes(data), places[3]), places[1])
    for read in (num_pages, read_infrared, lambda data, name: list(read_pages(data, name))):
        with pytest.raises(UserError, match=r"^scan.tiff: its pages run in a circle after page 4"):
            read(bytes(data), "scan.tiff")


def test_a_chain_that_leaves_the_file_is_told() -> None:
    data = bytearray(stack(5))
    struct.pack_into("<I", data, next_place(bytes(data), folders(bytes(data))[3]), len(data) + 100)
    with pytest.raises(UserError, match=r"^scan.tiff: the TIFF file is truncated after page 4"):
        num_pages(bytes(data), "scan.tiff")


def test_too_many_pages_are_told() -> None:
    empty = b"".join(struct.pack("<HI", 0, 8 + 6 * (number + 1)) for number in range(70_000))
    with pytest.raises(UserError, match=r"more than 65536 pages"):
        num_pages(b"II*\0" + struct.pack("<I", 8) + empty + bytes(6))


def test_pages_are_written_with_what_is_said_of_each(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rgb.tiff"
    deep = np.random.default_rng(0).integers(0, 65536, (7, 9, 3), np.uint16)
    other = np.repeat(noise(20, 30)[..., None], 3, axis=2)
    write_pages(path, iter([(deep, PROVENANCE), (other, None)]), 2)
    with tifffile.TiffFile(path) as tiff:
        assert not tiff.is_bigtiff
        np.testing.assert_array_equal(tiff.pages[0].asarray(), deep)
        np.testing.assert_array_equal(tiff.pages[1].asarray(), other)
        assert tiff.pages.first.description == PROVENANCE.sentence


def test_many_large_pages_become_a_bigtiff(tmp_path: Path) -> None:
    page = np.zeros((10, 10, 3), np.uint8)
    write_pages(tmp_path / "rgb.tiff", iter([(page, None)] * 2), 1 << 40)
    with tifffile.TiffFile(tmp_path / "rgb.tiff") as tiff:
        assert tiff.is_bigtiff
        assert len(tiff.pages) == 2


def test_pages_that_outgrow_the_kind_of_file_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.tiff_write._STRIP_BYTES", 1 << 10)
    monkeypatch.setattr("ircolor.media.tiff_write._CLASSIC_BYTES", 1 << 14)
    pages = [(np.repeat(noise(side, side)[..., None], 3, axis=2), None) for side in (4, 90)]
    with pytest.raises(UserError, match=r"rgb.tiff: its pages grow beyond the 4 GiB of a TIFF file"):
        write_pages(tmp_path / "rgb.tiff", iter(pages), 2)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_on_a_later_page_leaves_nothing(tmp_path: Path) -> None:
    def pages() -> Iterator[tuple[NDArray[np.uint8], Provenance | None]]:
        yield np.zeros((4, 4, 3), np.uint8), None
        raise UserError("scan.tiff page 2 of 2: damaged")

    with pytest.raises(UserError, match="page 2 of 2: damaged"):
        write_pages(tmp_path / "rgb.tiff", pages(), 2)
    assert list(tmp_path.iterdir()) == []


def test_only_tiff_takes_pages(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"rgb.png: only TIFF holds 3 pages; use .tiff"):
        write_pages(tmp_path / "rgb.png", iter([]), 3)
    with pytest.raises(UserError, match=r"rgb.tiff: there are no pages"):
        write_pages(tmp_path / "rgb.tiff", iter([]), 0)
