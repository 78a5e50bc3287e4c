"""Find images that are the same, or nearly: recompressed, resized, a little brighter or darker, mirrored.

Same means the same decoded pixels. Nearly the same must hold twice: of a perceptual hash, which all images are compared
by, and of a small version of the image. Of the real pairs at hand, the closest two different photographs of a data set
lie 74 bits apart (two video frames of one place: 48, at a correlation of 0.91); copies recompressed at JPEG quality 30
or resized to a quarter lie within 20.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_DISTANCE_BITS = 56  # of 255
MIN_CORRELATION = 0.95
_DCT_PX = 64
_HASH_PX = 16  # the lowest frequencies, in each direction
_THUMBNAIL_PX = 32
_BLOCK = 256  # rows of the comparison of all with all that are held in memory

Group = tuple[int, ...]


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of an image.

    Attributes:
        digest: of its decoded pixels and their shape.
        bits: (4,) uint64, the signs of 255 low frequencies of its luma.
        thumbnail: (32, 32) float32, its luma made small, of mean 0 and norm 1; all 0 where it is flat.
    """

    digest: bytes
    bits: NDArray[np.uint64]
    thumbnail: NDArray[np.float32]


def fingerprint(pixels: NDArray[np.uint8]) -> Fingerprint:
    """The fingerprint of an infrared (H, W) or RGB (H, W, 3) image, uint8."""
    digest = hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).data).digest()
    luma = pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    frequencies = cv2.dct(_resized(luma, _DCT_PX))[:_HASH_PX, :_HASH_PX]
    positive = frequencies > 0
    positive[0, 0] = False  # the mean, which is always positive
    thumbnail = _resized(luma, _THUMBNAIL_PX)
    thumbnail -= thumbnail.mean()
    return Fingerprint(digest, _packed(positive), thumbnail / max(float(np.linalg.norm(thumbnail)), 1.0))


def exact_groups(prints: Sequence[Fingerprint]) -> list[Group]:
    """The numbers of images that are the same, pixel for pixel: a tuple of at least two for each such image."""
    members: dict[bytes, list[int]] = defaultdict(list)
    for number, one in enumerate(prints):
        members[one.digest].append(number)
    return [tuple(group) for group in members.values() if len(group) > 1]


def near_groups(prints: Sequence[Fingerprint], *, mirrored: bool = False) -> list[Group]:
    """The numbers of images that are nearly the same (also exactly), directly or by way of others of their group.

    Args:
        prints: of all images.
        mirrored: compare each with the mirror image of the others instead (left and right swapped).
    """
    if not prints:
        return []
    bits, thumbnails = np.stack([one.bits for one in prints]), np.stack([one.thumbnail for one in prints])
    others, other_thumbnails = bits, thumbnails
    if mirrored:
        others, other_thumbnails = bits ^ _MIRRORING, thumbnails[..., ::-1]
    flat, other_flat = thumbnails.reshape(len(prints), -1), other_thumbnails.reshape(len(prints), -1)
    groups = np.arange(len(prints))
    for start in range(0, len(prints), _BLOCK):
        distance = np.zeros((len(bits[start : start + _BLOCK]), len(prints)), np.uint16)
        for word in range(bits.shape[1]):
            distance += np.bitwise_count(bits[start : start + _BLOCK, None, word] ^ others[None, :, word])
        close = distance <= MAX_DISTANCE_BITS
        close[np.arange(len(close)), start + np.arange(len(close))] = False
        rows, columns = np.flatnonzero(close.any(axis=1)), np.flatnonzero(close.any(axis=0))
        alike = close[np.ix_(rows, columns)] & (flat[start + rows] @ other_flat[columns].T >= MIN_CORRELATION)
        for row, hits in zip(rows, alike, strict=True):
            joined = groups[np.append(columns[hits], start + row)]
            groups[np.isin(groups, joined)] = joined.min()
    names, sizes = np.unique(groups, return_counts=True)
    return [tuple(np.flatnonzero(groups == name).tolist()) for name in names[sizes > 1]]


def _resized(luma: NDArray[np.uint8], side_px: int) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(luma.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_AREA))


def _packed(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    return np.packbits(flags).view(np.uint64)


# Mirroring an image turns the sign of its horizontally odd frequencies.
_MIRRORING = _packed(np.broadcast_to(np.arange(_HASH_PX) % 2 == 1, (_HASH_PX, _HASH_PX)))
