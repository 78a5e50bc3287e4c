"""What do reading, writing and all else cost, beside the bare network on tensors that are ready?

A folder of 200 PNG files, and a video: seconds from file to file over seconds of the network alone, and frames a second
over those of the network alone, in the same rounds.

    python benchmarks/throughput.py --model fast -o benchmarks/results/throughput_fast.json
"""

import sys
from typing import Any

from ircolor.benchmark.latency import bare_network
from ircolor.benchmark.throughput import Throughput, folder_throughput, video_throughput
from ircolor.colorizer import Colorizer
from machine import argument_parser, report


def told(found: Throughput) -> dict[str, Any]:
    """The facts of one measurement, printed as they come."""
    facts = found.to_dict() | {"rate_ratio": 1 / found.rounds.ratio("ircolor", "network")}
    print(facts, file=sys.stderr)
    return facts


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--frames", type=int, default=100)
    wanted = parser.parse_args()
    colorizer = Colorizer(wanted.model, device="cpu", threads=wanted.threads, lanes=None)
    bare = bare_network(colorizer, wanted.threads)
    runs = [
        told(folder_throughput(colorizer, bare, wanted.images, 224, 224)),
        told(folder_throughput(colorizer, bare, wanted.images, 480, 640)),
        told(video_throughput(colorizer, bare, wanted.frames, 480, 640)),
    ]
    result = {
        "question": "time from file to file over that of the bare network on ready tensors, and its inverse",
        "model": wanted.model,
        "threads": wanted.threads,
        "lanes": colorizer.lanes,
        "runs": runs,
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
