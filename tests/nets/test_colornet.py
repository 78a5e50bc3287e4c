import pytest
import torch

from ircolor.nets import ColorizingNet, ColorNet
from ircolor.training.export import count_gflop_224
from tests.contracts.net_contract import ColorizingNetContract


class TestColorNet(ColorizingNetContract):
    name = "colornet"

    def build(self) -> ColorizingNet:
        return ColorNet(width=4)


def test_parameters_are_those_of_the_paper() -> None:
    assert sum(parameter.numel() for parameter in ColorNet().parameters()) == 13_394_307


def test_work_is_that_of_the_paper() -> None:
    assert count_gflop_224(ColorNet().eval()) == pytest.approx(47.2, abs=0.05)


def test_latent_has_a_sixteenth_of_the_size() -> None:
    shapes = []
    net = ColorNet(width=2)
    net.encoder[-1].register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape)))
    net(torch.zeros(1, 1, 224, 224))
    assert shapes == [(1, 16, 14, 14)]


def test_halo_is_as_small_as_the_grid_allows() -> None:
    """A change just outside the halo does not reach the tile; one 16 px nearer does."""
    net = TestColorNet().colorizer().double()
    infrared = torch.randn(1, 1, 320, 16, dtype=torch.float64)
    edge_px = 160
    with torch.inference_mode():
        before = net(infrared)[..., edge_px:, :]
        for context_px, reaches in ((net.halo_px, False), (net.halo_px - net.grid_px, True)):
            changed = infrared.clone()
            changed[..., : edge_px - context_px, :] += 1
            assert bool((net(changed)[..., edge_px:, :] - before).abs().max() > 0) is reaches
