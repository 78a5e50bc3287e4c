"""Paired augmentation: geometry on both images and the mask, intensity on the infrared side only."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """What is drawn anew for every visit of a pair. The paper's recipe crops and does nothing else.

    Attributes:
        crop_px: side of the square crop, in px; smaller images are reflect-padded to it.
        flip: mirror left and right, half of the time.
        scale: smallest and largest zoom before cropping, log-uniform; (1, 1) leaves the scale alone. An image is never
            zoomed out so far that the crop would not fit.
        window: in place of the scale, the smallest and largest side of what is cropped, log-uniform, as a share of the
            image's shorter side: small and large images are then seen alike.
        aspect: largest change of the crop's aspect ratio, as a factor, e.g. 1.3; 1 leaves it alone. Needs a window.
        rotation_deg: largest turn to either side. Corners that come from beyond the image are reflected.
        infrared_gain: largest relative change of the infrared brightness, 0 to below 1.
        infrared_contrast: largest relative change of the infrared contrast about mid-gray, 0 to below 1.
        infrared_gamma: largest change of the infrared gamma, as a factor, e.g. 1.3; 1 leaves it alone.
        infrared_noise: largest standard deviation of white noise on the infrared side, of a range of 1. Half of the
            crops stay without.
    """

    crop_px: int = 224
    flip: bool = False
    scale: tuple[float, float] = (1.0, 1.0)
    window: tuple[float, float] | None = None
    aspect: float = 1.0
    rotation_deg: float = 0.0
    infrared_gain: float = 0.0
    infrared_contrast: float = 0.0
    infrared_gamma: float = 1.0
    infrared_noise: float = 0.0

    def __call__(
        self,
        infrared: NDArray[np.uint8],
        rgb: NDArray[np.uint8],
        mask: NDArray[np.bool_] | None,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.bool_] | None]:
        """Draw one training crop.

        Args:
            infrared: (H, W).
            rgb: (H, W, 3), aligned with it.
            mask: (H, W), True where a pixel may be used; None where all may.
            rng: the only source of chance.

        Returns:
            Infrared (crop_px, crop_px) float32 in [0, 1], RGB (crop_px, crop_px, 3) uint8, and the mask (crop_px,
            crop_px), or None where there was none. A pixel of a zoomed crop may be used where all may from which it
            was mixed.
        """
        size = self._window_px(infrared.shape, rng)
        # The window is cut first and resized after, so that only what is kept is computed.
        top, left = (
            int(rng.integers(max(length, side) - side + 1)) for length, side in zip(infrared.shape, size, strict=True)
        )
        mirror = self.flip and rng.random() < 0.5
        turn_deg = rng.uniform(-1, 1) * self.rotation_deg if self.rotation_deg else 0.0

        def cut(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
            padded = _pad_to(pixels, size)
            if turn_deg:
                window = _turned(padded, (top, left), size, self.crop_px, turn_deg)
            else:
                window = padded[top : top + size[0], left : left + size[1]]
                if size != (self.crop_px, self.crop_px):
                    window = _resize(window, (self.crop_px, self.crop_px))
            return window[:, ::-1] if mirror else window

        unit = cut(infrared).astype(np.float32) / 255
        if self.infrared_contrast:
            unit = (unit - 0.5) * (1 + rng.uniform(-1, 1) * self.infrared_contrast) + 0.5
        if self.infrared_gain:
            unit = unit * (1 + rng.uniform(-1, 1) * self.infrared_gain)
        if self.infrared_gamma != 1:
            unit = np.clip(unit, 0, 1) ** (self.infrared_gamma ** rng.uniform(-1, 1))
        if self.infrared_noise and rng.random() < 0.5:
            unit = unit + rng.uniform(0, self.infrared_noise) * rng.standard_normal(unit.shape, np.float32)
        usable = None if mask is None else cut(mask.view(np.uint8) * 255) == 255
        return np.clip(unit, 0, 1, dtype=np.float32), np.ascontiguousarray(cut(rgb)), usable

    def _window_px(self, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, int]:
        """Draw the height and width of what becomes one crop, before any turn."""
        if self.window is None:
            zoom = float(np.exp(rng.uniform(*np.log(self.scale))))
            side = min(max(round(self.crop_px / zoom), 1), max(self.crop_px, min(shape)))
            return side, side
        edge = float(np.exp(rng.uniform(*np.log(self.window)))) * min(shape)
        stretch = math.sqrt(self.aspect ** rng.uniform(-1, 1)) if self.aspect != 1 else 1.0
        height, width = (
            min(max(round(wanted), 1), length)
            for wanted, length in zip((edge * stretch, edge / stretch), shape, strict=True)
        )
        return height, width


def _pad_to(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    missing = [max(side - length, 0) for side, length in zip(size, pixels.shape, strict=False)]
    if not any(missing):
        return pixels
    return np.pad(pixels, [(0, missing[0]), (0, missing[1]), (0, 0)][: pixels.ndim], mode="reflect")


def _resize(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    shrinks = pixels.shape[0] > size[0]
    resized = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def _turned(
    pixels: NDArray[np.uint8], corner: tuple[int, int], size: tuple[int, int], crop_px: int, turn_deg: float
) -> NDArray[np.uint8]:
    """Cut a window that is turned about its centre, as a square of `crop_px`.

    Args:
        pixels: (H, W) or (H, W, 3).
        corner: top and left of the window before the turn.
        size: its height and width.
        crop_px: side of the result.
        turn_deg: the turn.
    """
    # Bilinear sampling skips pixels where it shrinks: what remains to be shrunk after this is less than half.
    shrink = max(min(size) / crop_px, 1.0)
    if shrink > 1:
        pixels = _resize(pixels, (max(round(pixels.shape[0] / shrink), 1), max(round(pixels.shape[1] / shrink), 1)))
    centre_x, centre_y = (corner[1] + size[1] / 2) / shrink, (corner[0] + size[0] / 2) / shrink
    cos, sin = math.cos(math.radians(turn_deg)) / shrink, math.sin(math.radians(turn_deg)) / shrink
    to_source = np.array(
        [[cos * size[1], -sin * size[0], 0.0], [sin * size[1], cos * size[0], 0.0]]  # of the crop, a unit square
    ) / [crop_px, crop_px, 1]
    middle = (crop_px - 1) / 2
    to_source[:, 2] = np.array([centre_x - 0.5, centre_y - 0.5]) - to_source[:, :2] @ [middle, middle]
    turned = cv2.warpAffine(
        pixels,
        to_source,
        (crop_px, crop_px),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(turned, np.uint8)
