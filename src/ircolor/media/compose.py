"""Put pictures side by side, to look at."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

GAP_PX = 4
BAR_PX = 28


def side_by_side(panels: Sequence[NDArray[Any]], captions: Sequence[str] = ()) -> NDArray[Any]:
    """One picture of several, left to right, on white.

    Without captions the strips of pictures give the strips of the picture.

    Args:
        panels: each (H, W) or (H, W, 3), uint8 or uint16, all of one size and type.
        captions: one a panel, ASCII, written in a bar above it; none for no bar.

    Returns:
        (H + bar, side_by_side_width(W, num_panels), 3), of the type of the panels.
    """
    height, width = panels[0].shape[:2]
    bar_px = BAR_PX if captions else 0
    step_px = width + GAP_PX
    dtype = panels[0].dtype
    canvas = np.full((height + bar_px, side_by_side_width(width, len(panels)), 3), np.iinfo(dtype).max, dtype)
    for index, panel in enumerate(panels):
        left = index * step_px
        canvas[bar_px:, left : left + width] = panel if panel.ndim == 3 else panel[..., None]
    for index, caption in enumerate(captions):
        bar = np.full((bar_px, width, 3), 255, np.uint8)
        cv2.putText(bar, caption, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (20, 20, 20), 1, cv2.LINE_AA)
        canvas[:bar_px, index * step_px : index * step_px + width] = bar.astype(dtype) * (np.iinfo(dtype).max // 255)
    return canvas


def side_by_side_width(width: int, num_panels: int) -> int:
    """How wide, in px, the picture of panels of a width is."""
    return num_panels * (width + GAP_PX) - GAP_PX
