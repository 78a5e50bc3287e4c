"""Write images: encoded in memory first, then written atomically."""

import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.atomic import write_atomic
from ircolor.errors import UserError
from ircolor.media.provenance import Provenance

WRITABLE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
JPEG_QUALITY = 95


def check_writable_suffix(path: Path) -> None:
    """Raise UserError when the name of an output is not that of a format we write."""
    if path.suffix.lower() not in WRITABLE_SUFFIXES:
        raise UserError(
            f"{path}: cannot write {path.suffix or 'a file without suffix'}; use .png, .jpg, .tiff or .webp"
        )


def encode_image(
    pixels: NDArray[np.uint8 | np.uint16],
    suffix: str,
    provenance: Provenance | None = None,
    jpeg_quality: int = JPEG_QUALITY,
) -> bytes:
    """The bytes of an image file.

    Args:
        pixels: RGB (H, W, 3), uint8; for PNG also gray (H, W), and uint16.
        suffix: one of WRITABLE_SUFFIXES.
        provenance: written into the file as XMP (PNG, JPEG, WebP) or as its description (PNG, TIFF).
        jpeg_quality: 0 to 100, for JPEG only.

    Raises:
        UserError: the format cannot hold an image of this size (WebP: 16383 px, JPEG: 65500 px).
    """
    suffix = suffix.lower()
    if suffix in (".tif", ".tiff"):
        return _encode_tiff(pixels, provenance)
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
        height, width = pixels.shape[:2]
        raise UserError(f"an image of {height}x{width} does not fit into a {suffix} file; write .png or .tiff")
    data = bytes(encoded.tobytes())
    if provenance and suffix == ".png":
        return provenance.into_png(data)
    if provenance and suffix in (".jpg", ".jpeg"):
        return provenance.into_jpeg(data)
    return data


def _encode_tiff(rgb: NDArray[np.uint8 | np.uint16], provenance: Provenance | None) -> bytes:
    import tifffile

    description = provenance.sentence.encode("ascii", "replace").decode() if provenance else None
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        rgb,
        photometric="rgb",
        compression="zlib",
        description=description,
        software="ircolor",
        metadata=None,
    )
    return buffer.getvalue()


def write_image(path: Path, pixels: NDArray[np.uint8 | np.uint16], provenance: Provenance | None = None) -> None:
    """Write an image in the format of the file's suffix; the folder is made when it is missing.

    Args:
        path: the file; replaced when it exists.
        pixels: RGB (H, W, 3), uint8; for PNG also gray (H, W), and uint16.
        provenance: written into the file.

    Raises:
        UserError: unknown suffix, an image the format cannot hold, or the file cannot be written.
    """
    check_writable_suffix(path)
    try:
        data = encode_image(pixels, path.suffix, provenance)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    write_atomic(path, data)
