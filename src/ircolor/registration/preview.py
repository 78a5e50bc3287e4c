"""Small pictures of a pair from which a person sees at once whether it is aligned."""

from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.media.encode import encode_image
from ircolor.media.images import Image
from ircolor.media.intensity import IntensityRule
from ircolor.registration.aligned import AlignedPair
from ircolor.registration.resample import shrink

PreviewKind = Literal["checkerboard", "edges", "before"]
KINDS: tuple[PreviewKind, ...] = get_args(PreviewKind)
PREVIEW_FOLDER = "preview"
SHOWN_PX = 480
NUM_TILES = 8
# A page of 2000 pairs holds three pictures of each: at this quality, 17 KB a picture.
JPEG_QUALITY = 40
RGB_EDGES = np.array([255, 96, 0], np.float32)
# The two add up to white where edges coincide.
INFRARED_EDGES = 255 - RGB_EDGES
GRAY_SHARE = 0.3
SURROUNDINGS_PX = 20
NOISE_GRADIENT = 30
# Multiples of the gradient around, from which an edge shows and at which it is brightest.
EDGE_FROM, EDGE_FULL = 1.2, 2.5


def previews(rgb: Image, infrared: Image, aligned: AlignedPair | None) -> dict[PreviewKind, bytes]:
    """The pictures of a pair as JPEG files.

    Args:
        rgb: (H, W, 3) as it came.
        infrared: (h, w) as it came.
        aligned: the two after warping; None where no transform was found: there is then nothing but `before`.
    """
    height, width = infrared.shape
    before = edge_overlay(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), infrared)
    pictures: dict[PreviewKind, NDArray[np.uint8]] = {"before": before}
    if aligned is not None:
        pictures["checkerboard"] = checkerboard(aligned.rgb, aligned.infrared)
        pictures["edges"] = edge_overlay(aligned.rgb, aligned.infrared)
    return {kind: encode_image(picture, ".jpg", jpeg_quality=JPEG_QUALITY) for kind, picture in pictures.items()}


def preview_file(folder: Path, stem: str, kind: PreviewKind) -> Path:
    """Where a picture lies in the folder of the pairs."""
    return folder / PREVIEW_FOLDER / f"{stem}_{kind}.jpg"


def checkerboard(rgb: Image, infrared: Image) -> NDArray[np.uint8]:
    """Tiles that show the two in turn, eight along the longer side: lines run on across tiles where they are aligned.

    Args:
        rgb: (H, W, 3) of any depth.
        infrared: (H, W) of any depth.

    Returns:
        (h, w, 3), at most 480 px high and wide.
    """
    shown_rgb, shown_infrared = _shown(rgb), _shown(infrared)
    rows, columns = (np.arange(length) * NUM_TILES // max(shown_infrared.shape) for length in shown_infrared.shape)
    in_colour = (rows[:, None] + columns) % 2 == 0
    return np.where(in_colour[..., None], shown_rgb, shown_infrared[..., None])


def edge_overlay(rgb: Image, infrared: Image) -> NDArray[np.uint8]:
    """The infrared image in dim gray below the edges of both: orange of the RGB, blue of the infrared, white of both.

    Args:
        rgb: (H, W, 3) of any depth.
        infrared: (H, W) of any depth.

    Returns:
        (h, w, 3), at most 480 px high and wide.
    """
    shown_rgb, shown_infrared = _shown(rgb), _shown(infrared)
    luma = np.asarray(cv2.cvtColor(shown_rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    dim = GRAY_SHARE * shown_infrared[..., None]
    rgb_edges = _edge_strength(luma)[..., None] * RGB_EDGES
    infrared_edges = _edge_strength(shown_infrared)[..., None] * INFRARED_EDGES
    return np.asarray((dim + rgb_edges + infrared_edges).clip(0, 255), np.uint8)


def _shown(pixels: Image) -> NDArray[np.uint8]:
    """An image scaled to at most SHOWN_PX and stretched in brightness, so that dark ones show something."""
    small, _ = shrink(pixels, SHOWN_PX)
    return np.rint(IntensityRule("percentile").window(small).apply(small) * 255).astype(np.uint8)


def _edge_strength(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much each pixel of (H, W) is an edge among its surroundings, in [0, 1], whichever side is brighter."""
    smooth = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 0.8)
    gradient = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    # Relative to what is around, so that a path in the shade counts as much as a roof against the sky; the constant
    # keeps noise out.
    relative = gradient / (cv2.GaussianBlur(gradient, (0, 0), SURROUNDINGS_PX) + NOISE_GRADIENT)
    return np.asarray(((relative - EDGE_FROM) / (EDGE_FULL - EDGE_FROM)).clip(0, 1), np.float32)
