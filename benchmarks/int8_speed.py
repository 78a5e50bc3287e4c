"""How much faster is the bundled int8 SNet than the same network in torch, eager, float32, as others run theirs?

One 224x224 image on the CPU. In between stands the float32 network under onnxruntime. The float32 networks have random
weights, on which the time does not depend. All take turns, so that ratios hold on a busy machine too.

    python benchmarks/int8_speed.py -o benchmarks/results/int8_speed.json
"""

from functools import partial

import torch

from ircolor.benchmark.latency import Network, ready_tensor
from ircolor.benchmark.rounds import run_rounds, timed
from ircolor.machine import cores
from ircolor.nets.colornet import ColorNet
from ircolor.sessions.onnx import OnnxSession
from ircolor.sessions.torch import TorchSession
from ircolor.training.onnx_model import to_onnx
from ircolor.weights.catalogue import find_model
from machine import argument_parser, report

INT8, FLOAT32, TORCH = "onnxruntime int8", "onnxruntime float32", "torch eager float32"
REQUIRED_SPEEDUP = 4.5


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--threads", type=int, default=cores().usable)
    parser.add_argument("--seconds", type=float, default=60, help="no further round begins after so long")
    wanted = parser.parse_args()
    model = find_model("snet")
    net = ColorNet().eval()
    assert model.card.arithmetic == "int8"
    assert model.card.num_parameters == sum(parameter.numel() for parameter in net.parameters())
    torch.set_num_threads(wanted.threads)
    exported = to_onnx(net).SerializeToString()
    networks: dict[str, Network] = {
        INT8: OnnxSession(model.data, model.name, device="cpu", threads=wanted.threads).run,
        FLOAT32: OnnxSession(exported, "snet in float32", device="cpu", threads=wanted.threads).run,
        TORCH: TorchSession(net, device="cpu", channels_last=False).run,
    }
    ready = ready_tensor(224, 224, model.card.grid_px)
    rounds = run_rounds({name: timed(partial(run, ready)) for name, run in networks.items()}, wanted.seconds)
    speedup = round(rounds.ratio(TORCH, INT8), 2)  # what is quoted is what is judged
    result = {
        "question": "milliseconds for one 224x224 image, and how many times faster int8 is",
        "required": f"int8 at least {REQUIRED_SPEEDUP} times as fast as torch",
        "reached": speedup >= REQUIRED_SPEEDUP,
        "speedup_over_torch": speedup,
        "speedup_over_onnxruntime_float32": round(rounds.ratio(FLOAT32, INT8), 2),
        "median_ms": {name: round(rounds.median_s(name) * 1e3, 1) for name in networks},
        "min_ms": {name: round(min(seconds) * 1e3, 1) for name, seconds in rounds.seconds.items()},
        "num_rounds": len(rounds.seconds[INT8]),
        "round_speedups": [
            round(theirs / ours, 2) for ours, theirs in zip(rounds.seconds[INT8], rounds.seconds[TORCH], strict=True)
        ],
        "model_sha256": model.sha256,
        "threads": wanted.threads,
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
