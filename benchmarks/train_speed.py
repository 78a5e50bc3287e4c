"""Does the input keep up with training? Images a second of the crops alone and of whole training steps.

Also the share of the device's rate for matrix products that a step reaches: an upper bound that no network reaches, as
not all of its work is matrix products. Pairs are random, in memory as all pairs are that fit.

    python benchmarks/train_speed.py -o benchmarks/results/train_speed.json
    python benchmarks/train_speed.py --recipes snet_paper --compile
"""

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from rich.console import Console

from ircolor.edge_maps import EDGE_MAPS
from ircolor.pairs.dataset import PairDataset, VisitSampler, load_pairs, steps_per_epoch
from ircolor.pairs.protocols import split_pairs
from ircolor.training.recipe import Recipe
from ircolor.training.recipes import RECIPES
from ircolor.training.run_folder import RunFolder
from ircolor.training.train import MEMORY_BUDGET_BYTES, train
from machine import argument_parser, report

NUM_PAIRS = 30
SIZE = 512, 768
NUM_CROPS = 200


def write_pairs(folder: Path) -> Path:
    """Random pairs, blurred so that they are crops like others."""
    rng = np.random.default_rng(0)
    for name in ("infrared", "rgb"):
        (folder / name).mkdir(parents=True)
    for number in range(NUM_PAIRS):
        rgb = cv2.GaussianBlur(rng.integers(0, 256, (*SIZE, 3), np.uint8), (0, 0), 3)
        cv2.imwrite(str(folder / "rgb" / f"{number:02d}.png"), rgb)
        cv2.imwrite(str(folder / "infrared" / f"{number:02d}.png"), rgb[..., 0])
    return folder


def crops_per_s(recipe: Recipe, data: Path) -> float:
    """Images a second that one process draws, without any network."""
    pairs = load_pairs(split_pairs(data, "folder", "train"), MEMORY_BUDGET_BYTES)
    edge_map = EDGE_MAPS[recipe.edge_net.target] if recipe.edge_net else None
    dataset = PairDataset(pairs, recipe.augmentation, edge_map, recipe.seed)
    sampler = VisitSampler(len(pairs), recipe.batch_size, recipe.seed, 0, NUM_CROPS // recipe.batch_size)
    visits = [visit for batch in sampler for visit in batch]
    start_s = time.perf_counter()
    for visit in visits:
        dataset[visit]
    return len(visits) / (time.perf_counter() - start_s)


def measure(recipe: Recipe, data: Path, run: Path, num_steps: int, *, compile_nets: bool) -> dict[str, Any]:
    """Images a second of crops and of steps, the latter as a run logs them."""
    per_epoch = steps_per_epoch(len(split_pairs(data, "folder", "train")), recipe.batch_size)
    epochs = -(-num_steps // per_epoch)
    short = replace(recipe, trust=None, epochs=epochs, validate_every=epochs)
    train(short, data, "folder", run, compile_nets=compile_nets, console=Console(stderr=True))
    sitting, *records = [json.loads(line) for line in RunFolder(run).log.read_text(encoding="utf-8").splitlines()]
    steps = [record for record in records if record["event"] == "train"][1:]  # the first warms up
    images_per_s = median(record["images_per_s"] for record in steps)
    crops = crops_per_s(recipe, data)
    return {
        "crops_per_s": round(crops, 1),
        "images_per_s": round(images_per_s, 2),
        "crops_share_of_step_time": round(images_per_s / crops, 4),
        "gflop_per_image": sitting["gflop_per_image"],
        "matmul_gflops": sitting["matmul_gflops"],
        "share_of_matmul_rate": round(median(record["share_of_matmul_rate"] for record in steps), 4),
    }


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=["snet_paper", "snet_plus", "fast"])
    parser.add_argument("--steps", type=int, default=20, help="of each training")
    parser.add_argument("--compile", action="store_true", help="compile the networks")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = write_pairs(Path(folder) / "pairs")
        recipes = {
            name: measure(RECIPES[name](), data, Path(folder) / name, wanted.steps, compile_nets=wanted.compile)
            for name in wanted.recipes
        }
    result = {
        "question": "images a second of training crops alone and of whole training steps, and of the matrix rate",
        "recipes": recipes,
    }
    report(result, wanted.output, compiled=wanted.compile)


if __name__ == "__main__":
    main()
