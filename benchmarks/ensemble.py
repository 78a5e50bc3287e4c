"""What is the mean of nets of different kinds worth? Recipes trained with each seed, and their mean colours.

In float32, on whole images; the last weights count, nothing is chosen. Finished runs, of seeds.py too, are kept and not
done again. Needs the real pairs, in $IRCOLOR_DATA or ../shared/data.

    python benchmarks/ensemble.py vcip snet_plus --protocol vcip2020 -o benchmarks/results/ensemble_vcip2020.json
"""

from dataclasses import replace
from pathlib import Path

from ircolor.nets import combined
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import net_of
from ircolor.training.recipes import RECIPES
from ircolor.training.run_folder import RunFolder
from machine import report
from study import COLOR_SCORES, SPLITS, Run, run_all, score, spreads, study_parser


def main() -> None:
    """Train all, score each alone and all together, report."""
    parser = study_parser(__doc__, Path("runs/seeds"))
    parser.add_argument("recipes", nargs="+", choices=list(RECIPES), help="colours are graded as by the first")
    parser.add_argument("--protocol", choices=list(SPLITS), default="nirscene")
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args()
    recipes, protocol, seeds = [RECIPES[name]() for name in wanted.recipes], wanted.protocol, range(wanted.seeds)
    runs = {
        (recipe.name, seed): Run(replace(recipe, seed=seed), protocol, f"{protocol}-{recipe.name}-{seed}")
        for recipe in recipes
        for seed in seeds
    }
    scores = run_all(runs, wanted.runs, wanted.jobs)
    for seed in seeds:
        files = [RunFolder(wanted.runs / runs[recipe.name, seed].name).last for recipe in recipes]
        ensemble = combined([net_of(load_checkpoint(file), str(file)) for file in files])
        pairs = runs[recipes[0].name, seed].scored_pairs()
        scores["mean", seed] = {split: score(ensemble, pairs[split], recipes[0].view) for split in pairs}
    result = {
        "question": f"mean colours of {' and '.join(wanted.recipes)} on protocol {protocol}, over seeds",
        "splits": {
            split: {
                name: spreads([scores[name, seed][split] for seed in seeds], COLOR_SCORES)
                for name in (*wanted.recipes, "mean")
            }
            for split in SPLITS[protocol]
        },
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
