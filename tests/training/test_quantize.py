import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ircolor.nets import ColorizingNet
from ircolor.training.onnx_model import to_onnx
from ircolor.training.quantize import quantize


def images(number: int) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(number)
    return [rng.random((1, 1, 32, 32), np.float32) * 2 - 1 for _ in range(number)]


@pytest.mark.parametrize(
    ("layers", "exact"), [((), []), (("encoder.0",), [0, 1]), (("encoder.1.3", "encoder.0.0"), [0, 3])]
)
def test_int8_leaves_the_convolutions_exact_that_are_to_be(
    net: ColorizingNet, layers: tuple[str, ...], exact: list[int]
) -> None:
    graph = quantize(to_onnx(net), images(1), layers).graph
    maker = {output: node.op_type for node in graph.node for output in node.output}
    weights = [maker.get(node.input[1]) for node in graph.node if node.op_type == "Conv"]
    of_last = len(weights) - 1  # it is exact whatever is asked for
    assert [number for number, made_by in enumerate(weights) if made_by is None] == [*exact, of_last]
    assert set(weights) == {None, "DequantizeLinear"}


def test_what_is_quantized_is_left_as_it_is(net: ColorizingNet) -> None:
    model = to_onnx(net)
    before = copy.deepcopy(model)
    quantize(model, images(1))
    assert model == before


class Enlarging(ColorizingNet):
    """It ends with a transposed convolution, as pix2pix does."""

    grid_px, halo_px, bytes_per_px, bytes_per_px_int8 = 2, 4, 100, 100

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 4, 4, stride=2, padding=1)
        self.last = nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1)

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        return torch.as_tensor(torch.tanh(self.last(torch.relu(self.first(infrared)))))


def test_only_the_last_layer_stays_exact_where_it_is_a_transposed_convolution() -> None:
    graph = quantize(to_onnx(Enlarging().eval()), images(2)).graph
    maker = {output: node.op_type for node in graph.node for output in node.output}
    weights = {node.op_type: maker.get(node.input[1]) for node in graph.node if node.op_type.startswith("Conv")}
    assert weights == {"Conv": "DequantizeLinear", "ConvTranspose": None}


class Tilted(ColorizingNet):
    """Each channel has weights of which all but the largest are rounded down, to nothing, and no two lose alike."""

    grid_px, halo_px, bytes_per_px, bytes_per_px_int8 = 1, 3, 100, 100

    def __init__(self, groups: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(1, 6, 3, padding=1)
        self.tilted = nn.Conv2d(6, 6, 3, padding=1, groups=groups)
        self.last = nn.Conv2d(6, 3, 1)
        assert self.first.bias is not None
        with torch.no_grad():
            self.first.bias.copy_(torch.tensor([3.0, 0, 2, 0, 1, 0]))  # nor do they see alike
            self.tilted.weight.copy_(torch.rand_like(self.tilted.weight) * 0.49 / 64)
            self.tilted.weight[:, 0, 1, 1] = 1.0
            self.last.weight.abs_().mul_(0.3)

    def forward_on_grid(self, infrared: Tensor) -> Tensor:
        features = torch.relu(self.tilted(torch.relu(self.first(infrared))))
        return torch.as_tensor(torch.tanh(self.last(features)))


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_pictures_are_as_bright_as_before(groups: int) -> None:
    """The mean of what rounding takes from the weights is given back."""
    model = to_onnx(Tilted(groups).eval())
    calibration, unseen = images(8), images(9)[0]

    def mean_colors(model: onnx.ModelProto) -> NDArray[np.float32]:
        (rgb,) = onnxruntime.InferenceSession(model.SerializeToString()).run(["rgb"], {"infrared": unseen})
        return np.asarray(rgb.mean(axis=(0, 2, 3)))

    assert np.abs(mean_colors(quantize(model, calibration)) - mean_colors(model)).max() < 0.002
