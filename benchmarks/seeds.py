"""How good is a recipe, whatever the seed? The same training with several seeds, scored on whole images in float32.

The last weights count, nothing is chosen, unless --best is given. Finished runs are kept and not done again. Needs the
real pairs, in $IRCOLOR_DATA or ../shared/data.

    python benchmarks/seeds.py fast -o benchmarks/results/seeds_fast.json
    python benchmarks/seeds.py fast --teachers runs/nirscene-snet_plus -o benchmarks/results/seeds_fast_taught.json
    python benchmarks/seeds.py snet_paper --seeds 1 --epochs 32 --best -o benchmarks/results/seeds_snet_paper.json
"""

from dataclasses import replace
from pathlib import Path

from ircolor.training.recipes import RECIPES
from machine import report
from study import SPLITS, Run, kept_recipe, run_all, spreads, study_parser

SCORES = (
    "psnr_db",
    "ssim",
    "angular_error_deg",
    "delta_e_2000",
    "chroma_gain",
    "colorfulness_ratio",
    "gradient_error",
)


def main() -> None:
    """Train all, score all, report."""
    parser = study_parser(__doc__, Path("runs/seeds"))
    parser.add_argument("recipe", choices=list(RECIPES))
    parser.add_argument("--protocol", choices=list(SPLITS), default="nirscene")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="in place of the recipe's; at a constant rate, its first ones")
    parser.add_argument("--best", action="store_true", help="score the weights that did best on validation")
    parser.add_argument("--teachers", type=Path, nargs="+", default=[], help="runs to learn from besides the truth")
    wanted = parser.parse_args()
    recipe = RECIPES[wanted.recipe]()  # trust is not trained here: `ircolor train --resume` adds it to a run
    if wanted.epochs:
        recipe = replace(recipe, epochs=wanted.epochs)
    name, protocol = f"{recipe.name}{'-taught' if wanted.teachers else ''}", wanted.protocol
    seeds = range(wanted.seeds)
    runs = {
        seed: Run(
            replace(recipe, seed=seed),
            protocol,
            f"{protocol}-{name}-{seed}",
            tuple(wanted.teachers),
            best=wanted.best,
        )
        for seed in seeds
    }
    scores = run_all(runs, wanted.runs, wanted.jobs)
    result = {
        "question": f"scores of {name}{', best on val,' if wanted.best else ''} on protocol {protocol}, over seeds",
        "recipe": kept_recipe(wanted.runs / runs[0].name),  # of runs that were kept it may be an earlier one
        "splits": {split: spreads([scores[seed][split] for seed in seeds], SCORES) for split in SPLITS[protocol]},
    }
    report(result, wanted.output, unprinted=["recipe"])


if __name__ == "__main__":
    main()
