"""How good a network is on the validation pairs: whole images, 8-bit PSNR, and pictures to look at."""

from pathlib import Path

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray

from ircolor.atomic import write_atomic
from ircolor.metrics import psnr_db, usable_pixels
from ircolor.nets import ColorizingNet
from ircolor.pairs.dataset import LoadedPairs
from ircolor.pairs.index import spread_evenly

GRID_ROWS = 6
GRID_CELL_PX = (180, 240)  # height, width


def validate(
    net: ColorizingNet,
    pairs: LoadedPairs,
    accelerator: Accelerator,
    picture: Path,
    channels_last: bool,
) -> float:
    """Colorize every validation image whole and compare it with the truth.

    Args:
        net: the network; put into eval mode here and back after.
        pairs: validation pairs.
        accelerator: for its device and precision.
        picture: where the grid (infrared, predicted, true) of a few of the pairs is written, as PNG.
        channels_last: memory format of the images.

    Returns:
        Mean over images of the PSNR in dB, over usable pixels where a pair has a mask.
    """
    net.eval()
    scores, rows = [], []
    shown = spread_evenly(GRID_ROWS, len(pairs))
    for number in range(len(pairs)):
        infrared, true_rgb, mask = pairs[number]
        images = torch.from_numpy(infrared).to(accelerator.device)[None, None].float() / 127.5 - 1
        if channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), accelerator.autocast():
            predicted = net(images)[0].float()
        pred_rgb = ((predicted.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
        scores.append(psnr_db(usable_pixels(pred_rgb, mask), usable_pixels(true_rgb, mask)))
        if number in shown:
            rows.append([np.repeat(infrared[..., None], 3, axis=2), pred_rgb, true_rgb])
    net.train()
    write_atomic(picture, _grid_png(rows))
    return float(np.mean(scores))


def _grid_png(rows: list[list[NDArray[np.uint8]]]) -> bytes:
    """PNG of rows of images (H, W, 3), each fitted into a cell of one size."""
    height, width = GRID_CELL_PX
    cells = [[cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in row] for row in rows]
    grid = np.vstack([np.hstack(row) for row in cells])
    return bytes(cv2.imencode(".png", cv2.cvtColor(grid, cv2.COLOR_RGB2BGR))[1])
