"""Choose between changes of a recipe, each on pictures of training that its nets had not seen.

The training scenes are cut into four parts, and the pictures of each are colorized by a net trained on the other
three: 128 pictures of nirscene in place of the 22 of validation, which cannot tell recipes apart, or 350 of vcip2020.
Neither validation nor test is looked at. Finished runs are kept and not done again. Needs the real pairs, in
$IRCOLOR_DATA or ../shared/data; five to ten minutes a change on a core with bf16.

    python benchmarks/cross_validation.py fast -o benchmarks/results/cross_validation_fast.json
    python benchmarks/cross_validation.py vcip_scratch -o benchmarks/results/cross_validation_vcip_scratch.json
"""

from dataclasses import dataclass, replace
from pathlib import Path

from ircolor.grade import UNGRADED
from ircolor.pairs.folds import Fold
from ircolor.training.baseline_recipes import CROPS
from ircolor.training.recipe import Recipe
from ircolor.training.recipes import RECIPES
from machine import report
from study import COLOR_SCORES, Run, as_file_name, run_all, spreads, study_parser

NUM_FOLDS = 4
NUM_TEACHERS = 3


@dataclass(frozen=True)
class Change:
    """A recipe, and whether it is taught by nets of the unchanged one, which have left out the same part."""

    recipe: Recipe
    taught: bool = False


def changes_of_fast() -> dict[str, Change]:
    """By what is changed; the unchanged recipe first."""
    base = replace(RECIPES["fast"](), trust=None)
    narrow, hints = RECIPES["narrow_colornet"](), RECIPES["snet_plus"]().hints
    longer = replace(narrow, epochs=20)
    return {
        "as it is": Change(base),
        "without its perceptual loss": Change(replace(base, perceptual=None)),
        "with casts as they are": Change(replace(base, grade=UNGRADED, color_loss=replace(base.color_loss, cast=1.0))),
        "a ColorNet 16 wide in its place": Change(narrow),
        "that, 20 epochs": Change(longer),
        "that, 20 epochs, with hints": Change(replace(longer, hints=hints)),
        "that, 20 epochs, with hints and the loss of fast": Change(
            replace(longer, hints=hints, color_loss=base.color_loss, perceptual=base.perceptual)
        ),
    }


def changes_of_vcip_scratch() -> dict[str, Change]:
    """By what is changed; first the recipe as it was, with the crops of the comparison."""
    base = replace(RECIPES["vcip_scratch"](), augmentation=CROPS)

    def crops(smallest: float) -> Change:
        return Change(replace(base, augmentation=replace(base.augmentation, window=(smallest, 1.0))))

    return {
        "crops of 40 to 100 %": Change(base),
        "crops of 60 to 100 %": crops(0.6),
        "crops of 80 to 100 %": crops(0.8),
        "constant learning rate": Change(replace(base, schedule="constant")),
        "half taught by three": Change(base, taught=True),
        "all taught by three": Change(replace(base, teacher_share=1.0), taught=True),
    }


# By recipe: on what, and what is asked.
STUDIES = {"fast": ("nirscene", changes_of_fast), "vcip_scratch": ("vcip2020", changes_of_vcip_scratch)}


def main() -> None:
    """Train all, score all, report."""
    parser = study_parser(__doc__, Path("runs/cross_validation"))
    parser.add_argument("recipe", choices=list(STUDIES))
    wanted = parser.parse_args()
    protocol, changes_of = STUDIES[wanted.recipe]
    changes = changes_of()
    unchanged = next(iter(changes))
    base = changes[unchanged].recipe
    parts = [Fold(number, NUM_FOLDS) for number in range(NUM_FOLDS)]

    def run(change: str, recipe: Recipe, part: Fold, teachers: tuple[Path, ...] = ()) -> Run:
        name = f"{recipe.name}-{as_file_name(change)}-{part.number}"
        return Run(replace(recipe, seed=recipe.seed + part.number), protocol, name, teachers, part)

    # The unchanged nets, and as many again with other seeds as it takes to make teachers.
    with_teachers = any(change.taught for change in changes.values())
    seeds = [NUM_FOLDS * number for number in range(NUM_TEACHERS if with_teachers else 1)]
    teachers = {
        (seed, part): run(f"{unchanged} {seed}" if seed else unchanged, replace(base, seed=seed), part)
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
        "question": f"scores of changes of {wanted.recipe} on pictures new to its nets; std: over four parts",
        "changes": {
            change: spreads([scores[change, part]["unseen"] for part in parts], COLOR_SCORES) for change in changes
        },
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
