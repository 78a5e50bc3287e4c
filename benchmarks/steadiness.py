"""How much steadier are the colours of a video with the filter than without, and are they still as true?

Clips are made of the pairs of a split, so that true colours and true motion are known: see `steadiness_clips.py`. Each
is colorized as it is (off) and with `ircolor.steadiness` (on). Jitter is that of `ircolor.evaluation.steadiness` under
the true motion. Of the moving foreground, PSNR near its edge tells of ghosts. Parameters are chosen with --split val.

    python benchmarks/steadiness.py --data ../shared/data -o benchmarks/results/steadiness.json
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ircolor.colorizer import Colorizer
from ircolor.evaluation.steadiness import FrameMotion, Jitter, measure_jitter
from ircolor.metrics import psnr_db
from ircolor.pairs.index import Pair, spread_evenly
from ircolor.pairs.protocols import split_pairs
from ircolor.steadiness import Steadier
from machine import argument_parser, report
from steadiness_clips import Image, Kind, Shot, make_clip

SIZE = (256, 320)
KINDS = (
    Kind("noise", noise=0.04),
    Kind("gain drift", gain=0.15),
    Kind("noise and gain drift", noise=0.04, gain=0.15),
    Kind("neither"),
    Kind("fast pan, noise and gain drift", noise=0.04, gain=0.15, pan_px=20),
    Kind("moving foreground, noise", noise=0.04, foreground=True),
    Kind("moving foreground, neither", foreground=True),
)


def scores(shots: Sequence[Shot], rgb: Sequence[Image], jitter: Jitter) -> dict[str, float]:
    """Jitter of a video, and how true its colours are."""
    true = [shot.true_rgb for shot in shots]
    found = {
        "color_jitter": jitter.color_jitter,
        "rgb_jitter": jitter.rgb_jitter,
        "steadiness": jitter.steadiness,
        "psnr_db": float(np.mean([psnr_db(a, b) for a, b in zip(rgb, true, strict=True)])),
    }
    if shots[0].edge.any():
        edges = [psnr_db(a[shot.edge][None], b[shot.edge][None]) for a, b, shot in zip(rgb, true, shots, strict=True)]
        found["edge_psnr_db"] = float(np.mean(edges))
    return found


def video(colorizer: Colorizer, shots: Sequence[Shot], filtered: bool) -> tuple[dict[str, float], int]:
    """Colorize a clip and score it; and the cuts that were seen in it."""
    infrared = [shot.infrared for shot in shots]
    steadier = Steadier()
    if filtered:
        looks = [steadier.look(frame) for frame in infrared]
        rgb = [steadier.settle(look, colorizer.run(look.infrared).rgb) for look in looks]
    else:
        rgb = [colorizer.run(frame).rgb for frame in infrared]
    motions = [FrameMotion(shot.flow, shot.reliable) for shot in shots if shot.flow is not None]
    return scores(shots, rgb, measure_jitter(infrared, rgb, motions)), steadier.num_cuts


def summary(clips: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means of all clips of a kind; ratios on over off, of the means and of the worst clip."""
    row: dict[str, Any] = {"clips": len(clips)}
    for key in clips[0]["off"]:
        off, on = (np.array([clip[state][key] for clip in clips]) for state in ("off", "on"))
        row[key] = {"off": round(float(off.mean()), 3), "on": round(float(on.mean()), 3)}
        if key.endswith("_jitter"):
            row[key] |= {"ratio": round(float(on.mean() / off.mean()), 3), "worst": round(float((on / off).max()), 3)}
        if key.endswith("_db"):
            row[key] |= {"gain": round(float((on - off).mean()), 3), "worst": round(float((on - off).min()), 3)}
    row["false_cuts"] = sum(clip["cuts"] for clip in clips)
    return row


def cuts_seen(videos: Sequence[Sequence[Shot]]) -> int:
    """How many cuts are seen in the clips one after the other."""
    steadier = Steadier()
    for shots in videos:
        for shot in shots[:3]:
            steadier.look(shot.infrared)
    return steadier.num_cuts


def filter_ms(shots: Sequence[Shot]) -> float:
    """Median of look and settle of one 640x480 frame, on one thread."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    steadier, times_ms = Steadier(), []
    for shot in shots:
        infrared, rgb = (
            np.asarray(cv2.resize(image, (640, 480)), np.float32) for image in (shot.infrared, shot.true_rgb)
        )
        start = time.perf_counter()
        steadier.settle(steadier.look(infrared), rgb)
        times_ms.append(1000 * (time.perf_counter() - start))
    cv2.setNumThreads(threads)
    return float(np.median(times_ms[1:]))


def large_enough(pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs with room for a window to move in."""
    return [
        pair
        for pair in pairs
        if all(int(pair.columns[key]) >= 1.5 * px for key, px in zip(("height", "width"), SIZE, strict=True))
    ]


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--split", default="test", help="val to choose by, test to report")
    parser.add_argument("--model", default="snet")
    parser.add_argument("--clips", type=int, default=12, help="of each kind")
    parser.add_argument("--frames", type=int, default=24, help="of each clip")
    wanted = parser.parse_args()
    pairs = large_enough(split_pairs(wanted.data, "nirscene", wanted.split))
    chosen = spread_evenly(wanted.clips, len(pairs))
    colorizer = Colorizer(wanted.model)
    videos: dict[str, list[dict[str, Any]]] = {kind.name: [] for kind in KINDS}
    noisy = []
    for done, number in enumerate(chosen, start=1):
        pair, other = pairs[number].read(), pairs[(number + len(pairs) // 2) % len(pairs)].read()
        for kind in KINDS:
            shots = make_clip(kind, pair, other, num_frames=wanted.frames, size=SIZE, seed=number)
            (off, _), (on, cuts) = video(colorizer, shots, False), video(colorizer, shots, True)
            videos[kind.name].append({"stem": pairs[number].stem, "off": off, "on": on, "cuts": cuts})
            if kind.name == "noise and gain drift":
                noisy.append(shots[:8])
        print(f"{done}/{len(chosen)} {pairs[number].stem}", file=sys.stderr, flush=True)
    result = {
        "question": "jitter under the true motion and PSNR against the true colours, with the filter on and off",
        "protocol": "nirscene",
        "split": wanted.split,
        "model": wanted.model,
        "frames": wanted.frames,
        "size": SIZE,
        "kinds": {name: summary(clips) for name, clips in videos.items()},
        "cuts": {"true": len(noisy) - 1, "seen": cuts_seen(noisy)},
        "filter_ms_640x480": round(filter_ms(noisy[0]), 1),
        "clips": videos,
    }
    report(result, wanted.output, unprinted=["clips"])


if __name__ == "__main__":
    main()
