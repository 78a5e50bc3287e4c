"""What a training is measured by."""

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ircolor.nets import ColorNet, EdgeNet, LiteUNet
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.device import choose_precision, make_accelerator
from ircolor.training.speed import Work, matmul_gflops, training_gflop_of
from tests.training.runs import RECIPE, run_quietly


def test_work_of_the_papers_network() -> None:
    """The paper's ColorNet has 47.2 GFLOP at 224 px (FACTS), a training step three times that."""
    net = ColorNet(64).train()
    before = net.state_dict()["encoder.0.1.running_mean"].clone()
    assert training_gflop_of(net, 1, 224) == pytest.approx(3 * 47.2, rel=0.01)
    assert net.training
    assert torch.equal(net.state_dict()["encoder.0.1.running_mean"], before)
    assert training_gflop_of(EdgeNet(64), 3, 224) > 1


def test_parts_that_are_not_trained_are_only_run_forward() -> None:
    net = LiteUNet(4)
    work = training_gflop_of(net, 1, 64)
    net.encoder.requires_grad_(True)
    all_trained = training_gflop_of(net, 1, 64)
    assert all_trained == pytest.approx(3 * count_gflop(net, 64))
    assert work == pytest.approx(all_trained - 2 * count_gflop(net.encoder, 64))


def count_gflop(net: torch.nn.Module, edge_px: int) -> float:
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 1, edge_px, edge_px))
    return float(counter.get_total_flops()) / 1e9


def test_what_is_left_is_the_work_of_the_steps_to_come() -> None:
    work = Work(hint_gflop=1.0, color_gflop=5.0, hint_steps=3, total_steps=7)
    steps = [work.of_step(step) for step in range(7)]
    assert steps == [1, 1, 1, 5, 5, 5, 5]
    assert [work.after(done) for done in range(8)] == [sum(steps[done:]) for done in range(8)]


def test_rate_of_matrix_products() -> None:
    """Any computer does more than a hundred million operations a second, and less than 10^17."""
    assert 0.1 < matmul_gflops(make_accelerator(choose_precision())) < 1e8


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_compiled_nets_learn_alike(data: Path, tmp_path: Path) -> None:
    ends = []
    for name, compiled in (("eager", False), ("compiled", True)):
        run_quietly(RECIPE, data, tmp_path / name, compile_nets=compiled)
        ends.append(load_checkpoint(tmp_path / name / "checkpoints" / "last.safetensors").tensors)
    eager, compiled_ones = ends
    assert eager.keys() == compiled_ones.keys()
    for name, weights in eager.items():
        if name.startswith("net."):
            torch.testing.assert_close(compiled_ones[name], weights, rtol=0.1, atol=0.02)
