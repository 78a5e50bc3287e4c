"""A network in torch as an ONNX model that keeps the runtime's contract."""

import copy
import logging
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ircolor.nets import ColorizingNet, ErrorHead, WithExpectedError

OPSET = 20
MIN_HALVED_WEIGHTS = 1024  # smaller tensors (biases) gain nothing and stay exact


class _OnGrid(nn.Module):
    """The network without its padding, which the runtime does: the exported graph takes sizes on the grid."""

    def __init__(self, net: ColorizingNet | WithExpectedError) -> None:
        super().__init__()
        self.net = net

    def forward(self, infrared: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        return self.net.forward_on_grid(infrared)


def to_onnx(net: ColorizingNet, error_head: ErrorHead | None = None) -> onnx.ModelProto:
    """Export a network for the runtime's contract.

    `infrared` (B, 1, H, W) to `rgb` (B, 3, H, W), both in [-1, 1], and where there is a head for it `expected_error`,
    (B, 1, H, W), in CIEDE2000.

    Args:
        net: in eval mode; left as it is. Batch normalisation is folded into the convolutions.
        error_head: of the net, in eval mode.

    Returns:
        float32, any batch size, H and W any multiples of the net's grid.
    """
    whole = copy.deepcopy(net if error_head is None else WithExpectedError(net, error_head))
    fold_batch_norm(whole)
    height, width = (whole.grid_px * torch.export.Dim(name, min=1, max=1 << 12) for name in ("rows", "columns"))
    sample = torch.zeros(2, 1, 3 * whole.grid_px, 2 * whole.grid_px)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it reports that torchvision is missing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        program = torch.onnx.export(
            _OnGrid(whole),
            (sample,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["infrared"],
            output_names=["rgb"] if error_head is None else ["rgb", "expected_error"],
            dynamic_shapes=({0: torch.export.Dim("batch"), 2: height, 3: width},),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.initializer, model.graph):
        del part.metadata_props[:]  # stack traces: paths of the machine that exported, and lines that move
    return model


def fold_batch_norm(net: nn.Module) -> None:
    """Fold every batch normalisation that follows a convolution in a sequence into it, in place; eval mode only."""
    for block in net.modules():
        if isinstance(block, nn.Sequential):
            for number in range(1, len(block)):
                before, layer = block[number - 1], block[number]
                if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
                    block[number - 1] = fuse_conv_bn_eval(before, layer)
                    block[number] = nn.Identity()


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store every large float32 weight as float16 behind a Cast, which onnxruntime folds when it loads the file.

    Halves the file; the arithmetic stays float32.
    """
    graph = model.graph
    casts = []
    for initializer in graph.initializer:
        if initializer.data_type == TensorProto.FLOAT and np.prod(initializer.dims) >= MIN_HALVED_WEIGHTS:
            half = numpy_helper.from_array(numpy_helper.to_array(initializer).astype(np.float16))
            full_name, half.name = initializer.name, initializer.name + "_half"
            initializer.CopyFrom(half)
            casts.append(helper.make_node("Cast", [half.name], [full_name], to=TensorProto.FLOAT))
    for number, cast in enumerate(casts):
        graph.node.insert(number, cast)
    onnx.checker.check_model(model)
    return model
