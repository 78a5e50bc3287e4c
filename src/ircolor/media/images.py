"""Read image files of any depth as infrared or RGB arrays.

Formats: PNG, JPEG, TIFF, BMP, WebP, PNM and JPEG 2000. Depth is kept: 16 bits stay 16 bits. Pictures come upright.
Files are read as hostile: sizes are checked before anything is decoded, and every failure is a `UserError` that names
the file.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ircolor.errors import UserError, one_line
from ircolor.media.decode import decode, strips_of
from ircolor.media.headers import claim_of
from ircolor.media.intensity import depth_in_use
from ircolor.media.tiff_chain import TIFF_SIGNATURES, page_places

if TYPE_CHECKING:
    from ircolor.media.tiff import TiffPages

Image = NDArray[Any]

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".jpeg", ".jpg", ".jp2", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
# Channels of a "gray" JPEG stored as colour differ by rounding only.
GRAY_TOLERANCE = 2
_HEADER_BYTES = 1 << 16
_MANY_VALUES = 1 << 20  # enough to know quantiles by


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


def images_in(folder: Path) -> list[Path]:
    """The images that lie in a folder, sorted; without hidden ones, such as macOS lays beside files on foreign disks.

    Raises:
        OSError: it cannot be listed.
    """
    return sorted(file for file in folder.iterdir() if is_image(file) and not file.name.startswith("."))


def read_infrared(source: Path | bytes, name: str | None = None) -> Infrared:
    """Read an infrared image; of several pages the first.

    Args:
        source: a file, or the bytes of one.
        name: what to call it in messages; the path when not given.

    Raises:
        UserError: unreadable, empty, truncated, or not an image.
    """
    name = _name(source, name)
    pixels, num_pages = _decode(source, name)
    infrared = to_infrared(pixels, name)
    if num_pages == 1:
        return infrared
    return Infrared(infrared.pixels, (f"only the first of {num_pages} pages was taken", *infrared.notes))


def page_sizes(source: Path | bytes, name: str | None = None) -> list[int | None]:
    """How many px each page of an image file claims to have, without decoding any; None where its header does not say.

    More than one page only in TIFF files. Pages that repeat another one smaller, as pyramids and thumbnails do, are not
    counted.

    Args:
        source: a file, or the bytes of one.
        name: what to call it in messages; the path when not given.

    Raises:
        UserError: unreadable, or a TIFF file whose pages cannot be counted.
    """
    name = _name(source, name)
    with _opened(source, name) as file:
        header = file.read(_HEADER_BYTES)
        if header.startswith(TIFF_SIGNATURES):
            return [place.num_px for place in page_places(file, name)]
    claim = claim_of(header)
    return [claim.height * claim.width if claim else None]


def num_pages(source: Path | bytes, name: str | None = None) -> int:
    """How many pages an image file has; as `page_sizes`."""
    return len(page_sizes(source, name))


def read_pages(source: Path | bytes, name: str | None = None) -> Iterator[Infrared]:
    """Read the pages of an image file as infrared images, each when it is asked for, with one in memory at a time.

    Args:
        source: a file, or the bytes of one; of another format than TIFF it is a single page.
        name: what to call it in messages; the path when not given.

    Raises:
        UserError: as `read_infrared`; names the page.
    """
    name = _name(source, name)
    with _opened(source, name) as file:
        pages = _tiff_pages(file, name)
        if pages is None:
            yield to_infrared(decode(file.read(), name), name)
            return
        for number in range(len(pages)):
            yield to_infrared(pages.read(number), pages.name_of(number))


def read_rgb(source: Path | bytes, name: str | None = None) -> Image:
    """Read a colour image as (H, W, 3) RGB, uint8, uint16 or float32.

    A gray file gets three equal channels.

    Raises:
        UserError: unreadable, empty, truncated, or not an image; float values that are not in [0, 1].
    """
    name = _name(source, name)
    pixels = _checked(_decode(source, name)[0], name)
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
    if np.ma.is_masked(pixels):
        num_masked = np.count_nonzero(np.ma.getmaskarray(pixels))
        raise UserError(f"{name}: {num_masked} values are masked; fill them first, by its method filled")
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
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
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
            pixels = pixels.astype(np.float32, copy=False)
        count = sum(int((~np.isfinite(pixels[rows])).sum()) for rows in strips_of(pixels))
        if count:
            raise UserError(f"{name}: {count} values are NaN or infinite; replace them first, e.g. by numpy.nan_to_num")
    return pixels


def _luma(rgb: Image) -> tuple[Image, bool]:
    """(H, W) of an RGB image, and whether there was any colour in it; gray stored as RGB stays as it is."""
    integer = np.issubdtype(rgb.dtype, np.integer)
    signed = np.int32 if integer else np.float64
    scale = _white(rgb) / 255
    if all(np.ptp(rgb[rows].astype(signed), axis=2).max() <= GRAY_TOLERANCE * scale for rows in strips_of(rgb)):
        return rgb[..., 1], False
    luma = np.empty(rgb.shape[:2], rgb.dtype)
    for rows in strips_of(rgb):
        values = rgb[rows].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        luma[rows] = np.rint(values) if integer else values
    return luma, True


def _white(pixels: Image) -> float:
    """About which value is white: of the depth that is in use, or of floats the brightest but for a few."""
    if pixels.dtype == np.uint8:
        return 255
    if pixels.dtype == np.uint16:
        return (1 << depth_in_use(int(pixels.max()))) - 1
    step = max(1, round((pixels.size / _MANY_VALUES) ** 0.5))
    return max(float(np.quantile(np.abs(pixels[::step, ::step]), 0.999)), 1e-12)


def _name(source: Path | bytes, name: str | None) -> str:
    return name or (str(source) if isinstance(source, Path) else "the image")


@contextmanager
def _opened(source: Path | bytes, name: str) -> Iterator[BinaryIO]:
    """An image file, seekable and not empty."""
    if "\0" in name:
        raise UserError(f"{one_line(name)}: no file can be called so; give its path")
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            seekable: BinaryIO = file if file.seekable() else io.BytesIO(file.read())
            if not seekable.read(1):
                raise UserError(f"{name}: the file is empty; copy it again from its source")
            seekable.seek(0)
            yield seekable
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror}); check the path and its permissions") from error


def _tiff_pages(file: BinaryIO, name: str) -> "TiffPages | None":
    """The pages of a TIFF file; None for files of other formats."""
    signature = file.read(4)
    file.seek(0)
    if signature not in TIFF_SIGNATURES:
        return None
    from ircolor.media.tiff import TiffPages

    return TiffPages(file, name)


def _decode(source: Path | bytes, name: str) -> tuple[Image, int]:
    """The pixels of an image file, upright, in RGB(A) order, (H, W) or (H, W, C); and the number of its pages."""
    with _opened(source, name) as file:
        pages = _tiff_pages(file, name)
        return (pages.read(0), len(pages)) if pages else (decode(file.read(), name), 1)
