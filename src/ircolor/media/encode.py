"""Write images atomically: small ones encoded in memory, large ones strip by strip where the format allows it."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.atomic import open_atomic, write_atomic
from ircolor.errors import UserError
from ircolor.media.png import png_parts
from ircolor.media.provenance import Provenance

WRITABLE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
DEEP_SUFFIXES = (".png", ".tif", ".tiff")
# PNG itself holds more, but libpng, by which nearly all programs read it, does not.
LARGEST_EDGE_PX = {".png": 1_000_000, ".jpg": 65500, ".jpeg": 65500, ".webp": 16383}
JPEG_QUALITY = 95
# Up to this size OpenCV encodes a whole image faster than it can be streamed.
STREAMED_BYTES = 64 << 20


def check_writable_suffix(path: Path, depth_bits: int = 8) -> None:
    """Find out before long work whether the name of an output is that of a format we write.

    Raises:
        UserError: it is not, or the format does not hold as many bits a channel (8 or 16).
    """
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise UserError(
            f"{path}: cannot write {path.suffix or 'a file without suffix'}; use .png, .jpg, .tiff or .webp"
        )
    if depth_bits == 16 and path.suffix.lower() not in DEEP_SUFFIXES:
        raise UserError(f"{path}: {path.suffix} holds 8 bits, not 16; use .png or .tiff")


def encode_image(
    pixels: NDArray[np.uint8 | np.uint16],
    suffix: str,
    provenance: Provenance | None = None,
    jpeg_quality: int = JPEG_QUALITY,
) -> bytes:
    """The bytes of an image file.

    Args:
        pixels: RGB (H, W, 3), uint8, for PNG and TIFF also uint16; for PNG also gray (H, W).
        suffix: one of WRITABLE_SUFFIXES.
        provenance: written into the file as XMP (PNG, JPEG, WebP) or as its description (PNG, TIFF).
        jpeg_quality: 0 to 100, for JPEG only.

    Raises:
        UserError: the format cannot hold an image of this size (`LARGEST_EDGE_PX`).
    """
    suffix = suffix.lower()
    _check_fits(suffix, *pixels.shape[:2])
    if suffix in (".tif", ".tiff"):
        from ircolor.media.tiff_write import write_tiff

        buffer = io.BytesIO()
        write_tiff(buffer, [pixels], pixels.shape[:2], pixels.dtype, provenance)
        return buffer.getvalue()
    # PNG is left at OpenCV's own compression: half the time of zlib's level 1 for 0 to 30 % more bytes.
    parameters = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality] if suffix in (".jpg", ".jpeg") else []
    try:
        bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
        if suffix == ".webp" and provenance:
            packet = np.frombuffer(provenance.xmp(), np.uint8)
            done, encoded = cv2.imencodeWithMetadata(suffix, bgr, [cv2.IMAGE_METADATA_XMP], [packet], parameters)
        else:
            done, encoded = cv2.imencode(suffix, bgr, parameters)
    except cv2.error:
        done = False
    if not done:
        raise UserError(f"an image of {pixels.shape[0]}x{pixels.shape[1]} cannot be encoded as {suffix}; write .tiff")
    data = bytes(encoded.tobytes())
    if provenance and suffix == ".png":
        return provenance.into_png(data)
    if provenance and suffix in (".jpg", ".jpeg"):
        return provenance.into_jpeg(data)
    return data


def write_image(path: Path, pixels: NDArray[np.uint8 | np.uint16], provenance: Provenance | None = None) -> None:
    """Write an image in the format of the file's suffix; the folder is made when it is missing.

    Args:
        path: the file; replaced when it exists.
        pixels: as `encode_image` takes them.
        provenance: written into the file.

    Raises:
        UserError: unknown suffix, an image the format cannot hold, or the file cannot be written.
    """
    check_writable_suffix(path, 8 * pixels.dtype.itemsize)
    try:
        data = encode_image(pixels, path.suffix, provenance)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    write_atomic(path, data)


def write_rows(
    path: Path,
    strips: Iterable[NDArray[Any]],
    height: int,
    width: int,
    dtype: np.dtype[Any] | type[np.unsignedinteger[Any]],
    provenance: Provenance | None = None,
) -> None:
    """Write an image that comes in strips, as `write_image` does a whole one.

    A large PNG or TIFF file is written as the strips come, with one of them in memory at a time.

    Args:
        path: the file; replaced when it exists.
        strips: RGB, from top to bottom, each (h, W, 3) of `dtype`. Not asked for when the file cannot be what its name
            says.
        height: of the image, all strips together.
        width: of the image.
        dtype: uint8, or uint16 for PNG and TIFF.
        provenance: written into the file.

    Raises:
        UserError: unknown suffix, an image the format cannot hold, or the file cannot be written.
    """
    depth = np.dtype(dtype)
    check_writable_suffix(path, 8 * depth.itemsize)
    suffix = path.suffix.lower()
    try:
        _check_fits(suffix, height, width)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if suffix not in DEEP_SUFFIXES or height * width * 3 * depth.itemsize <= STREAMED_BYTES:
        whole = np.empty((height, width, 3), depth)
        top = 0
        for strip in strips:
            whole[top : top + len(strip)] = strip
            top += len(strip)
        write_image(path, whole, provenance)
    elif suffix == ".png":
        write_atomic(path, png_parts(strips, height, width, 8 * depth.itemsize, provenance))
    else:
        from ircolor.media.tiff_write import write_tiff

        with open_atomic(path) as file:
            write_tiff(file, strips, (height, width), depth, provenance)


def _check_fits(suffix: str, height: int, width: int) -> None:
    """Raise UserError where a format cannot hold an image of a size."""
    edge = max(height, width)
    if edge > LARGEST_EDGE_PX.get(suffix, edge):
        others = ".tiff" if edge > LARGEST_EDGE_PX[".png"] else ".png or .tiff"
        raise UserError(f"an image of {height}x{width} does not fit into a {suffix} file; write {others}")
