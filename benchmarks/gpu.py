"""How many images a second does a GPU colorize, and what share of its matrix rate is that?

SNet's ColorNet, and a narrow one of a seventh of its work (a width that is a multiple of 8, as tensor cores want it; a
tenth would be 20), in bfloat16, channels_last, batch normalisation folded as in the exported file, on tensors that are
on the device. The weights are random, on which the time does not depend. Beside each stands a large bfloat16 matrix
product, timed in the same rounds: the share is the network's operations a second over those of the product.

    python benchmarks/gpu.py -o benchmarks/results/gpu.json
    python benchmarks/gpu.py --device cpu --nets colornet:4 --sizes 64x64 --batch-sizes 1 --modes eager --matmul 512
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ircolor.benchmark.latency import ready_tensor
from ircolor.benchmark.rounds import Contender, run_rounds, timed
from ircolor.errors import UserError, brief
from ircolor.nets import NETS, ColorizingNet
from ircolor.sessions.torch import Mode, TorchSession
from ircolor.training.export import count_gflop_224
from ircolor.training.onnx_model import fold_batch_norm
from machine import argument_parser, report

MIN_TIMED_S = 0.05  # calls are timed in groups of at least so long: a single one may be as short as its launch


def build_net(name: str) -> ColorizingNet:
    """The network of a NAME:WIDTH, in eval mode, without batch normalisation."""
    kind, _, width = name.partition(":")
    net = NETS[kind](int(width)).eval()
    assert isinstance(net, ColorizingNet), f"{kind} does not colorize"
    fold_batch_norm(net)
    return net


def synchronize(device: str) -> None:
    """Wait for the device; the CPU has finished when a call returns."""
    if device == "cuda":
        torch.cuda.synchronize()


def repeated(work: Callable[[], object], device: str) -> tuple[Contender, int]:
    """A contender that does its work several times and waits for the device, and how often it does."""

    def run(num_times: int) -> None:
        for _ in range(num_times):
            work()
        synchronize(device)

    run(3)  # compiles, captures, chooses algorithms
    num_times = max(1, int(np.ceil(MIN_TIMED_S / timed(lambda: run(3))() * 3)))
    return timed(lambda: run(num_times)), num_times


def matmul(size: int, device: str) -> Callable[[], object]:
    """A bfloat16 product of two square matrices, of 2 * size**3 operations."""
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    product = torch.empty_like(left)
    return lambda: torch.mm(left, right, out=product)


def measure(
    net: ColorizingNet,
    gflop_224: float,
    height: int,
    width: int,
    batch_size: int,
    mode: Mode,
    wanted: argparse.Namespace,
) -> dict[str, Any]:
    """Images a second of one network at one size, and its share of the matrix rate."""
    session = TorchSession(net, device=wanted.device, precision="bfloat16", mode=mode)
    ready = ready_tensor(height, width, net.grid_px)
    infrared = session.to_device(np.repeat(ready, batch_size, axis=0))
    network, num_runs = repeated(lambda: session.predict(infrared), session.device)
    product, num_products = repeated(matmul(wanted.matmul, session.device), session.device)
    rounds = run_rounds({"network": network, "matmul": product}, wanted.seconds)
    num_images = num_runs * batch_size
    flop = num_images * gflop_224 * 1e9 * ready.size / 224**2
    matmul_flop = num_products * 2 * wanted.matmul**3
    return {
        "images_per_s": num_images / rounds.median_s("network"),
        "network_tflops": flop / rounds.median_s("network") / 1e12,
        "matmul_tflops": matmul_flop / rounds.median_s("matmul") / 1e12,
        "share_of_matmul_rate": rounds.ratio("matmul", "network") * flop / matmul_flop,
        "num_rounds": len(rounds.seconds["network"]),
    }


def size(text: str) -> tuple[int, int]:
    """Height and width of a WIDTHxHEIGHT."""
    width, height = map(int, text.split("x"))
    return height, width


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--nets", nargs="+", default=["colornet:64", "colornet:24"], metavar="NAME:WIDTH")
    parser.add_argument("--sizes", nargs="+", type=size, default=[(224, 224), (720, 1280)], metavar="WxH")
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 32], metavar="N")
    parser.add_argument("--modes", nargs="+", choices=["eager", "compile", "graph"], default=["eager", "graph"])
    parser.add_argument("--matmul", type=int, default=8192, metavar="N", help="edge of the matrices")
    parser.add_argument("--seconds", type=float, default=3, help="for each number; three rounds in any case")
    wanted = parser.parse_args()
    torch.backends.cudnn.benchmark = True  # sizes are fixed: let it try which algorithm is fastest
    cells: list[dict[str, Any]] = []
    nets = {name: build_net(name) for name in wanted.nets}
    gflop_224 = {name: count_gflop_224(net) for name, net in nets.items()}
    for name, net in nets.items():
        for height, width in wanted.sizes:
            for batch_size in wanted.batch_sizes:
                for mode in wanted.modes:
                    cell = {"net": name, "height": height, "width": width, "batch_size": batch_size, "mode": mode}
                    try:
                        cell |= measure(net, gflop_224[name], height, width, batch_size, mode, wanted)
                    except (
                        RuntimeError,
                        UserError,
                    ) as error:  # no memory, no compiler: the other numbers are still wanted
                        cell |= {"error": brief(error)}
                    print(cell, flush=True)
                    cells.append(cell)
    result = {
        "question": "images/s of networks in bfloat16, and the share of the rate of a bfloat16 matrix product",
        "required": "colornet:64 at 224x224 reaches at least half of the matrix rate",
        "gflop_224": {name: round(gflop, 4) for name, gflop in gflop_224.items()},
        "cells": cells,
    }
    device = torch.cuda.get_device_name() if wanted.device == "cuda" else "cpu"
    report(result, wanted.output, device=device, cuda=torch.version.cuda)


if __name__ == "__main__":
    main()
