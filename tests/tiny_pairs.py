"""Tiny seeded infrared-RGB pairs on disk, and where the real ones lie."""

import csv
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

DATA = Path(os.environ.get("IRCOLOR_DATA", Path(__file__).parents[2] / "shared" / "data"))


def real_data(test: object) -> object:
    """Mark a test that needs the real pairs."""
    absent = not (DATA / "index.csv").is_file()
    skip = pytest.mark.skipif(absent, reason="real pairs not found in $IRCOLOR_DATA or ../shared/data")
    return pytest.mark.real_data(skip(test))


def scene(height: int, width: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Blobs whose infrared brightness tells their colour: (H, W) and (H, W, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4), dtype=np.uint8)
    infrared = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return infrared, np.stack([255 - infrared, infrared, infrared // 2], axis=2)


def write_pairs(folder: Path, stems: list[str], size: tuple[int, int] = (40, 48)) -> Path:
    """Write `infrared/STEM.png` and `rgb/STEM.png` for each stem; returns the folder."""
    for seed, stem in enumerate(stems):
        infrared, rgb = scene(*size, seed)
        for kind, pixels in (("infrared", infrared), ("rgb", rgb[..., ::-1])):
            file = folder / kind / f"{stem}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(file), pixels)
    return folder


def write_mask(folder: Path, stem: str, usable: NDArray[np.bool_]) -> None:
    """Write `mask/STEM.png`, 255 where a pixel is usable."""
    (folder / "mask").mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / "mask" / f"{stem}.png"), usable * np.uint8(255))


def write_index(folder: Path, rows: list[dict[str, str]]) -> Path:
    """Write an `index.csv` that names `infrared/STEM.png` and `rgb/STEM.png` with further columns."""
    rows = [{"infrared": f"infrared/{r['stem']}.png", "rgb": f"rgb/{r['stem']}.png"} | r for r in rows]
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder
