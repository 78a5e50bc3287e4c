"""How well does registration find known transforms, against the obvious alternative and in the same run?

Data: `nirscene-registration`, 140 near-infrared/RGB pairs with published transforms, of which `truth.csv` marks those
that are sound. Corner error: mean over the four corners of the RGB image. The rivals: SIFT, ratio test and RANSAC
similarity on intensities, and the same refined by OpenCV's ECC on structure maps. Then repeatability, which needs no
truth: each infrared image is displaced by a further known similarity, and the new estimate must follow.

    python benchmarks/register_nirscene.py --data ../shared/data -o benchmarks/results/register_nirscene.json
"""

import csv
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ircolor.media.images import read_infrared, read_rgb
from ircolor.registration.estimate import estimate
from ircolor.registration.parallel import each_done
from machine import argument_parser, report

Image = NDArray[Any]
Matrix = NDArray[np.float64]
Outcome = TypeVar("Outcome")
LOST_PX = 1000.0  # stands for the error where nothing was found
METHODS = ("sift_ransac", "sift_ransac_ecc", "ircolor")


@dataclass(frozen=True)
class Result:
    """What one method did with one pair."""

    stem: str
    sound: bool
    corner_error_px: float
    correlation_gain: float  # structure correlation over that at the published matrix
    accepted: bool
    model: str
    seconds: float


def sift_ransac(rgb: Image, infrared: Image) -> Matrix | None:
    """SIFT on intensities, ratio test, RANSAC similarity: what one writes first."""
    sift = cv2.SIFT.create()
    points, descriptors = zip(
        *(sift.detectAndCompute(gray, None) for gray in (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), infrared)), strict=True
    )
    nearest = cv2.BFMatcher().knnMatch(descriptors[0], descriptors[1], k=2)
    matches = [first for first, second in nearest if first.distance < 0.8 * second.distance]
    source = np.array([points[0][match.queryIdx].pt for match in matches], np.float32)
    target = np.array([points[1][match.trainIdx].pt for match in matches], np.float32)
    if len(matches) < 2:
        return None
    matrix, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=3)
    return None if matrix is None else np.vstack([matrix, [0, 0, 1]])


def ecc(rgb: Image, infrared: Image, matrix: Matrix) -> Matrix:
    """OpenCV's ECC on structure maps, from a start; the start where it diverges."""
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    criteria = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-4
    try:
        start = np.linalg.inv(matrix)[:2].astype(np.float32)
        _, backward = cv2.findTransformECC(structure(infrared), structure(gray), start, cv2.MOTION_AFFINE, criteria)
    except (cv2.error, np.linalg.LinAlgError):
        return matrix
    return np.asarray(np.linalg.inv(np.vstack([backward, [0, 0, 1]])))


def structure(gray: Image) -> Image:
    """The s of the structure correlation, written from the data set's own definition."""
    smooth = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 1.2)
    strength = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.asarray(strength / (cv2.GaussianBlur(strength, (0, 0), 15) + 3))


def correlation(rgb: Image, infrared: Image, matrix: Matrix) -> float:
    """Structure correlation of the images under a transform; -1 where it leaves nothing in common."""
    gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    size = infrared.shape[::-1]
    warped = cv2.warpPerspective(gray, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    valid = cv2.warpPerspective(np.ones_like(gray), matrix, size, flags=cv2.INTER_NEAREST)
    inner = cv2.erode(valid, np.ones((25, 25), np.uint8), borderValue=0) > 0
    return float(np.corrcoef(structure(warped)[inner], structure(infrared)[inner])[0, 1]) if inner.sum() > 100 else -1.0


def corner_error_px(matrix: Matrix, truth: Matrix, shape: tuple[int, ...]) -> float:
    """Mean distance of the four mapped image corners, in infrared px."""
    height, width = shape[:2]
    corners = np.array([[[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]], np.float64)
    mapped = (cv2.perspectiveTransform(corners, of) for of in (matrix, truth))
    return float(np.linalg.norm(np.subtract(*mapped), axis=2).mean())


def load(data: Path, stem: str) -> tuple[Image, Image, Matrix]:
    """RGB, infrared and the published matrix of a pair."""
    folder = data / "nirscene-registration"
    rgb, infrared = (next((folder / kind).glob(f"{stem}.*")) for kind in ("rgb", "infrared"))
    matrix = np.loadtxt(next((folder / "matrix").glob(f"{stem}.*")))
    return read_rgb(rgb), read_infrared(infrared).pixels, np.vstack([matrix, [0, 0, 1]])


def run_all(data: Path, row: dict[str, str]) -> list[Result]:
    """All methods on one pair, one after the other, so that whatever else the machine does weighs on all alike."""
    return [run(data, row, method) for method in METHODS]


def run(data: Path, row: dict[str, str], method: str) -> Result:
    """One method on one pair."""
    rgb, infrared, truth = load(data, row["stem"])
    start_s = time.perf_counter()
    accepted, model = True, "similarity"
    if method == "ircolor":
        found = estimate(rgb, infrared)
        matrix = found.warp.matrix if found.warp else None
        accepted, model = found.verdict == "accept", found.warp.model if found.warp else "none"
    else:
        matrix = sift_ransac(rgb, infrared)
        if method.endswith("ecc") and matrix is not None:
            matrix = ecc(rgb, infrared, matrix)
    seconds = time.perf_counter() - start_s
    if matrix is None:
        return Result(row["stem"], row["sound"] == "1", LOST_PX, -1.0, False, model, seconds)
    error_px = min(corner_error_px(matrix, truth, rgb.shape), LOST_PX)
    gain = correlation(rgb, infrared, matrix) - correlation(rgb, infrared, truth)
    return Result(row["stem"], row["sound"] == "1", error_px, gain, accepted, model, seconds)


def repeat(data: Path, row: dict[str, str]) -> float:
    """By how many px the estimate fails to follow a further displacement of the infrared image; NaN where rejected."""
    rgb, infrared, _ = load(data, row["stem"])
    height, width = infrared.shape
    rng = np.random.default_rng(int.from_bytes(row["stem"].encode()) % 2**32)
    centre = (width - 1) / 2, (height - 1) / 2
    further = np.vstack([cv2.getRotationMatrix2D(centre, rng.uniform(-5, 5), rng.uniform(0.95, 1.05)), [0, 0, 1]])
    further[:2, 2] += rng.uniform(-0.04, 0.04, 2) * width
    displaced = cv2.warpPerspective(infrared, further, (width, height), flags=cv2.INTER_CUBIC)
    found = [estimate(rgb, image, "similarity") for image in (infrared, displaced)]
    if found[0].warp is None or found[1].warp is None or "reject" in (found[0].verdict, found[1].verdict):
        return float("nan")
    return corner_error_px(found[1].warp.matrix, further @ found[0].warp.matrix, rgb.shape)


def summarise(results: list[Result]) -> dict[str, float]:
    """The numbers of a method's row."""
    errors_px = np.array([result.corner_error_px for result in results if result.sound])
    gains = np.array([result.correlation_gain for result in results])
    return {
        "sound_median_px": round(float(np.median(errors_px)), 3),
        "sound_below_1px": round(float((errors_px < 1).mean()), 4),
        "sound_below_3px": round(float((errors_px < 3).mean()), 4),
        "as_well_aligned_as_truth": round(float((gains >= -0.005).mean()), 4),
        "accepted_though_10px_off": sum(result.accepted and result.corner_error_px > 10 for result in results),
        "mean_correlation_gain": round(float(gains.mean()), 4),
        "accepted": sum(result.accepted for result in results),
        "seconds_per_pair": round(float(np.mean([result.seconds for result in results])), 3),
    }


def in_order(work: Callable[[dict[str, str]], Outcome], rows: list[dict[str, str]], workers: int) -> list[Outcome]:
    """Results of the work on all rows, which is done in parallel."""
    return [result for _, result in sorted(each_done(work, rows, workers), key=itemgetter(0))]


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--workers", type=int, default=2)
    wanted = parser.parse_args()
    with (wanted.data / "nirscene-registration" / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    results = in_order(partial(run_all, wanted.data), rows, wanted.workers)
    misses_px = np.array(in_order(partial(repeat, wanted.data), rows, wanted.workers))
    methods = {method: [each[number] for each in results] for number, method in enumerate(METHODS)}
    table = {method: summarise(of) for method, of in methods.items()}
    for row in table.values():
        row["time_ratio"] = round(row["seconds_per_pair"] / table[METHODS[0]]["seconds_per_pair"], 3)
    followed = misses_px[~np.isnan(misses_px)]
    result = {
        "question": "corner error, alignment and time of registration against SIFT with RANSAC, same run",
        "pairs": len(rows),
        "sound": sum(row["sound"] == "1" for row in rows),
        "methods": table,
        "repeatability": {
            "pairs": len(followed),
            "median_px": round(float(np.median(followed)), 3),
            "p95_px": round(float(np.percentile(followed, 95)), 3),
        },
        "images": {method: [asdict(one) for one in of] for method, of in methods.items()},
    }
    report(result, wanted.output, unprinted=["images"], workers=wanted.workers)


if __name__ == "__main__":
    main()
