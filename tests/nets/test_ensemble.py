import onnx
import torch
from torch import nn

from ircolor.nets import ColorizingNet, ColorNet, Ensemble, LiteUNet, combined
from tests.contracts.net_contract import ColorizingNetContract, exported


class TestEnsemble(ColorizingNetContract):
    name = "ensemble"

    def build(self) -> ColorizingNet:
        return Ensemble([ColorNet(width=2), LiteUNet(width=2)])


def test_its_colours_are_the_mean() -> None:
    nets = [ColorNet(width=2).eval(), ColorNet(width=3).eval(), LiteUNet(width=2).eval()]
    infrared = torch.rand(1, 1, 32, 64) * 2 - 1
    with torch.inference_mode():
        mean = (nets[0](infrared) + nets[1](infrared) + nets[2](infrared)) / 3
        torch.testing.assert_close(Ensemble(nets)(infrared), mean)


def test_one_net_stays_itself() -> None:
    net = ColorNet(width=2)
    assert combined([net]) is net


def test_it_fits_the_tiles_and_the_memory_of_all_its_nets() -> None:
    narrow, lite = ColorNet(width=2), LiteUNet(width=2)
    both = Ensemble([narrow, lite])
    assert both.grid_px == 32
    assert both.halo_px == lite.halo_px
    assert both.bytes_per_px == narrow.bytes_per_px + lite.bytes_per_px
    assert both.pretrained == lite.pretrained


def test_the_convolutions_that_stay_exact_are_found_behind_other_nets() -> None:
    """Their places are told by counting layers; in the graph they must be the same ones."""
    both = TestEnsemble().build()
    graph = onnx.load_from_string(exported(TestEnsemble)).graph
    shapes = {initializer.name: tuple(initializer.dims) for initializer in graph.initializer}
    in_graph = [shapes[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    assert in_graph == [tuple(module.weight.shape) for module in both.modules() if isinstance(module, nn.Conv2d)]
    layers_before = sum(isinstance(module, nn.Conv2d) for module in ColorNet(width=2).modules())
    assert both.exact_convolutions == [layers_before + number for number in LiteUNet.exact_convolutions]
