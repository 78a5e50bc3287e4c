"""Does EdgeNet help? ColorNet alone against forms of SNet: same budget, several seeds, two protocols.

Both networks have a quarter of the paper's width and see crops of 96 px, which show 40 % or more of a picture; whole
pictures are seen at 224 px. Finished runs are kept and not done again, so that this can be interrupted. Needs the real
pairs, in $IRCOLOR_DATA or ../shared/data; an hour on two cores.

    python benchmarks/edgenet.py -o benchmarks/results/edgenet.json
"""

from dataclasses import replace
from pathlib import Path

from ircolor.pairs.augment import Augmentation
from ircolor.training.recipe import EdgeNetConfig, Recipe
from ircolor.training.recipes import colornet_short
from machine import report
from study import SPLITS, Run, epochs_of, run_all, spreads, study_parser

PAPER = EdgeNetConfig(width=16)
# What the paper and its figure say; on both protocols.
FORMS: dict[str, EdgeNetConfig | None] = {
    "ColorNet alone": None,
    "text, canny": PAPER,
    "text, find_edges": replace(PAPER, target="find_edges"),
    "figure, canny": replace(PAPER, variant="figure"),
    "figure, find_edges": replace(PAPER, variant="figure", target="find_edges"),
}
# Other forms of the idea; on the first protocol, where asked for.
IDEAS: dict[str, EdgeNetConfig | None] = {
    "a tenth of the pull": replace(PAPER, pull=0.1),
    "reversed, a tenth": replace(PAPER, pull=-0.1),
    "warm-up over half": replace(PAPER, warm_up=0.5),
    "normalised difference": replace(PAPER, shown="normalised difference"),
    "the prediction": replace(PAPER, shown="prediction"),
    "three scales": replace(PAPER, scales=3),
}
PROTOCOLS = ("nirscene", "vcip2020")
NUM_STEPS = 400
SCORES = ("psnr_db", "ssim", "gradient_error", "delta_e_2000", "chroma_gain", "colorfulness_ratio")


def short_recipe(edge_net: EdgeNetConfig | None, protocol: str, seed: int) -> Recipe:
    """`colornet_short` at a quarter of its width and on smaller crops of larger views, with an EdgeNet or without."""
    recipe = colornet_short()
    epochs = epochs_of(NUM_STEPS, recipe, protocol)
    return replace(
        recipe,
        width=16,
        edge_net=edge_net,
        augmentation=Augmentation(crop_px=96, flip=True, window=(0.4, 1.0)),
        view_px=224,
        epochs=epochs,
        validate_every=epochs,
        seed=seed,
    )


def main() -> None:
    """Train all, score all, report."""
    parser = study_parser(__doc__, Path("runs/edgenet"))
    parser.add_argument("--ideas", action="store_true", help="also forms that the paper has not")
    parser.add_argument("--seeds", type=int, default=3)
    wanted = parser.parse_args()
    seeds = range(wanted.seeds)
    first, _ = PROTOCOLS
    forms = {protocol: FORMS | (IDEAS if wanted.ideas and protocol == first else {}) for protocol in PROTOCOLS}
    # All forms of a seed before the next seed: an interrupted study still compares like with like.
    runs = {
        (protocol, form, seed): Run(
            short_recipe(edge_net, protocol, seed),
            protocol,
            f"{protocol}-{form.replace(',', '').replace(' ', '_')}-{seed}",
        )
        for seed in seeds
        for protocol in PROTOCOLS
        for form, edge_net in forms[protocol].items()
    }
    scores = run_all(runs, wanted.runs, wanted.jobs)
    recipe = short_recipe(PAPER, first, 0)
    result = {
        "question": "PSNR, SSIM and gradient error on true edges of ColorNet with and without EdgeNet",
        "scale": f"snet_short, both networks {recipe.width} wide, crops of {recipe.augmentation.crop_px} px, batch "
        f"{recipe.batch_size}, about {NUM_STEPS} steps",
        "protocols": {
            protocol: {
                split: {
                    form: spreads([scores[protocol, form, seed][split] for seed in seeds], SCORES)
                    for form in forms[protocol]
                }
                for split in SPLITS[protocol]
            }
            for protocol in PROTOCOLS
        },
    }
    report(result, wanted.output, unprinted=["protocols"])


if __name__ == "__main__":
    main()
