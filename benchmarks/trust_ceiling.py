"""How much must be known of errors, for an expected error to order pixels well? Scores of trust of oracles.

Of each bundled network that tells its expected error, on the test pictures of nirscene: the scores of what it tells;
of an oracle that knows the mean error of each picture, and nothing within it; of the same with what the network tells
within pictures; and of oracles that know the mean error of each part, of pictures cut into 2x2, 4x4... Needs the real
pairs, in $IRCOLOR_DATA or ../shared/data.

    python benchmarks/trust_ceiling.py -o benchmarks/results/trust_ceiling.json
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ircolor import Colorizer
from ircolor.evaluation.score import TRUST_STRIDE_PX
from ircolor.evaluation.trust import score_trust
from ircolor.metrics import delta_e_2000_map
from ircolor.pairs.protocols import split_pairs
from machine import argument_parser, report
from study import DATA

MODELS = ("fast", "snet_plus", "snet")
PARTS_A_SIDE = (2, 4, 8, 16)

Map = NDArray[np.float32]
# Expected and true CIEDE2000 of a picture, (h, w) each, to what an oracle would expect.
Oracle = Callable[[Map, Map], Map]


def main() -> None:
    """Colorize the pictures by each network, score its oracles, report."""
    wanted = argument_parser(__doc__).parse_args()
    scores = {model: ceilings(errors(model)) for model in MODELS}
    report({"question": "scores of trust, nirscene test, were more known of errors", "models": scores}, wanted.output)


def errors(model: str) -> list[tuple[Map, Map]]:
    """Expected and true CIEDE2000 of each picture, of the pixels that scores of trust are taken of."""
    thin = slice(None, None, TRUST_STRIDE_PX)
    colorizer = Colorizer(model, return_trust=True)
    found = []
    for pair in track(split_pairs(DATA, "nirscene", "test"), model):
        infrared, true_rgb = pair.read()
        rgb, expected = (image[thin, thin] for image in colorizer(infrared))
        found.append((expected, delta_e_2000_map(rgb, true_rgb[thin, thin]).astype(np.float32)))
    return found


def ceilings(maps: Sequence[tuple[Map, Map]]) -> dict[str, dict[str, float]]:
    """Rank correlation and trusted half of what the network expects, and of oracles."""
    oracles: dict[str, Oracle] = {
        "network": lambda expected, _: expected,
        "mean of each picture known": parts_known(1),
        "mean of each picture known, network within": lambda expected, true: expected * (true.mean() / expected.mean()),
        **{f"means of {n}x{n} parts known": parts_known(n) for n in PARTS_A_SIDE},
    }
    true = np.concatenate([true.ravel() for _, true in maps])
    found = {}
    for name, oracle in oracles.items():
        scores = score_trust(np.concatenate([oracle(*each).ravel() for each in maps]), true)
        found[name] = {"rank_correlation": round(scores.spearman, 3), "trusted_half": round(scores.trusted_half, 3)}
    return found


def parts_known(parts_a_side: int) -> Oracle:
    """An oracle that knows the mean error of each part of a picture."""

    def expect(_: Map, true: Map) -> Map:
        means = cv2.resize(true, (parts_a_side, parts_a_side), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(means, true.shape[::-1], interpolation=cv2.INTER_NEAREST), np.float32)

    return expect


if __name__ == "__main__":
    main()
