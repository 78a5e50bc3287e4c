import copy
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from ircolor.nets import ColorizingNet
from ircolor.training.onnx_model import fold_batch_norm, halve_weights, to_onnx


def run_onnx(model: bytes, infrared: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> torch.Tensor:
    (rgb,) = onnxruntime.InferenceSession(model).run(None, {"infrared": infrared})
    return torch.from_numpy(rgb)


def test_folding_changes_nothing_but_the_layers(net: ColorizingNet) -> None:
    folded = copy.deepcopy(net)
    fold_batch_norm(folded)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    infrared = torch.rand(1, 1, 32, 32) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(folded(infrared), net(infrared), atol=1e-5, rtol=0)


def test_half_precision_weights_shrink_the_file_and_barely_change_the_picture(net: ColorizingNet) -> None:
    full = to_onnx(net)
    half = halve_weights(copy.deepcopy(full))
    assert len(half.SerializeToString()) < 0.7 * len(full.SerializeToString())
    infrared = (np.random.default_rng(0).random((1, 1, 48, 64), np.float32)) * 2 - 1
    expected = run_onnx(full.SerializeToString(), infrared)
    torch.testing.assert_close(run_onnx(half.SerializeToString(), infrared), expected, atol=0.01, rtol=0)


def test_a_batch_normalisation_that_comes_first_is_left() -> None:
    block = torch.nn.Sequential(torch.nn.BatchNorm2d(1), torch.nn.ReLU(), torch.nn.Conv2d(1, 1, 1)).eval()
    block.get_buffer("0.running_mean").fill_(3.0)
    folded = copy.deepcopy(block)
    fold_batch_norm(folded)
    images = torch.rand(1, 1, 4, 4) * 9
    torch.testing.assert_close(folded(images), block(images))


def test_a_model_tells_nothing_of_the_machine_that_exported_it(net: ColorizingNet) -> None:
    model = to_onnx(net).SerializeToString()
    assert str(Path(__file__).parents[2]).encode() not in model
    assert b".py" not in model
