"""Read image files of any depth as infrared or RGB arrays.

Formats: PNG, JPEG, TIFF, BMP, WebP, PNM and what else OpenCV decodes; TIFF also as 16-bit or float, through
tifffile. Depth is kept: 16 bits stay 16 bits. Files are read as hostile: a size limit is checked by the
decoders, and every failure is a `UserError` that names the file.
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.media.intact import JPEG_SIGNATURE, PNG_SIGNATURE, check_jpeg, check_png

Image = NDArray[Any]

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".jpeg", ".jpg", ".jp2", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# A decoded image may not be larger than this: a few kilobytes of PNG can claim to be 100,000 x 100,000. OpenCV
# refuses four times as much before it decodes.
MAX_PIXELS = 1 << 28
# TIFF photometric interpretations min-is-black and RGB; others (palette, min-is-white) need converting.
_STORED_AS_SEEN = (1, 2)
# Channels of a "gray" JPEG stored as colour differ by rounding only.
GRAY_TOLERANCE = 2


@dataclass(frozen=True)
class Infrared:
    """A single-channel image and what was done to obtain it.

    Attributes:
        pixels: (H, W), uint8, uint16 or float32, as stored.
        notes: one sentence per conversion the user should know of, e.g. that a colour image was reduced.
    """

    pixels: Image
    notes: tuple[str, ...] = ()


def is_image(path: Path) -> bool:
    """Whether the name of the file says that it is an image we read."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def read_infrared(source: Path | bytes, name: str | None = None) -> Infrared:
    """Read an infrared image.

    Args:
        source: a file, or the bytes of one.
        name: what to call it in messages; the path when not given.

    Raises:
        UserError: unreadable, empty, truncated, or not an image.
    """
    return to_infrared(_decode(source, name or str(source)), name or str(source))


def read_rgb(source: Path | bytes, name: str | None = None) -> Image:
    """Read a colour image as (H, W, 3) RGB, uint8, uint16 or float32.

    A gray file gets three equal channels.

    Raises:
        UserError: unreadable, empty, truncated, or not an image; float values that are not in [0, 1].
    """
    name = name or str(source)
    pixels = _checked(_decode(source, name), name)
    if np.issubdtype(pixels.dtype, np.floating) and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise UserError(f"{name}: {pixels.dtype} values outside [0, 1]; store 8 or 16 bit, or float in [0, 1]")
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] <= 2:
        return np.repeat(pixels[..., :1], 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3])


def to_infrared(pixels: Image, name: str = "the image") -> Infrared:
    """Reduce an array to the single channel that the networks take, saying what was changed.

    Args:
        pixels: (H, W), (H, W, 1), gray + alpha (H, W, 2), RGB (H, W, 3) or RGBA (H, W, 4); uint8, uint16 or
            float.
        name: what to call it in messages.

    Raises:
        UserError: another shape or type, no pixels, or values that are NaN or infinite.
    """
    pixels = _checked(np.asarray(pixels), name)
    notes: list[str] = []
    if pixels.ndim == 3:
        if pixels.shape[2] in (2, 4):
            opaque = pixels[..., -1].min() == pixels[..., -1].max()
            pixels = pixels[..., :-1]
            if not opaque:
                notes.append("transparency was ignored")
        if pixels.shape[2] == 3:
            pixels, converted = _luma(pixels)
            if converted:
                notes.append("it is a colour image; its luma was taken as the infrared image")
        else:
            pixels = pixels[..., 0]
    return Infrared(np.ascontiguousarray(pixels), tuple(notes))


def _checked(pixels: Image, name: str) -> Image:
    """Pixels of one of the types and shapes that we take: uint8, uint16 or finite float32."""
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * 255
    if not (pixels.dtype in (np.uint8, np.uint16) or np.issubdtype(pixels.dtype, np.floating)):
        raise UserError(f"{name}: pixels of type {pixels.dtype}; convert them to uint8, uint16 or float32 first")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 2, 3, 4)):
        raise UserError(
            f"{name}: an array of shape {pixels.shape}; expected (height, width), or (height, width, "
            "channels) with 1 to 4 channels"
        )
    if pixels.size == 0:
        raise UserError(f"{name}: the image has no pixels (shape {pixels.shape}); give an image of at least 1x1")
    if np.issubdtype(pixels.dtype, np.floating):
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is counted as such
            pixels = pixels.astype(np.float32)
        if not np.isfinite(pixels).all():
            count = int((~np.isfinite(pixels)).sum())
            raise UserError(f"{name}: {count} values are NaN or infinite; replace them first, e.g. by numpy.nan_to_num")
    return pixels


def _luma(rgb: Image) -> tuple[Image, bool]:
    """(H, W) of an RGB image, and whether there was any colour in it; gray stored as RGB stays as it is."""
    integer = np.issubdtype(rgb.dtype, np.integer)
    signed = rgb.astype(np.int32 if integer else np.float64)
    spread = np.ptp(signed, axis=2).max()
    scale = 1.0 if rgb.dtype == np.uint8 else 257.0 if integer else max(float(np.abs(rgb).max()), 1e-12) / 255
    if spread <= GRAY_TOLERANCE * scale:
        return rgb[..., 1], False
    luma = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return (np.rint(luma) if integer else luma).astype(rgb.dtype), True


def _decode(source: Path | bytes, name: str) -> Image:
    """The pixels of an image file as stored, in RGB(A) order: (H, W) or (H, W, C)."""
    if isinstance(source, bytes):
        data = source
    else:
        try:
            data = source.read_bytes()
        except OSError as error:
            raise UserError(f"{name}: cannot be read ({error.strerror}); check the path and its permissions") from error
    if not data:
        raise UserError(f"{name}: the file is empty; copy it again from its source")
    pixels = _decode_tiff(data, name) if data.startswith(TIFF_SIGNATURES) else _decode_opencv(data, name)
    if math.prod(pixels.shape[:2]) > MAX_PIXELS:
        raise UserError(f"{name}: {pixels.shape} is larger than {MAX_PIXELS} pixels; cut it into parts first")
    return pixels


def _decode_opencv(data: bytes, name: str) -> Image:
    # UNCHANGED keeps depth and alpha, but ignores the orientation that cameras write into JPEG files.
    flags = cv2.IMREAD_UNCHANGED
    if data.startswith(PNG_SIGNATURE):
        check_png(data, name)
    elif data.startswith(JPEG_SIGNATURE):
        check_jpeg(data, name)
        flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if "CV_IO_MAX_IMAGE" in str(error):
            raise UserError(f"{name}: larger than {MAX_PIXELS} pixels; cut it into parts first") from error
        raise UserError(f"{name}: cannot be decoded ({brief(error)}); is it an image, and whole?") from error
    if pixels is None:
        raise UserError(f"{name}: not an image, or damaged; give a PNG, JPEG, TIFF, BMP or WebP file")
    if pixels.ndim == 3 and pixels.shape[2] >= 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return np.asarray(pixels)


def _decode_tiff(data: bytes, name: str) -> Image:
    """The first page; by tifffile, which keeps every depth, or by OpenCV where that lacks the codec."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            page = tiff.pages.first
            if math.prod(page.shape[:2]) > MAX_PIXELS:
                raise UserError(f"{name}: {page.shape} is larger than {MAX_PIXELS} pixels; cut it into parts first")
            if page.photometric not in _STORED_AS_SEEN:
                return _decode_opencv(data, name)
            pixels = np.asarray(page.asarray())
    except UserError:
        raise
    except Exception as error:  # tifffile raises whatever its parsing stumbles on
        if "imagecodecs" in str(error):
            return _decode_opencv(data, name)
        raise UserError(f"{name}: the TIFF file cannot be decoded ({brief(error)}); is it whole?") from error
    if pixels.ndim == 3 and pixels.shape[0] in (3, 4) and pixels.shape[2] not in (1, 2, 3, 4):
        pixels = np.moveaxis(pixels, 0, -1)  # planar storage
    return pixels
