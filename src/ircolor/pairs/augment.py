"""Paired augmentation: geometry on both images and the mask, intensity on the infrared side only."""

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
        infrared_gain: largest relative change of the infrared brightness, 0 to below 1.
        infrared_contrast: largest relative change of the infrared contrast about mid-gray, 0 to below 1.
        infrared_gamma: largest change of the infrared gamma, as a factor, e.g. 1.3; 1 leaves it alone.
        infrared_noise: largest standard deviation of white noise on the infrared side, of a range of 1. Half of the
            crops stay without.
    """

    crop_px: int = 224
    flip: bool = False
    scale: tuple[float, float] = (1.0, 1.0)
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
        zoom = float(np.exp(rng.uniform(*np.log(self.scale))))
        # The window is cut first and resized after, so that only what is kept is computed.
        window_px = min(max(round(self.crop_px / zoom), 1), max(self.crop_px, min(infrared.shape)))
        top, left = (int(rng.integers(max(length, window_px) - window_px + 1)) for length in infrared.shape)
        mirror = self.flip and rng.random() < 0.5

        def cut(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
            window = _pad_to(pixels, window_px)[top : top + window_px, left : left + window_px]
            if window_px != self.crop_px:
                window = _resize(window, self.crop_px)
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


def _pad_to(pixels: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    missing = [max(size_px - length, 0) for length in pixels.shape[:2]]
    if not any(missing):
        return pixels
    return np.pad(pixels, [(0, missing[0]), (0, missing[1]), (0, 0)][: pixels.ndim], mode="reflect")


def _resize(pixels: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    shrinks = pixels.shape[0] > size_px
    resized = cv2.resize(pixels, (size_px, size_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)
