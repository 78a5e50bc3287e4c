import pytest
import torch
from torch import nn

from ircolor.nets import EdgeNet
from ircolor.nets.edgenet import EdgeNetVariant
from tests.contracts.net_contract import NetContract


def convolution_parameters(*layers: tuple[int, int]) -> int:
    """3x3 kernels, bias, and scale and shift of batch normalisation, for (in, out) channels of each layer."""
    return sum(9 * inputs * outputs + 3 * outputs for inputs, outputs in layers)


@pytest.mark.parametrize(
    ("variant", "width", "layers"),
    [
        ("text", 64, [(3, 64), (64, 128), (128, 64), (64, 1)]),
        ("text", 8, [(3, 8), (8, 16), (16, 8), (8, 1)]),
        ("figure", 64, [(3, 64), (64, 1)]),
    ],
)
def test_layers_are_those_of_the_paper(variant: EdgeNetVariant, width: int, layers: list[tuple[int, int]]) -> None:
    num_parameters = sum(parameter.numel() for parameter in EdgeNet(width, variant).parameters())
    assert num_parameters == convolution_parameters(*layers)


class TestEdgeNet(NetContract):
    name, channels = "edgenet", (3, 1)

    def build(self) -> nn.Module:
        return EdgeNet(width=8)


class TestEdgeNetOfTheFigure(TestEdgeNet):
    def build(self) -> nn.Module:
        return EdgeNet(width=8, variant="figure")


def test_gradient_flows_through_to_the_prediction() -> None:
    difference = torch.randn(2, 3, 16, 16, requires_grad=True)
    EdgeNet(8)(difference).square().mean().backward()
    assert difference.grad is not None
    assert difference.grad.abs().max() > 0
