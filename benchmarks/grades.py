"""Which grade suits the colours of a recipe? On pictures of training that its nets had not seen.

The nets are those that a run has trained for its expected error, each without a part of the pairs. Their colours, at
the size that the nets are shown, are graded in several ways, each with the saturation that brings the colour ratio to
the same value: of grades that are as colourful, the one with the greater chroma gain is nearer to the truth. Needs the
real pairs, in $IRCOLOR_DATA or ../shared/data, and the run with its checkpoints.

    python benchmarks/grades.py runs/nirscene-fast -o benchmarks/results/grades_fast.json
    python benchmarks/grades.py runs/nirscene-snet_plus -o benchmarks/results/grades_snet_plus.json
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from ircolor.grade import UNGRADED, Grade
from ircolor.metrics import chroma_error, chroma_gain, colorfulness, colorfulness_ratio, gray_chroma_error, psnr_db
from ircolor.pairs.folds import Fold
from ircolor.pairs.protocols import training_pairs
from ircolor.shrink import shrink
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.colorized import predict, seen
from ircolor.training.export import net_of
from ircolor.training.recipe import recipe_from_json
from ircolor.training.run_folder import RunFolder
from machine import argument_parser, report
from study import DATA, whole_pictures

COLOR_RATIO = 0.85
SATURATIONS = (0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
BALANCED = Grade(cast=0.4)
GRADES = (
    UNGRADED,
    BALANCED,
    *(replace(BALANCED, magenta=magenta) for magenta in (0.75, 0.5, 0.25, 1.25)),
    *(replace(BALANCED, detail=detail) for detail in (0.8, 0.6, 0.4, 1.2)),
    *(replace(BALANCED, detail=0.6, magenta=magenta) for magenta in (0.75, 0.5, 0.25)),
    *(Grade(cast, detail=0.6, magenta=0.5) for cast in (0.0, 0.2, 0.6, 1.0)),
)


@dataclass(frozen=True)
class Picture:
    """Colours that a net gave to a picture that it had not seen, and the truth: (h, w, 3), in [0, 1]."""

    pred_rgb: NDArray[np.float32]
    true_rgb: NDArray[np.float32]

    @cached_property
    def true_colorfulness(self) -> float:
        """Of the truth: the same for all grades."""
        return colorfulness(self.true_rgb)

    @cached_property
    def gray_chroma_error(self) -> float:
        """Likewise."""
        return gray_chroma_error(self.true_rgb)


def main() -> None:
    """Colorize the pictures of every part, grade them, report."""
    parser = argument_parser(__doc__)
    parser.add_argument("run", type=Path, help="folder of a run that learned its expected error")
    parser.add_argument("--every", type=int, default=2, help="take every so manieth picture")
    wanted = parser.parse_args()
    parts = unseen_pictures(RunFolder(wanted.run), wanted.every)
    found = []
    for grade in GRADES:
        at_ratio = [interpolated(part, grade) for part in parts]
        by_part = {key: [round(part[key], 4) for part in at_ratio] for key in at_ratio[0]}
        gain = round(mean(by_part["chroma_gain"]), 4)
        print(f"cast {grade.cast}, detail {grade.detail}, magenta {grade.magenta}: chroma gain {gain}", flush=True)
        balance = {key: value for key, value in asdict(grade).items() if key != "saturation"}
        found.append({**balance, "mean_chroma_gain": gain, **by_part})
    result = {
        "question": f"chroma gain of grades with the saturation that makes the colour ratio {COLOR_RATIO}, by part",
        "run": wanted.run.name,
        "num_pictures": [len(part) for part in parts],
        "grades": found,
    }
    report(result, wanted.output, unprinted=["grades"])


def unseen_pictures(folder: RunFolder, every: int) -> list[list[Picture]]:
    """The pictures of each part, colorized by the net that was trained on the others."""
    last = load_checkpoint(folder.last)
    recipe, protocol = recipe_from_json(last.recipe), last.about["protocol"]
    trained_on, _ = training_pairs(DATA, protocol, include_val=not last.about["num_val_pairs"])
    assert recipe.trust, f"{folder.path} has not learned its expected error"
    parts = []
    for number in range(recipe.trust.folds):
        net = net_of(load_checkpoint(folder.fold(number).last), str(folder.path))
        unseen = whole_pictures(Fold(number, recipe.trust.folds).part(trained_on), protocol)
        pictures = []
        for pair in unseen[::every]:
            infrared, true_rgb = pair.read()
            small = seen(infrared, recipe.view_px)
            true = shrink(true_rgb, small.shape).astype(np.float32)
            pictures.append(Picture(predict(net, small).rgb, true / np.float32(255)))
        parts.append(pictures)
    return parts


def interpolated(pictures: Sequence[Picture], grade: Grade) -> dict[str, float]:
    """The saturation at which a grade reaches the colour ratio, and its scores there."""
    trials = [scores(pictures, replace(grade, saturation=saturation)) for saturation in SATURATIONS]
    ratios = [trial["color_ratio"] for trial in trials]
    return {key: float(np.interp(COLOR_RATIO, ratios, [trial[key] for trial in trials])) for key in trials[0]}


def scores(pictures: Sequence[Picture], grade: Grade) -> dict[str, float]:
    """Over the pictures, at the size that nets see."""
    graded = [np.clip(grade.apply(picture.pred_rgb), 0, 1) for picture in pictures]
    pairs = [(pred_rgb, picture.true_rgb) for pred_rgb, picture in zip(graded, pictures, strict=True)]
    errors, gray_errors = [chroma_error(*pair) for pair in pairs], [picture.gray_chroma_error for picture in pictures]
    true_colorfulness = [picture.true_colorfulness for picture in pictures]
    return {
        "color_ratio": colorfulness_ratio([colorfulness(pred_rgb) for pred_rgb in graded], true_colorfulness),
        "saturation": grade.saturation,
        "chroma_gain": chroma_gain(errors, gray_errors),
        "psnr_db": mean(psnr_db(*pair) for pair in pairs),
    }


if __name__ == "__main__":
    main()
