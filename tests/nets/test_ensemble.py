import numpy as np
import torch
from torch import nn

from ircolor.nets import ColorizingNet, ColorNet, Ensemble, LiteUNet, combined
from ircolor.training.onnx_model import to_onnx
from ircolor.training.quantize import quantize
from tests.contracts.net_contract import ColorizingNetContract


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
    assert both.bytes_per_px_int8 == narrow.bytes_per_px_int8 + lite.bytes_per_px_int8
    assert both.pretrained == lite.pretrained


def test_tiles_lie_on_the_grid_of_all_nets() -> None:
    class Coarse(ColorNet):
        grid_px = 32

    assert Ensemble([ColorNet(width=2), Coarse(width=2)]).halo_px == 128  # of 112
    assert Ensemble([LiteUNet(width=2), ColorNet(width=2)]).halo_px == LiteUNet.halo_px


def test_in_int8_nets_of_one_encoder_do_not_disturb_each_other() -> None:
    """The exporter merges what is equal: work of the first layers, and the biases of later ones."""
    narrow, lite, other = ColorNet(width=2).eval(), LiteUNet(width=2).eval(), LiteUNet(width=2).eval()
    ensemble = Ensemble([narrow, lite, other])
    for module in ensemble.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)  # zero ones are left out
    other.encoder.load_state_dict(lite.encoder.state_dict())
    model = to_onnx(ensemble)
    images = [np.random.default_rng(0).random((1, 1, 32, 32), np.float32) * 2 - 1]
    graph = quantize(model, images, ensemble.exact_layers).graph
    maker = {output: node for node in graph.node for output in node.output}
    kept = {node.input[1] for node in graph.node if node.op_type == "Conv" and node.input[1] not in maker}
    heads = {"net.nets.0.head.weight", "net.nets.1.head.weight", "net.nets.2.head.weight"}
    first = {name.removeprefix("net.nets.1.encoder.") for name in kept - heads}
    assert heads < kept
    assert first == {"stem.1.weight", "stages.0.0.layers.0.1.weight", "stages.0.0.layers.1.1.weight"}
    dequantized = [maker[node.input[2]] for node in graph.node if node.op_type == "Conv" and node.input[2] in maker]
    biases = [node.input[0] for node in dequantized]
    assert len(set(biases)) == len(biases) > 90  # each is corrected once
