"""Put pictures side by side, to look at."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

GAP_PX = 4
BAR_PX = 28


def side_by_side(panels: Sequence[NDArray[np.uint8]], captions: Sequence[str] = ()) -> NDArray[np.uint8]:
    """One picture of several, left to right, on white.

    Args:
        panels: each (H, W) or (H, W, 3), uint8, all of one size.
        captions: one a panel, ASCII, written in a bar above it; none for no bar.

    Returns:
        (H + bar, num_panels * (W + gap) - gap, 3), uint8.
    """
    height, width = panels[0].shape[:2]
    bar_px = BAR_PX if captions else 0
    step_px = width + GAP_PX
    canvas = np.full((height + bar_px, len(panels) * step_px - GAP_PX, 3), 255, np.uint8)
    for index, panel in enumerate(panels):
        left = index * step_px
        canvas[bar_px:, left : left + width] = panel if panel.ndim == 3 else panel[..., None]
    for index, caption in enumerate(captions):
        _write(canvas, caption, index * step_px + 6)
    return canvas


def _write(canvas: NDArray[Any], text: str, left_px: int) -> None:
    cv2.putText(canvas, text, (left_px, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (20, 20, 20), 1, cv2.LINE_AA)
