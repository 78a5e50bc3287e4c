"""How much memory, and how long, does an image of 100 megapixels take from file to file?

Each case runs `ircolor colorize` in a fresh process. With --model narrow, a network
of one convolution, the numbers are those of reading, cutting and writing alone.

    python benchmarks/large_image.py --model narrow -o benchmarks/results/large_image_narrow.json
    python benchmarks/large_image.py --case 8-bit.png:rgb.png -o benchmarks/results/large_image.json
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cold_start import peak_bytes
from ircolor.media.scene import draw_road_scene
from machine import argument_parser, report
from narrow import write_narrow_model

# Input and output; the depth of the output follows from its name.
CASES = (
    "8-bit.png:rgb.png",
    "8-bit.tiff:rgb.tiff",
    "16-bit.png:rgb.png",
    "16-bit.tiff:rgb-16.tiff",
    "16-bit.png:rgb-16.png",
    "colour.png:rgb.png",
)
LIMIT_BYTES = 1_500_000_000


def draw(path: Path, side_px: int) -> None:
    """Write a road scene with the noise of a sensor: noise is what compresses worst."""
    scene, _ = draw_road_scene(500, 500)
    large = cv2.resize(scene, (side_px, side_px), interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(0).integers(0, 8, large.shape, np.uint8)
    pixels: NDArray[Any] = np.asarray(cv2.add(large, noise))
    if path.stem == "16-bit":
        pixels = (pixels.astype(np.uint16) << 8) + np.roll(pixels, 1, axis=1)
    elif path.stem == "colour":
        pixels = np.dstack([pixels, large, large])
    if not cv2.imwrite(str(path), pixels):
        raise SystemExit(f"{path}: cannot be written")


def measure(case: str, side_px: int, model: str, threads: int, folder: Path) -> dict[str, Any]:
    """The numbers of one case."""
    source, _, output = case.partition(":")
    # In a process of its own: on Linux the peak of a child begins with that of its parent.
    subprocess.run([sys.executable, __file__, "--draw", str(folder / source), "--side", str(side_px)], check=True)
    command = [sys.executable, "-m", "ircolor", "colorize", str(folder / source), "-o", str(folder / output), "--json"]
    command += ["--overwrite"]  # cases may share a name
    command += ["--model", model, "--device", "cpu", "--threads", str(threads)]
    command += ["--depth", "16" if Path(output).stem.endswith("-16") else "8"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    summary = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.stdout.close()
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{case}: ended with status {os.waitstatus_to_exitcode(status)}")
    return {
        "case": case,
        "seconds": round(seconds, 1),
        "peak_rss_bytes": peak_bytes(usage),
        "tiles": json.loads(summary)["files"][0]["tiles"],
        "input_bytes": (folder / source).stat().st_size,
        "output_bytes": (folder / output).stat().st_size,
    }


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="snet", help="a name, a file, or narrow")
    parser.add_argument("--side", type=int, default=10_000, metavar="PX")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--case", action="append", choices=CASES, help="all of them when not given")
    parser.add_argument("--draw", type=Path, metavar="IN", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.draw:
        draw(wanted.draw, wanted.side)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = wanted.model
        if model == "narrow":
            model = str(folder / "narrow.onnx")
            write_narrow_model(Path(model))
        runs = []
        for case in wanted.case or CASES:
            runs.append(measure(case, wanted.side, model, wanted.threads, folder))
            print(json.dumps(runs[-1]), file=sys.stderr)
    result = {
        "question": "peak memory and seconds of colorizing one large image, from file to file, in a fresh process",
        "model": wanted.model,
        "image": [wanted.side, wanted.side],
        "threads": wanted.threads,
        "limit_bytes": LIMIT_BYTES,
        "within_limit": all(run["peak_rss_bytes"] < LIMIT_BYTES for run in runs),
        "runs": runs,
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
