"""What each switch of the better recipe is worth: `narrow_colornet` with one thing changed at a time, on val.

At the recipe's own scale; the last weights count. The recipe itself with three seeds, shared with `seeds.py`, says how
much chance does. Finished runs are kept and not done again. Needs the real pairs, in $IRCOLOR_DATA or ../shared/data;
half an hour on two cores with bf16.

    python benchmarks/ablation.py -o benchmarks/results/ablation.json
"""

from dataclasses import replace
from pathlib import Path

from ircolor.grade import Grade
from ircolor.training.recipe import AdversaryConfig, ColorLossConfig, PerceptualConfig, Recipe
from ircolor.training.recipes import narrow_colornet
from machine import report
from study import COLOR_SCORES, Run, as_file_name, run_all, spreads, study_parser

PROTOCOL = "nirscene"
NUM_SEEDS = 3


def one_change_each() -> dict[str, Recipe]:
    """By what is changed."""
    base = narrow_colornet()

    def loss(**changes: object) -> Recipe:
        return replace(base, color_loss=replace(base.color_loss, **changes))  # type: ignore[arg-type]

    def crops(**changes: object) -> Recipe:
        return replace(base, augmentation=replace(base.augmentation, **changes))  # type: ignore[arg-type]

    return {
        "the paper's L2 alone": replace(base, color_loss=ColorLossConfig()),
        "Charbonnier in place of L2": loss(pixel="charbonnier"),
        "no SSIM": loss(ssim=0.0),
        "no chroma term": loss(chroma=0.0),
        "a coarse term": loss(coarse=1.0),
        "a colourfulness term": loss(colorfulness=1.0),
        "chroma weighted by colour": loss(rare_chroma=5.0),
        "shifts of 2 px forgiven": loss(max_shift_px=2),
        "no flips": crops(flip=False),
        "crops of the stored pixels": crops(window=None),
        "stretched and turned": crops(aspect=1.3, rotation_deg=8.0),
        "infrared gain, contrast, gamma, noise": crops(
            infrared_gain=0.2, infrared_contrast=0.2, infrared_gamma=1.3, infrared_noise=0.02
        ),
        "pairs, not pixels, drawn alike": replace(base, sampling="pairs"),
        "misaligned pairs drawn less often": replace(base, half_residual_px=1.0),
        "an adversary": replace(base, adversary=AdversaryConfig("patch", width=16, weight=0.03)),
        "perceptual loss of an encoder": replace(base, perceptual=PerceptualConfig(1.0, "efficientnet")),
        "hints of an encoder": replace(base, hints=3.0),
        "casts balanced afterwards": replace(loss(cast=0.0), grade=Grade(cast=0.4)),
        "constant learning rate": replace(base, schedule="constant"),
        "weight decay 0.05": replace(base, weight_decay=0.05),
        "mean of weights (0.995)": replace(base, ema=0.995),
    }


def main() -> None:
    """Train all, score all, report."""
    wanted = study_parser(__doc__, Path("runs/seeds")).parse_args()
    changes = one_change_each()
    runs = {
        ("", seed): Run(replace(narrow_colornet(), seed=seed), PROTOCOL, f"{PROTOCOL}-narrow_colornet-{seed}")
        for seed in range(NUM_SEEDS)
    }
    runs |= {
        (change, 0): Run(recipe, PROTOCOL, f"{PROTOCOL}-narrow_colornet-{as_file_name(change)}-0")
        for change, recipe in changes.items()
    }
    scores = {key: splits["val"] for key, splits in run_all(runs, wanted.runs, wanted.jobs).items()}
    result = {
        "question": "validation scores of `narrow_colornet` with one change at a time",
        "narrow_colornet": spreads([scores["", seed] for seed in range(NUM_SEEDS)], COLOR_SCORES),
        "changes": {change: {key: round(scores[change, 0][key], 4) for key in COLOR_SCORES} for change in changes},
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
