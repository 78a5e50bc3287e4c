"""Choose between recipes: `fast` and changes of it, each on pictures of training that its nets had not seen.

The training scenes are cut into four parts, and the pictures of each are colorized by a net trained on the other
three: 128 pictures in place of the 22 of validation, which cannot tell recipes apart. Neither validation nor test is
looked at. Finished runs are kept and not done again. Needs the real pairs, in $IRCOLOR_DATA or ../shared/data; five
minutes a change on a core with bf16.

    python benchmarks/cross_validation.py -o benchmarks/results/cross_validation.json
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ircolor.pairs.folds import Fold
from ircolor.training.recipe import Recipe
from ircolor.training.recipes import fast
from machine import report
from study import Run, Scores, as_file_name, run_all, spread, study_parser

PROTOCOL = "nirscene"
NUM_FOLDS = 4
SCORES = ("psnr_db", "ssim", "delta_e_2000", "chroma_gain", "colorfulness_ratio", "angular_error_deg")


def changes() -> dict[str, Recipe]:
    """By what is changed; the first one is `fast` itself."""
    base = replace(fast(), trust=None)
    return {
        "fast": base,
        "constant learning rate": replace(base, schedule="constant"),
        "constant learning rate, mean of weights (0.98)": replace(base, schedule="constant", ema=0.98),
        "12 epochs": replace(base, epochs=12),
        "learning rate 3e-4": replace(base, learning_rate=3e-4),
        "learning rate 3e-3": replace(base, learning_rate=3e-3),
    }


def main() -> None:
    """Train all, score all, report."""
    wanted = study_parser(__doc__, Path("runs/cross_validation")).parse_args()
    scores = run_all(folded(changes()), wanted.runs, wanted.jobs)
    result = {
        "question": "scores of changes of `fast` on pictures that its nets had not seen; std: over the four parts",
        "changes": {change: _scores(change, scores) for change in changes()},
    }
    report(result, wanted.output)


def folded(recipes: Mapping[str, Recipe]) -> dict[tuple[str, int], Run]:
    """For each recipe and part a run that leaves it out, with a seed of its own."""
    return {
        (change, number): Run(
            replace(recipe, seed=number),
            PROTOCOL,
            f"{as_file_name(change)}-{number}",
            fold=Fold(number, NUM_FOLDS),
        )
        for change, recipe in recipes.items()
        for number in range(NUM_FOLDS)
    }


def _scores(change: str, scores: Mapping[tuple[str, int], Scores]) -> dict[str, object]:
    parts = [scores[change, number]["unseen"] for number in range(NUM_FOLDS)]
    return {key: spread([part[key] for part in parts]) for key in SCORES}


if __name__ == "__main__":
    main()
