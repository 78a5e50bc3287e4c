"""Write RGB TIFF files: an image strip by strip, or many pages one after the other."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from ircolor.atomic import open_atomic
from ircolor.errors import UserError
from ircolor.media.provenance import Provenance

Page = tuple[NDArray[Any], Provenance | None]
"""RGB (H, W, 3), uint8 or uint16, and what the file says of it."""

_STRIP_BYTES = 1 << 20  # before compression
_CLASSIC_BYTES = 1 << 32  # where a classic TIFF file ends
# What is expected to take more than this becomes a BigTIFF file: pages differ in size, and noise does not deflate.
_BIG_FROM_BYTES = _CLASSIC_BYTES // 2


def write_tiff(
    file: BinaryIO,
    strips: Iterable[NDArray[Any]],
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    provenance: Provenance | None,
) -> None:
    """Write one image, with one strip in memory at a time.

    Args:
        file: opened for writing; seekable.
        strips: from top to bottom, each (h, W, 3) of `dtype`.
        shape: height and width of the image.
        dtype: uint8 or uint16.
        provenance: its sentence becomes the description.
    """
    raw_bytes = shape[0] * shape[1] * 3 * dtype.itemsize
    with tifffile.TiffWriter(file, bigtiff=raw_bytes > _BIG_FROM_BYTES) as writer:
        _write_page(writer, strips, shape, dtype, provenance)


def write_pages(path: Path, pages: Iterable[Page], num_pages: int) -> None:
    """Write a TIFF file of many pages, with one page in memory at a time; whole or not at all.

    Args:
        path: the file; replaced when it exists.
        pages: may differ in size and depth.
        num_pages: how many come; decides whether it becomes a BigTIFF file.

    Raises:
        UserError: another suffix than .tif or .tiff, no page at all, pages that turn out too large for the kind of
            file that the first one called for, or the file cannot be written.
    """
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise UserError(f"{path}: only TIFF holds {num_pages} pages; use .tiff")
    remaining = iter(pages)
    try:
        first = next(remaining)
    except StopIteration:
        raise UserError(f"{path}: there are no pages to write; give an image with at least one") from None
    large = first[0].nbytes * num_pages > _BIG_FROM_BYTES
    with open_atomic(path) as file, tifffile.TiffWriter(file, bigtiff=large) as writer:
        page: Page | None = first
        del first  # or it would stay in memory beside each of the others
        while page is not None:
            pixels, provenance = page
            if not large and file.tell() + pixels.nbytes + _STRIP_BYTES > _CLASSIC_BYTES:
                raise UserError(f"{path}: its pages grow beyond the 4 GiB of a TIFF file; write them into several")
            _write_page(writer, [pixels], pixels.shape[:2], pixels.dtype, provenance)
            del pixels, page
            page = next(remaining, None)


def _write_page(
    writer: tifffile.TiffWriter,
    strips: Iterable[NDArray[Any]],
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    provenance: Provenance | None,
) -> None:
    height, width = shape
    rows = min(height, max(1, _STRIP_BYTES // (width * 3 * dtype.itemsize)))
    writer.write(
        (_packed(strip) for strip in _cut(strips, rows)),
        shape=(height, width, 3),
        dtype=dtype,
        photometric="rgb",
        compression="zlib",
        predictor=2,
        rowsperstrip=rows,
        description=provenance.sentence.encode("ascii", "replace").decode() if provenance else None,
        software="ircolor",
        metadata=None,
    )


def _packed(rows: NDArray[Any]) -> bytes:
    """One strip of a TIFF file: each pixel less that to its left, deflated."""
    differences = rows.astype(rows.dtype.newbyteorder("<"))
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(differences.tobytes(), 1)


def _cut(strips: Iterable[NDArray[Any]], rows: int) -> Iterator[NDArray[Any]]:
    """The same image in strips of `rows` rows, the last maybe of fewer."""
    rest: NDArray[Any] | None = None
    for strip in strips:
        top = 0
        if rest is not None:
            top = min(rows - len(rest), len(strip))
            rest = np.concatenate([rest, strip[:top]])
            if len(rest) < rows:
                continue
            yield rest
        whole_end = top + (len(strip) - top) // rows * rows
        for start in range(top, whole_end, rows):
            yield strip[start : start + rows]
        rest = strip[whole_end:].copy() if whole_end < len(strip) else None
    if rest is not None:
        yield rest
