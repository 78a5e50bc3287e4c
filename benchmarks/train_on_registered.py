"""Do pairs written by `ircolor register` train as well as the ready-made ones of the same scenes?

Registers the displaced images of nirscene's training scenes with default settings, trains one recipe on the accepted
pairs and on the ready-made pairs of the same stems, and scores all models on val and test of the protocol nirscene.
After so short a training, seeds differ by more than the difference asked for, so there are several. Needs the real
pairs, in $IRCOLOR_DATA or ../shared/data; half an hour on two cores.

    python benchmarks/train_on_registered.py -o benchmarks/results/train_on_registered.json
"""

import csv
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

import torch

from ircolor.colorizer import Colorizer
from ircolor.metrics import psnr_db
from ircolor.pairs.index import Pair, find_pairs
from ircolor.pairs.protocols import split_pairs
from ircolor.training.device import choose_precision
from ircolor.training.recipe import Recipe
from ircolor.training.recipes import colornet_short
from ircolor.training.train import train
from machine import argument_parser, report
from study import DATA

PROTOCOL = "nirscene"
MAX_DIFFERENCE_DB = 0.1
NUM_SEEDS = 8


@dataclass(frozen=True)
class Trained:
    """What became of a run: its optimizer steps, and its PSNR in dB on whole images of nirscene."""

    num_steps: int
    val_psnr_db: float
    test_psnr_db: float


def short_recipe(seed: int) -> Recipe:
    """`colornet_short` at a quarter of its width and on smaller crops, for minutes on a CPU.

    Both runs of a seed begin with the same weights and, as each epoch visits every pair once whatever its size, see
    the same scenes in the same order, so that little but the pairs differs. The last weights count: nothing is chosen.
    """
    recipe = colornet_short()
    crops = replace(recipe.augmentation, crop_px=96)
    return replace(recipe, width=16, augmentation=crops, sampling="pairs", epochs=32, validate_every=32, seed=seed)


def run_ircolor(*arguments: object) -> None:
    """Run a command as a user does, without its standard output."""
    subprocess.run([sys.executable, "-m", "ircolor", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def write_table(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a CSV table with the columns of its first row."""
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def register(names: Sequence[str], folder: Path) -> list[Pair]:
    """The pairs that `ircolor register` accepts of the displaced images of these names."""
    source, table = DATA / "nirscene-registration", folder.with_suffix(".csv")
    write_table(table, [{"rgb": name, "infrared": name} for name in names])
    places = ["--rgb", source / "rgb", "--infrared", source / "infrared"]
    run_ircolor("register", *places, "--match", table, "-o", folder)
    return find_pairs(folder)


def train_on(pairs: Sequence[Pair], recipe: Recipe, folder: Path) -> Trained:
    """Train on these pairs, validate on those of nirscene, export, and score the model as `ircolor evaluate` does."""
    folder.mkdir()
    splits = {"train": pairs, "val": split_pairs(DATA, PROTOCOL, "val")}
    rows = [
        {"stem": pair.stem, "infrared": pair.infrared, "rgb": pair.rgb, "mask": pair.mask or "", "split": split}
        for split, members in splits.items()
        for pair in members
    ]
    write_table(folder / "index.csv", rows)
    outcome = train(recipe, folder, "folder", folder / "run")
    if outcome.signal is not None:
        raise SystemExit(128 + outcome.signal)
    model = folder.with_suffix(".onnx")
    run_ircolor("export", folder / "run", "-o", model)
    colorizer = Colorizer(str(model))
    test_images = (pair.read() for pair in split_pairs(DATA, PROTOCOL, "test"))
    test_psnr_db = mean(psnr_db(colorizer(infrared), true_rgb) for infrared, true_rgb in test_images)
    return Trained(outcome.progress.step, outcome.progress.best_psnr_db, test_psnr_db)


def compare(ready_made_db: Sequence[float], registered_db: Sequence[float]) -> dict[str, object]:
    """Scores by seed, and registered minus ready-made: by seed, on average, and how sure that average is."""
    differences_db = [ours - theirs for ours, theirs in zip(registered_db, ready_made_db, strict=True)]
    return {
        "ready_made_psnr_db": [round(score_db, 3) for score_db in ready_made_db],
        "registered_psnr_db": [round(score_db, 3) for score_db in registered_db],
        "difference_db": [round(difference_db, 3) for difference_db in differences_db],
        "mean_difference_db": round(mean(differences_db), 3),
        "standard_error_db": round(stdev(differences_db) / math.sqrt(NUM_SEEDS), 3),
    }


def main() -> None:
    """Register, train, score and report."""
    parser = argument_parser(__doc__)
    wanted = parser.parse_args()
    displaced = {file.name for file in (DATA / "nirscene-registration" / "rgb").iterdir()}
    given = {
        pair.stem: pair
        for pair in split_pairs(DATA, PROTOCOL, "train")
        if pair.columns["dataset"] == "nirscene" and pair.rgb.name in displaced
    }
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        registered = register([pair.rgb.name for pair in given.values()], work / "pairs")
        kinds = {"ready-made": [given[pair.stem] for pair in registered], "registered": registered}
        jobs = [
            (pairs, short_recipe(seed), work / f"{kind}-{seed}")
            for kind, pairs in kinds.items()
            for seed in range(NUM_SEEDS)
        ]
        # Two nets of this size train faster side by side, on a thread each, than one after the other on two.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(os.cpu_count(), context, torch.set_num_threads, (1,)) as pool:
            runs = list(pool.map(train_on, *zip(*jobs, strict=True)))
    ready_made_runs, registered_runs = runs[:NUM_SEEDS], runs[NUM_SEEDS:]
    recipe = short_recipe(0)
    result = {
        "question": "PSNR on nirscene of a net trained on registered pairs, against one trained on ready-made pairs",
        "required": f"mean difference within {MAX_DIFFERENCE_DB} dB",
        "num_pairs": {"given": len(given), "accepted": len(registered)},
        "num_masks": sum(pair.mask is not None for pair in registered),
        "recipe": f"colornet_short, width {recipe.width}, crops of {recipe.augmentation.crop_px} px, drawn by pairs",
        "num_steps": runs[0].num_steps,
        "val": compare([run.val_psnr_db for run in ready_made_runs], [run.val_psnr_db for run in registered_runs]),
        "test": compare([run.test_psnr_db for run in ready_made_runs], [run.test_psnr_db for run in registered_runs]),
    }
    report(result, wanted.output, mixed_precision=choose_precision().mixed)


if __name__ == "__main__":
    main()
