"""What each switch of the better recipe is worth: `fast` with one thing changed at a time, on the validation images.

About 1,000 steps at whole width; the last weights count. The recipe itself with three seeds says how much chance does.
Finished runs are kept and not done again. Needs the real pairs, in $IRCOLOR_DATA or ../shared/data; an hour on two
cores.

    python benchmarks/ablation.py -o benchmarks/results/ablation.json
"""

from dataclasses import replace
from pathlib import Path

from ircolor.training.recipe import ColorLossConfig, Recipe
from ircolor.training.recipes import fast
from machine import report
from study import Run, epochs_of, run_all, spread, study_parser

PROTOCOL = "nirscene"
NUM_STEPS = 1000
NUM_SEEDS = 3
SCORES = ("psnr_db", "ssim", "delta_e_2000", "chroma_gain", "colorfulness_ratio", "angular_error_deg")


def short(seed: int = 0) -> Recipe:
    """`fast`, but short."""
    recipe = replace(fast(), seed=seed, trust=None)
    epochs = epochs_of(NUM_STEPS, recipe, PROTOCOL)
    return replace(recipe, epochs=epochs, validate_every=epochs)


def one_change_each() -> dict[str, Recipe]:
    """By what is changed."""
    base = short()

    def loss(**changes: object) -> Recipe:
        return replace(base, color_loss=replace(base.color_loss, **changes))  # type: ignore[arg-type]

    def crops(**changes: object) -> Recipe:
        return replace(base, augmentation=replace(base.augmentation, **changes))  # type: ignore[arg-type]

    return {
        "the paper's L2 alone": replace(base, color_loss=ColorLossConfig()),
        "Charbonnier in place of L2": loss(pixel="charbonnier"),
        "no SSIM": loss(ssim=0.0),
        "no coarse term": loss(coarse=0.0),
        "no chroma term": loss(chroma=0.0),
        "a colourfulness term": loss(colorfulness=1.0),
        "chroma weighted by colour": loss(rare_chroma=5.0),
        "alignment trusted, no shifts": loss(max_shift_px=0),
        "no flips": crops(flip=False),
        "no zoom": crops(scale=(1.0, 1.0)),
        "no gain, contrast, gamma, noise": crops(
            infrared_gain=0.0, infrared_contrast=0.0, infrared_gamma=1.0, infrared_noise=0.0
        ),
        "pairs, not pixels, drawn alike": replace(base, sampling="pairs"),
        "constant learning rate": replace(base, schedule="constant"),
        "weight decay 0.05": replace(base, weight_decay=0.05),
        "mean of weights (0.995)": replace(base, ema=0.995),
    }


def main() -> None:
    """Train all, score all, report."""
    wanted = study_parser(__doc__, Path("runs/ablation")).parse_args()
    changes = one_change_each()
    runs = {("", seed): Run(short(seed), PROTOCOL, f"fast-{seed}") for seed in range(NUM_SEEDS)}
    runs |= {(change, 0): Run(recipe, PROTOCOL, change.replace(" ", "_")) for change, recipe in changes.items()}
    scores = {key: splits["val"] for key, splits in run_all(runs, wanted.runs, wanted.jobs).items()}
    result = {
        "question": "validation scores of `fast`, short, with one change at a time",
        "num_steps": NUM_STEPS,
        "fast": {key: spread([scores["", seed][key] for seed in range(NUM_SEEDS)]) for key in SCORES},
        "changes": {change: {key: round(scores[change, 0][key], 4) for key in SCORES} for change in changes},
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
