"""Put pictures side by side, to look at."""

from collections.abc import Sequence

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
        bar = np.full((bar_px, width, 3), 255, np.uint8)
        cv2.putText(bar, caption, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (20, 20, 20), 1, cv2.LINE_AA)
        canvas[:bar_px, index * step_px : index * step_px + width] = bar
    return canvas
