"""Choose between changes of a recipe, each on pictures of training that its nets had not seen.

The training scenes are cut into four parts, and the pictures of each are colorized by a net trained on the other
three: 128 pictures of nirscene in place of the 22 of validation, which cannot tell recipes apart, or 350 of vcip2020.
Neither validation nor test is looked at. Both recipes begin with the crops of the comparison; vcip has since what was
found better here. Finished runs are kept and not done again. Needs the real pairs, in $IRCOLOR_DATA or
../shared/data; five to ten minutes a change on a core with bf16.

    python benchmarks/cross_validation.py fast -o benchmarks/results/cross_validation_fast.json
    python benchmarks/cross_validation.py vcip -o benchmarks/results/cross_validation_vcip.json
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ircolor.pairs.folds import Fold
from ircolor.training.baseline_recipes import CROPS
from ircolor.training.recipe import Recipe
from ircolor.training.recipes import RECIPES
from machine import report
from study import COLOR_SCORES, Run, as_file_name, run_all, spreads, study_parser

PROTOCOLS = {"fast": "nirscene", "vcip": "vcip2020"}
NUM_FOLDS = 4
NUM_TEACHERS = 3
UNCHANGED = "crops of 40 to 100 %"


@dataclass(frozen=True)
class Change:
    """A recipe, and whether it is taught by nets of the unchanged one, which have left out the same part."""

    recipe: Recipe
    taught: bool = False


def changes_of(base: Recipe) -> dict[str, Change]:
    """By what is changed."""

    def crops(smallest: float) -> Change:
        return Change(replace(base, augmentation=replace(base.augmentation, window=(smallest, 1.0))))

    return {
        UNCHANGED: Change(base),
        "crops of 60 to 100 %": crops(0.6),
        "crops of 80 to 100 %": crops(0.8),
        "constant learning rate": Change(replace(base, schedule="constant")),
        "half taught by three": Change(base, taught=True),
        "all taught by three": Change(replace(base, teacher_share=1.0), taught=True),
    }


def main() -> None:
    """Train all, score all, report."""
    parser = study_parser(__doc__, Path("runs/cross_validation"))
    parser.add_argument("recipe", choices=list(PROTOCOLS))
    wanted = parser.parse_args()
    base = replace(RECIPES[wanted.recipe](), augmentation=CROPS, trust=None)
    changes = changes_of(base)
    parts = [Fold(number, NUM_FOLDS) for number in range(NUM_FOLDS)]

    def run(change: str, recipe: Recipe, part: Fold, teachers: tuple[Path, ...] = ()) -> Run:
        name = f"{base.name}-{as_file_name(change)}-{part.number}"
        return Run(replace(recipe, seed=recipe.seed + part.number), PROTOCOLS[base.name], name, teachers, part)

    # The unchanged nets, and as many again with other seeds as it takes to make teachers.
    seeds = [NUM_FOLDS * number for number in range(NUM_TEACHERS)]
    teachers = {
        (seed, part): run(f"{UNCHANGED} {seed}" if seed else UNCHANGED, replace(base, seed=seed), part)
        for seed in seeds
        for part in parts
    }
    run_all(teachers, wanted.runs, wanted.jobs)
    runs = {
        (name, part): run(
            name,
            change.recipe,
            part,
            tuple(wanted.runs / teachers[seed, part].name for seed in seeds) if change.taught else (),
        )
        for name, change in changes.items()
        for part in parts
    }
    scores = run_all(runs, wanted.runs, wanted.jobs)

    result = {
        "question": f"scores of changes of {base.name} on pictures that its nets had not seen; std: over four parts",
        "changes": {
            change: spreads([scores[change, part]["unseen"] for part in parts], COLOR_SCORES) for change in changes
        },
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
