"""Decode the pages of TIFF files, one at a time: by tifffile, which keeps every depth, or by OpenCV for other codecs.

Only what lies in the file itself is read: OME and other descriptions that refer to further files are not followed.
"""

import io
import logging
import mmap
import struct
import zlib
from typing import Any, BinaryIO

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.media.decode import check_size, strips_of, to_rgb
from ircolor.media.intact import DEFLATE_RATIO
from ircolor.media.orientation import upright
from ircolor.media.tiff_chain import Place, page_places

_UNCOMPRESSED, _DEFLATE = 1, (8, 32946)
_PREDICTORS = (1, 2)
_BITS = (1, 8, 16, 32, 64)
_PACKED_BITS = (10, 12, 14)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = range(4)
_ORIENTATION, _EXTRA_SAMPLES = 274, 338
_PLANAR, _FLOAT, _UNASSOCIATED = 2, 3, 2
_MAX_CHANNELS = 4
# A strip that could inflate to less needs no proof of its size.
_HARMLESS_BYTES = 1 << 28

# What it says is told by our own errors, once.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class TiffPages:
    """The pages of a TIFF file in full size, to be decoded one at a time; the file stays open."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        """Find the pages.

        Args:
            file: opened for reading; seekable.
            name: what to call it in messages.

        Raises:
            UserError: it is not whole.
        """
        self._file, self._name = file, name
        self._places = page_places(file, name)
        file.seek(0)
        try:
            self._tiff = tifffile.TiffFile(file)
            told = (self._tiff.imagej_metadata or {}).get("images", 1)
        except Exception as error:
            raise _undecodable(name, error) from error
        if len(self) == 1 and isinstance(told, int) and told > 1:
            raise UserError(f"{name}: ImageJ keeps its {told} pages as one; save it there as an image sequence")

    def __len__(self) -> int:
        """The number of pages."""
        return len(self._places)

    def name_of(self, number: int) -> str:
        """What to call a page in messages."""
        return f"{self._name} page {number + 1} of {len(self)}" if len(self) > 1 else self._name

    def read(self, number: int) -> NDArray[Any]:
        """The pixels of a page as stored, but upright, with black at 0, and with the colours of its palette.

        Args:
            number: of the page, from 0.

        Returns:
            (H, W), or (H, W, C) in RGB(A) order.

        Raises:
            UserError: damaged, too large, or of a kind that is not read; names the page.
        """
        name, place = self.name_of(number), self._places[number]
        try:
            self._tiff.filehandle.seek(place.offset)
            page = tifffile.TiffPage(self._tiff, place.number)
            self._check(page, name)
            by_tifffile = page.compression in (_UNCOMPRESSED, *_DEFLATE) and page.predictor in _PREDICTORS
            if by_tifffile and page.bitspersample in _BITS and page.photometric in range(4):
                return self._by_tifffile(page, name)
            return self._by_opencv(page, place, name)
        except (UserError, MemoryError):
            raise
        except Exception as error:  # tifffile raises whatever its parsing stumbles on
            raise _undecodable(name, error) from error

    def _check(self, page: tifffile.TiffPage, name: str) -> None:
        """Refuse a page before decoding that would take too much memory or time, or is not whole."""
        check_size(page.imagelength, page.imagewidth, name)
        check_size(page.tilelength, page.tilewidth, name)
        if page.imagedepth != 1 or not 1 <= page.samplesperpixel <= _MAX_CHANNELS:
            channels = page.imagedepth * page.samplesperpixel
            raise UserError(f"{name}: has {channels} channels; give gray or RGB, with or without transparency")
        file_bytes = self._tiff.filehandle.size
        places = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        if np.prod(page.chunked, dtype=np.int64) > len(places):
            raise UserError(f"{name}: the TIFF file lacks parts of its picture; copy it again from its source")
        if any(count < 1 or offset < 1 or offset + count > file_bytes for offset, count in places):
            raise UserError(f"{name}: the TIFF file is truncated or damaged; copy it again from its source")
        if page.compression in _DEFLATE:
            chunk_bytes = int(np.prod(page.chunks)) * page.samplesperpixel * 8
            for offset, count in places:
                if count * DEFLATE_RATIO > _HARMLESS_BYTES:
                    self._check_inflates(offset, count, chunk_bytes, name)

    def _check_inflates(self, offset: int, count: int, most_bytes: int, name: str) -> None:
        """Inflate a part of the picture in small pieces, to see that it holds no more than it may."""
        self._tiff.filehandle.seek(offset)
        rest = self._tiff.filehandle.read(count)
        unpacker = zlib.decompressobj()
        total_bytes = 0
        while rest and not unpacker.eof:
            total_bytes += len(unpacker.decompress(rest, 1 << 22))
            rest = unpacker.unconsumed_tail
            if total_bytes > most_bytes:
                raise UserError(f"{name}: the TIFF file is damaged (holds more than its size); copy it again")

    def _by_tifffile(self, page: tifffile.TiffPage, name: str) -> NDArray[Any]:
        pixels: NDArray[Any] = np.asarray(page.asarray())
        if pixels.size == 0:
            raise UserError(f"{name}: the TIFF file is damaged (no pixels, or of no known type); copy it again")
        if page.axes == "SYX":
            pixels = np.moveaxis(pixels, 0, -1)  # channels are stored one after the other
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        if page.photometric in (_PALETTE, _WHITE_IS_ZERO) and pixels.dtype not in (np.bool_, np.uint8, np.uint16):
            raise UserError(
                f"{name}: {pixels.dtype} values with a palette or whose 0 is white; store them with 0 as black"
            )
        if page.photometric == _PALETTE:
            table = (np.asarray(page.colormap) >> 8).astype(np.uint8).T
            coloured = np.empty((*pixels.shape, 3), np.uint8)
            for rows in strips_of(coloured):
                coloured[rows] = table[pixels[rows].astype(np.intp)]
            pixels = coloured
        elif page.photometric == _WHITE_IS_ZERO:
            np.invert(pixels, out=pixels)
        orientation = page.tags.valueof(_ORIENTATION)
        return upright(pixels, orientation if orientation in range(1, 9) else 1)

    def _by_opencv(self, page: tifffile.TiffPage, place: Place, name: str) -> NDArray[Any]:
        """OpenCV heeds orientation and palette by itself, and in 8 bits the meaning of 0."""
        deep, white_is_zero = page.bitspersample > 8, page.photometric == _WHITE_IS_ZERO
        planar = page.planarconfig == _PLANAR and page.samplesperpixel > 1
        if deep and (planar or page.samplesperpixel == 2 or (white_is_zero and page.sampleformat == _FLOAT)):
            kind = "channels one after the other" if planar else "transparency" if not white_is_zero else "0 as white"
            raise UserError(
                f"{name}: {page.bitspersample} bits with {kind}, compressed; store it uncompressed, or as zip"
            )
        held: Any
        if isinstance(self._file, io.BytesIO):
            held = self._file.getbuffer()
        else:
            held = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)
        with held as buffer:
            self._make_first(page, place, buffer)
            data = np.frombuffer(buffer, np.uint8)
            try:
                decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            except cv2.error as error:
                raise _undecodable(name, error) from error
            finally:
                del data  # or the mapping could not be closed
        if decoded is None:
            raise UserError(f"{name}: the TIFF file cannot be decoded; is it whole, and in a common compression?")
        if decoded.ndim == 3 and decoded.dtype not in (np.uint8, np.uint16, np.float32):
            raise UserError(f"{name}: colours of type {decoded.dtype}; convert them to uint8, uint16 or float32 first")
        pixels = to_rgb(decoded)
        bits = page.bitspersample if page.bitspersample in _PACKED_BITS else 16
        if pixels.dtype == np.uint16:
            pixels >>= 16 - bits  # OpenCV shifts them up; an intensity rule counts in stored units
            if white_is_zero:
                np.subtract((1 << bits) - 1, pixels, out=pixels)
        return pixels

    def _make_first(self, page: tifffile.TiffPage, place: Place, copy: "memoryview | mmap.mmap") -> None:
        """Change a copy of the file so that OpenCV decodes a page at once, and its colours as they are stored.

        It walks through all pages before one, each time, and multiplies colours by a transparency that is apart.
        """
        numbers = self._tiff.byteorder + ("Q" if self._tiff.is_bigtiff else "I")
        struct.pack_into(numbers, copy, 8 if self._tiff.is_bigtiff else 4, place.offset)
        extra = page.tags.get(_EXTRA_SAMPLES)
        if extra is not None and page.extrasamples == (_UNASSOCIATED,):
            struct.pack_into(self._tiff.byteorder + "H", copy, extra.valueoffset, 0)


def _undecodable(name: str, error: Exception) -> UserError:
    return UserError(f"{name}: the TIFF file cannot be decoded ({brief(error)}); is it whole?")
