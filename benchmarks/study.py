"""Many short trainings side by side, kept and not done again, and their scores on whole images."""

import argparse
import json
import multiprocessing
import os
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ircolor.atomic import write_atomic
from ircolor.edge_maps import canny_edges
from ircolor.evaluation.score import mean_scores, score_image
from ircolor.nets import ColorizingNet
from ircolor.pairs.dataset import steps_per_epoch
from ircolor.pairs.folds import Fold
from ircolor.pairs.index import Pair
from ircolor.pairs.protocols import split_pairs
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.colorized import colorized
from ircolor.training.export import net_of
from ircolor.training.recipe import Recipe
from ircolor.training.run_folder import RunFolder
from ircolor.training.train import train
from ircolor.view import View
from machine import argument_parser

DATA = Path(os.environ.get("IRCOLOR_DATA", Path(__file__).parents[2] / "shared" / "data")).resolve()
# The splits that a protocol is scored on; the test pairs of vcip2020 are not part of the data.
SPLITS = {"nirscene": ("val", "test"), "vcip2020": ("val",), "paper-like": ("val", "test")}
Key = TypeVar("Key", bound=Hashable)
Scores = dict[str, dict[str, float]]
# Of what is compared for its colours.
COLOR_SCORES = ("psnr_db", "ssim", "delta_e_2000", "chroma_gain", "colorfulness_ratio", "angular_error_deg")


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        recipe: what is trained.
        protocol: on what.
        name: under which it is kept.
        teachers: other runs that it learns from.
        fold: part of the training pairs that is left out, and whose pictures are scored as "unseen" in place of those
            of val and test; of nirscene the whole ones.
        best: score the weights that did best on validation, in place of the last: where the learning rate does not fall
            to zero, the last are a matter of chance.
    """

    recipe: Recipe
    protocol: str
    name: str
    teachers: tuple[Path, ...] = ()
    fold: Fold | None = None
    best: bool = False

    def scored_pairs(self) -> dict[str, list[Pair]]:
        """What it is scored on, by name."""
        if self.fold is None:
            return {split: split_pairs(DATA, self.protocol, split) for split in SPLITS[self.protocol]}
        return {"unseen": whole_pictures(self.fold.part(split_pairs(DATA, self.protocol, "train")), self.protocol)}


def whole_pictures(pairs: Sequence[Pair], protocol: str) -> list[Pair]:
    """Pairs like those that a protocol is scored on: val and test of nirscene hold no crops, as its aux does."""
    return [pair for pair in pairs if protocol != "nirscene" or pair.columns["nirscene_split"] != "aux"]


def epochs_of(num_steps: int, recipe: Recipe, protocol: str) -> int:
    """The whole number of epochs that comes nearest to so many steps."""
    return max(1, round(num_steps / steps_per_epoch(len(split_pairs(DATA, protocol, "train")), recipe.batch_size)))


def run_all(runs: Mapping[Key, Run], folder: Path, jobs: int) -> dict[Key, Scores]:
    """Train and score all, in the order given; the last weights count, nothing is chosen, but for runs with `best`.

    Args:
        runs: by any key.
        folder: of the runs; what is finished there is not done again, what was begun is taken up.
        jobs: trainings at the same time.

    Returns:
        For each key, by split or "unseen", the scores of `ircolor evaluate` and `gradient_error`.
    """
    # Small nets train faster side by side, on a thread each, than one after the other on all.
    context = multiprocessing.get_context("spawn")
    done: dict[Key, Scores] = {}
    with ProcessPoolExecutor(jobs, context, torch.set_num_threads, (1,)) as pool:
        started = {pool.submit(_train_and_score, run, folder): key for key, run in runs.items()}
        for future in as_completed(started):
            key = started[future]
            done[key] = future.result()
            print(f"{len(done)} of {len(runs)}: {runs[key].name}", flush=True)
    return done


def kept_recipe(run: Path) -> dict[str, Any]:
    """The recipe that a run was trained with."""
    recipe: dict[str, Any] = json.loads(RunFolder(run).description.read_text(encoding="utf-8"))["recipe"]
    return recipe


def as_file_name(change: str) -> str:
    """What is changed, as part of a folder's name."""
    return "_".join(re.findall(r"[\w.]+", change))


def spreads(trainings: Sequence[Mapping[str, float]], keys: Iterable[str]) -> dict[str, object]:
    """By key, what `spread` says of that score of several trainings."""
    return {key: spread([scores[key] for scores in trainings]) for key in keys}


def spread(values: Sequence[float]) -> dict[str, object]:
    """Mean and standard deviation over the seeds, and the values."""
    return {
        "mean": round(mean(values), 4),
        "std": round(stdev(values), 4) if len(values) > 1 else None,
        "seeds": [round(value, 4) for value in values],
    }


def gradient_error(pred_rgb: NDArray[np.uint8], true_rgb: NDArray[np.uint8]) -> float:
    """Mean absolute difference of the luma's gradient magnitude on the Canny edges of the truth, in 8-bit levels a px.

    NaN where the truth has no edge.
    """
    edges = canny_edges(true_rgb) > 0
    if not edges.any():
        return float("nan")
    magnitudes = []
    for rgb in (pred_rgb, true_rgb):
        luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        magnitudes.append(np.hypot(*(cv2.Sobel(luma, cv2.CV_32F, *order, scale=1 / 8) for order in ((1, 0), (0, 1)))))
    return float(np.abs(magnitudes[0] - magnitudes[1])[edges].mean())


def study_parser(description: str | None, runs: Path) -> argparse.ArgumentParser:
    """The parser of a study, with the folder that its runs are kept in if no other is given."""
    parser = argument_parser(description)
    parser.add_argument("--runs", type=Path, default=runs, help="folder of the runs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="trainings at the same time")
    return parser


def score(net: ColorizingNet, pairs: Sequence[Pair], view: View) -> dict[str, float]:
    """Scores over whole images, in float32."""
    images, gradient_errors = [], []
    for pair in pairs:
        infrared, true_rgb = pair.read()
        pred_rgb = colorized(net, infrared, view)
        images.append(score_image(pred_rgb, true_rgb))
        gradient_errors.append(gradient_error(pred_rgb, true_rgb))
    return {**mean_scores(images), "gradient_error": float(np.nanmean(gradient_errors))}


def _train_and_score(run: Run, folder: Path) -> Scores:
    kept = RunFolder(folder / run.name)
    file = kept.path / ("best_scores.json" if run.best else "scores.json")
    if not file.exists():
        resume = kept.description.exists()
        outcome = train(run.recipe, DATA, run.protocol, kept.path, resume=resume, teachers=run.teachers, fold=run.fold)
        if outcome.signal is not None:
            raise SystemExit(128 + outcome.signal)
        weights = kept.best_or_last() if run.best else kept.last
        net = net_of(load_checkpoint(weights), str(weights))
        scores = {name: score(net, pairs, run.recipe.view) for name, pairs in run.scored_pairs().items()}
        write_atomic(file, (json.dumps(scores, indent=1) + "\n").encode())
    found: Scores = json.loads(file.read_text(encoding="utf-8"))
    return found
