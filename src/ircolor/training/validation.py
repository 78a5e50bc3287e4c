"""How good a network is on the validation pairs: scores of whole 8-bit images, and pictures to look at."""

from pathlib import Path

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray

from ircolor.atomic import write_atomic
from ircolor.metrics import chroma_gain, colorfulness, colorfulness_ratio, psnr_db, usable_pixels
from ircolor.nets import ColorizingNet
from ircolor.nets.lab import delta_e_2000, rgb_to_lab
from ircolor.pairs.dataset import LoadedPairs
from ircolor.pairs.index import spread_evenly
from ircolor.training.colorized import colorized
from ircolor.view import View

GRID_ROWS = 6
GRID_CELL_PX = (180, 240)  # height, width


def validate(
    net: ColorizingNet,
    pairs: LoadedPairs,
    accelerator: Accelerator,
    picture: Path,
    *,
    view: View,
) -> dict[str, float]:
    """Colorize every validation image whole and compare it with the truth.

    Args:
        net: the network; put into eval mode here and back after.
        pairs: validation pairs.
        accelerator: for its device and precision.
        picture: where the grid (infrared, predicted, true) of a few of the pairs is written, as PNG.
        view: as of the recipe.

    Returns:
        By name of the function in `ircolor.metrics`: means over images, and the two ratios of means; over usable pixels
        where a pair has a mask.
    """
    net.eval()
    scores, rows = [], []
    shown = spread_evenly(GRID_ROWS, len(pairs))
    for number in range(len(pairs)):
        infrared, true_rgb, mask = pairs[number]
        pred_rgb = colorized(net, infrared, view, accelerator)
        scores.append(_score(usable_pixels(pred_rgb, mask), usable_pixels(true_rgb, mask)))
        if number in shown:
            rows.append([np.repeat(infrared[..., None], 3, axis=2), pred_rgb, true_rgb])
    net.train()
    write_atomic(picture, _grid_png(rows))
    psnr, delta_e, chroma_error, gray_chroma_error, colors, true_colors = np.transpose(scores)
    return {
        "psnr_db": float(psnr.mean()),
        "delta_e_2000": float(delta_e.mean()),
        "chroma_gain": chroma_gain(chroma_error, gray_chroma_error),
        "colorfulness_ratio": colorfulness_ratio(colors, true_colors),
    }


def _score(pred_rgb: NDArray[np.uint8], true_rgb: NDArray[np.uint8]) -> tuple[float, ...]:
    """PSNR, CIEDE2000, chroma error, that of gray, colourfulness of both; without scikit-image, which is an extra."""
    pred_lab, true_lab = (
        rgb_to_lab(torch.from_numpy(rgb).movedim(-1, 0)[None].float() / 255) for rgb in (pred_rgb, true_rgb)
    )
    difference = delta_e_2000(pred_lab, true_lab).mean()
    errors = [(ab - true_lab[:, 1:]).norm(dim=1).mean() for ab in (pred_lab[:, 1:], torch.zeros(()))]
    return (
        psnr_db(pred_rgb, true_rgb),
        float(difference),
        *map(float, errors),
        colorfulness(pred_rgb),
        colorfulness(true_rgb),
    )


def _grid_png(rows: list[list[NDArray[np.uint8]]]) -> bytes:
    """PNG of rows of images (H, W, 3), each fitted into a cell of one size."""
    height, width = GRID_CELL_PX
    cells = [[cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in row] for row in rows]
    grid = np.vstack([np.hstack(row) for row in cells])
    return bytes(cv2.imencode(".png", cv2.cvtColor(grid, cv2.COLOR_RGB2BGR))[1])
