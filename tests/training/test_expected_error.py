from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ircolor.nets import ColorNet, ErrorHead, WithExpectedError
from ircolor.pairs.protocols import split_pairs
from ircolor.training.expected_error import calibrate, error_map, expected_error_loss
from ircolor.view import View


def gray(level: int) -> NDArray[np.uint8]:
    return np.full((16, 16, 3), level, np.uint8)


def errors(seed: int = 0) -> Tensor:
    return torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(seed)) * 30


def test_the_error_of_black_against_white_is_100() -> None:
    error = error_map(gray(0).astype(np.float32), gray(255))
    np.testing.assert_allclose(error, 100, atol=0.01)
    assert error.shape == (16, 16)


def test_the_loss_is_smallest_at_the_mean_error() -> None:
    true = errors()
    losses = [
        expected_error_loss(torch.full_like(true, factor * float(true.mean())), true) for factor in (0.8, 1.0, 1.25)
    ]
    assert losses[1] < min(losses[0], losses[2])


def test_masked_pixels_have_no_say() -> None:
    true, mask = errors(), torch.ones(2, 1, 16, 16, dtype=torch.bool)
    mask[..., 4:9, :] = False
    expected = torch.full_like(true, 7.0)
    losses = [expected_error_loss(expected, each, mask).item() for each in (true, torch.where(mask, true, 99.0))]
    assert losses[0] == pytest.approx(losses[1])


@pytest.mark.parametrize("view_px", [0, 24])
def test_calibration_brings_the_expectation_to_the_mean_true_error(data: Path, view_px: int) -> None:
    torch.manual_seed(0)
    model = WithExpectedError(ColorNet(width=2), ErrorHead()).eval()
    pairs = split_pairs(data, "folder", "val")
    first = calibrate(model, pairs, View(view_px))
    assert abs(first - 1) > 0.1
    assert calibrate(model, pairs, View(view_px)) == pytest.approx(1, abs=1e-4)
