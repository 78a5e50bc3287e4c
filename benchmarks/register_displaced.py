"""Does registration hold where it is hard: thermal images, and rigs with dark and textureless frames?

Aligned pairs are displaced by known similarities. Thermal: each pair of `roadscene` by one of its own; corner error and
verdicts. Rig: 20 pairs of `nirscene` share one displacement, and five of them are made black or blank; the whole
`ircolor register --rig` runs on them.

    python benchmarks/register_displaced.py --data ../shared/data -o benchmarks/results/register_displaced.json
"""

import subprocess
import sys
import tempfile
from operator import itemgetter
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ircolor.media.encode import write_image
from ircolor.pairs.index import Pair, find_pairs, spread_evenly
from ircolor.registration.estimate import estimate
from ircolor.registration.parallel import each_done
from ircolor.registration.table import TABLE_NAME, read_table
from machine import argument_parser, report
from register_nirscene import LOST_PX, Image, Matrix, corner_error_px

NUM_FRAMES, NUM_DARK, NUM_BLANK = 20, 3, 2
HEIGHT, WIDTH = 640, 960  # of the frames of the rig, which are cut to it


def displacement(size: tuple[int, ...], rng: np.random.Generator) -> Matrix:
    """A similarity about the middle: up to 10 degrees, 10 % of size, 8 % of the width."""
    height, width = size[:2]
    centre = (width - 1) / 2, (height - 1) / 2
    matrix = np.vstack([cv2.getRotationMatrix2D(centre, rng.uniform(-10, 10), rng.uniform(0.9, 1.1)), [0, 0, 1]])
    matrix[:2, 2] += rng.uniform(-0.08, 0.08, 2) * width
    return matrix


def displace(image: Image, matrix: Matrix) -> Image:
    """The image moved by a matrix, at its size."""
    return np.asarray(cv2.warpPerspective(image, matrix, image.shape[1::-1], flags=cv2.INTER_CUBIC))


def lost_or_error_px(matrix: Matrix, truth: Matrix, size: tuple[int, ...]) -> float:
    """The corner error; LOST_PX at most, and where nothing was found."""
    return min(corner_error_px(matrix, truth, size), LOST_PX) if np.isfinite(matrix).all() else LOST_PX


def thermal(numbered: tuple[int, Pair]) -> dict[str, Any]:
    """Displace a pair, estimate it, and compare."""
    number, pair = numbered
    infrared, rgb = pair.read()
    truth = displacement(infrared.shape, np.random.default_rng(number))
    found = estimate(rgb, displace(infrared, truth))
    matrix = found.warp.matrix if found.warp else np.full((3, 3), np.nan)
    return {
        "stem": pair.stem,
        "corner_error_px": lost_or_error_px(matrix, truth, rgb.shape),
        "verdict": found.verdict,
        "model": found.warp.model if found.warp else None,
    }


def rig(pairs: list[Pair], workers: int) -> list[dict[str, Any]]:
    """Write frames that share one displacement, register them as a rig, and compare."""
    frames = [pair for pair in pairs if int(pair.columns["height"]) >= HEIGHT and int(pair.columns["width"]) >= WIDTH]
    frames = [frames[number] for number in spread_evenly(NUM_FRAMES, len(frames))]
    rng = np.random.default_rng(0)
    hard = rng.permutation(len(frames))[: NUM_DARK + NUM_BLANK].tolist()
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = displacement((HEIGHT, WIDTH), rng)
        for number, pair in enumerate(frames):
            infrared, rgb = (image[:HEIGHT, :WIDTH] for image in pair.read())
            if number in hard[:NUM_DARK]:
                rgb = np.clip(rgb * 0.03 + rng.normal(0, 1.5, rgb.shape), 0, 255).astype(np.uint8)
            elif number in hard:
                rgb = np.clip(rng.normal(120, 1.5, rgb.shape), 0, 255).astype(np.uint8)
            write_image(folder / "rgb" / f"{pair.stem}.png", rgb)
            write_image(folder / "infrared" / f"{pair.stem}.png", displace(infrared, truth))
        command = [sys.executable, "-m", "ircolor", "register", "--rig", "--workers", str(workers)]
        command += ["--rgb", str(folder / "rgb"), "--infrared", str(folder / "infrared"), "-o", str(folder / "pairs")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        table = {row.stem: row for row in read_table(folder / "pairs" / TABLE_NAME)}
    for number, pair in enumerate(frames):
        row = table[pair.stem]
        kind = "dark" if number in hard[:NUM_DARK] else "blank" if number in hard else "plain"
        error_px = lost_or_error_px(row.matrix, truth, (HEIGHT, WIDTH))
        results.append({"stem": pair.stem, "kind": kind, "corner_error_px": error_px, "verdict": row.verdict})
    return results


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--workers", type=int, default=2)
    wanted = parser.parse_args()
    pairs = find_pairs(wanted.data)
    frames = rig([pair for pair in pairs if pair.columns["dataset"] == "nirscene"], wanted.workers)
    road = [pair for pair in pairs if pair.columns["dataset"] == "roadscene"]
    done = each_done(thermal, list(enumerate(road)), wanted.workers)
    images = [result for _, result in sorted(done, key=itemgetter(0))]
    errors_px = np.array([image["corner_error_px"] for image in images])
    accepted = np.array([image["verdict"] == "accept" for image in images])
    result = {
        "question": "corner error of registration on displaced thermal pairs, and in a rig with dark and blank frames",
        "thermal": {
            "pairs": len(images),
            "below_5px": round(float((errors_px < 5).mean()), 4),
            "accepted": int(accepted.sum()),
            "accepted_though_10px_off": int((accepted & (errors_px > 10)).sum()),
            "worst_accepted_px": round(float(errors_px[accepted].max()), 2),
        },
        "rig": {
            kind: {
                "frames": sum(frame["kind"] == kind for frame in frames),
                "worst_corner_error_px": round(max(f["corner_error_px"] for f in frames if f["kind"] == kind), 2),
                "verdicts": sorted(frame["verdict"] for frame in frames if frame["kind"] == kind),
            }
            for kind in ("plain", "dark", "blank")
        },
        "images": {"thermal": images, "rig": frames},
    }
    report(result, wanted.output, unprinted=["images"], workers=wanted.workers)


if __name__ == "__main__":
    main()
