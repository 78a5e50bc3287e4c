"""How far does the paper's own net get on protocol paper-like, whose test shows the places of training again?

ColorNet at the paper's width, which is given hints: 20 epochs of these alone and 32 of colours, and then 20 more, from
the largest learning rate to zero again. The last weights of both are scored on whole images, in float32. Finished runs
are kept and not done again, what was begun is gone on with; recipes and logs of those that are reported are in
runs/paper-like-paper_like_colornet. Needs the real pairs, in $IRCOLOR_DATA or ../shared/data.

    python benchmarks/paper_like_colornet.py -o benchmarks/results/paper_like_colornet.json
"""

from dataclasses import replace
from pathlib import Path

from ircolor.pairs.augment import Augmentation
from ircolor.pairs.protocols import split_pairs
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import net_of
from ircolor.training.recipes import RECIPES
from ircolor.training.run_folder import RunFolder
from ircolor.training.train import train
from machine import report
from study import DATA, SPLITS, score, spreads, study_parser

PROTOCOL = "paper-like"
SCORES = ("psnr_db", "ssim", "angular_error_deg", "delta_e_2000", "chroma_gain", "colorfulness_ratio")
FIRST = replace(
    RECIPES["paper_like"](),
    name="paper_like_colornet",
    summary="the paper's ColorNet for protocol paper-like alone: with hints, to know its places by heart",
    net="colornet",
    width=64,
    hints=3.0,
    hint_epochs=20,
    view_px=96,
    augmentation=Augmentation(crop_px=96, window=(0.8, 1.0)),
    epochs=32,
    validate_every=4,
)
AGAIN = replace(FIRST, hint_epochs=0, epochs=20)


def main() -> None:
    """Train both, score both, report."""
    wanted = study_parser(__doc__, Path("out/paper_like_colornet")).parse_args()
    before: Path | None = None
    splits = {}
    for name, recipe in (("first", FIRST), ("again", AGAIN)):
        run = RunFolder(wanted.runs / name)
        begun = run.description.exists()
        outcome = train(recipe, DATA, PROTOCOL, run.path, resume=begun, init=None if begun else before)
        if outcome.signal is not None:
            raise SystemExit(128 + outcome.signal)
        before = run.last
        net = net_of(load_checkpoint(run.last), name)
        splits[name] = {
            split: spreads([score(net, split_pairs(DATA, PROTOCOL, split), recipe.view)], SCORES)
            for split in SPLITS[PROTOCOL]
        }
    result = {
        "question": "scores of ColorNet at the paper's width on protocol paper-like, after 32 epochs and 20 more",
        "recipe": FIRST.to_json(),
        "runs": splits,
    }
    report(result, wanted.output, unprinted=["recipe"])


if __name__ == "__main__":
    main()
