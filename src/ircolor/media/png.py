"""Write a PNG file from strips, with one strip in memory at a time; OpenCV writes whole images only."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ircolor.media.intact import PNG_SIGNATURE
from ircolor.media.provenance import Provenance, png_chunk

_RGB = 2
_SUB = 1  # the filter that stores each byte less that of the pixel to its left
_BLOCK_BYTES = 1 << 22


def png_parts(
    strips: Iterable[NDArray[Any]], height: int, width: int, bits: int, provenance: Provenance | None
) -> Iterator[bytes]:
    """The bytes of an RGB PNG file, part by part.

    Args:
        strips: from top to bottom, each (h, W, 3), uint8 or uint16 as `bits` says.
        height: of the image, all strips together.
        width: of the image.
        bits: 8 or 16.
        provenance: written as XMP and as a text.
    """
    yield PNG_SIGNATURE + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, _RGB, 0, 0, 0))
    if provenance:
        yield provenance.png_chunks()
    # As OpenCV does: half the time of the default strategy for a few more bytes.
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    block_rows = max(1, _BLOCK_BYTES // (width * 3 * bits // 8))
    for strip in strips:
        for top in range(0, len(strip), block_rows):
            packed = packer.compress(_filtered(strip[top : top + block_rows], bits))
            if packed:
                yield png_chunk(b"IDAT", packed)
    yield png_chunk(b"IDAT", packer.flush()) + png_chunk(b"IEND", b"")


def _filtered(rows: NDArray[Any], bits: int) -> bytes:
    """Rows as PNG stores them: big-endian, each behind the number of its filter."""
    stored = rows.astype(">u2" if bits == 16 else np.uint8, order="C", copy=False)
    flat = stored.view(np.uint8).reshape(len(rows), -1)
    pixel_bytes = 3 * bits // 8
    filtered = np.empty((len(rows), 1 + flat.shape[1]), np.uint8)
    filtered[:, 0] = _SUB
    filtered[:, 1 : 1 + pixel_bytes] = flat[:, :pixel_bytes]
    np.subtract(flat[:, pixel_bytes:], flat[:, :-pixel_bytes], out=filtered[:, 1 + pixel_bytes :])
    return filtered.tobytes()
