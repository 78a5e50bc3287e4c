"""How long the bundled networks take for one image, against `snet`, and what the expected error adds.

From infrared at rest to colours of its size, all in the same rounds. In its turn a network colorizes a few images in a
row, as frames of a video come; the first, which finds in the caches what another network left there, does not count.

    python benchmarks/model_speed.py -o benchmarks/results/model_speed.json
"""

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from ircolor.benchmark.latency import CARD_SIZES
from ircolor.benchmark.rounds import Contender, run_rounds, timed
from ircolor.machine import cores
from ircolor.network import Network
from ircolor.weights.catalogue import list_models
from machine import argument_parser, report

MEASURE = "snet"
NUM_IN_A_ROW = 5
REQUIRED_RATIO, REQUIRED_TRUST_RATIO = 0.1, 1.1


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--threads", type=int, default=cores().usable)
    parser.add_argument(
        "--seconds", type=float, default=60, help="for each size; no further round begins after so long"
    )
    wanted = parser.parse_args()
    networks = {
        (model.name, trust): Network(
            model, device="cpu", tile="off", threads=wanted.threads, lanes=1, trust=trust, fade_strength=0
        )
        for model in list_models()
        for trust in ((False, True) if model.gives_trust else (False,))
    }
    sizes: dict[str, dict[str, Any]] = {}
    for height, width in CARD_SIZES:
        infrared = np.random.default_rng(0).random((height, width), np.float32)
        names = {f"{name}{' with trust' if trust else ''}": key for key in networks for name, trust in [key]}
        rounds = run_rounds(
            {name: _in_a_row(partial(networks[key].run, infrared)) for name, key in names.items()}, wanted.seconds
        )
        sizes[f"{width}x{height}"] = {
            "median_ms": {name: round(rounds.median_s(name) * 1e3, 2) for name in names},
            f"over_{MEASURE}": {
                name: round(rounds.ratio(name, MEASURE), 3) for name, (_, trust) in names.items() if not trust
            },
            "trust_ratio": {
                name: round(rounds.ratio(shown, name), 3) for shown, (name, trust) in names.items() if trust
            },
            "num_rounds": len(rounds.seconds[MEASURE]),
        }
    smallest = sizes["224x224"]
    result = {
        "question": "milliseconds for one image, and over those of snet; with the expected error over without",
        "required": f"fast at most {REQUIRED_RATIO} of {MEASURE} at 224x224; trust at most {REQUIRED_TRUST_RATIO}",
        "reached": {
            "fast": smallest[f"over_{MEASURE}"].get("fast", 1.0) <= REQUIRED_RATIO,
            "trust": all(ratio <= REQUIRED_TRUST_RATIO for ratio in smallest["trust_ratio"].values()),
        },
        "sizes": sizes,
        "threads": wanted.threads,
    }
    report(result, wanted.output)


def _in_a_row(work: Callable[[], object]) -> Contender:
    once = timed(work)
    return lambda: median([once() for _ in range(1 + NUM_IN_A_ROW)][1:])


if __name__ == "__main__":
    main()
