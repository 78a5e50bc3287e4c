"""How long until the first image is written, and how much memory does it take?

Runs `ircolor colorize` on a 1024x768 synthetic scene as a fresh process, as a user does, and writes the
numbers with the machine they came from.

    python benchmarks/cold_start.py -o benchmarks/results/cold_start.json
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ircolor.media.encode import write_image
from ircolor.media.scene import draw_road_scene
from machine import argument_parser, report


def measure(image: Path, output: Path, model: str, threads: int) -> tuple[float, int]:
    """Seconds and peak resident bytes of one run as a process of its own."""
    command = [sys.executable, "-m", "ircolor", "colorize", str(image), "-o", str(output), "--overwrite"]
    command += ["--model", model, "--threads", str(threads), "--device", "cpu"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"colorize ended with status {os.waitstatus_to_exitcode(status)}")
    return seconds, peak_bytes(usage)


def peak_bytes(usage: resource.struct_rusage) -> int:
    """Peak resident memory; Linux counts it in KiB, macOS in bytes."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="snet")
    parser.add_argument("--height", type=int, default=768)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "scene.png")
        infrared, _ = draw_road_scene(wanted.height, wanted.width)
        write_image(image, np.repeat(infrared[..., None], 3, axis=2))
        runs = [measure(image, Path(folder, "rgb.png"), wanted.model, wanted.threads) for _ in range(wanted.runs)]
    result = {
        "question": "seconds from starting the process to having written one image, and its peak memory",
        "model": wanted.model,
        "image": [wanted.height, wanted.width],
        "threads": wanted.threads,
        "seconds": [round(seconds, 3) for seconds, _ in runs],
        "median_seconds": round(sorted(seconds for seconds, _ in runs)[len(runs) // 2], 3),
        "peak_rss_bytes": max(peak for _, peak in runs),
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
