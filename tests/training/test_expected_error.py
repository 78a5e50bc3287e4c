from pathlib import Path

import pytest
import torch
from torch import Tensor

from ircolor.nets import ColorNet, ErrorHead, WithExpectedError
from ircolor.pairs.protocols import split_pairs
from ircolor.training.expected_error import calibrate, expected_error_loss, true_error_delta_e


def gray(level: float) -> Tensor:
    return torch.full((1, 3, 16, 16), level)


def test_the_true_error_of_black_against_white_is_100() -> None:
    torch.testing.assert_close(true_error_delta_e(gray(-1), gray(1)), torch.full((1, 16, 16), 100.0), atol=0.01, rtol=0)


def test_the_loss_is_smallest_at_the_mean_error() -> None:
    pred, true = torch.cat([gray(-1), gray(0)]), torch.cat([gray(-0.8), gray(0.5)])
    mean = true_error_delta_e(pred, true).mean()
    losses = [expected_error_loss((factor * mean).expand(2, 1, 16, 16), pred, true) for factor in (0.8, 1.0, 1.25)]
    assert losses[1] < min(losses[0], losses[2])


def test_masked_pixels_have_no_say() -> None:
    mask = torch.ones(1, 1, 16, 16, dtype=torch.bool)
    mask[..., 4:9, :] = False
    wrecked = torch.where(mask, gray(0.2), gray(1))
    expected = torch.full((1, 1, 16, 16), 7.0)
    losses = [expected_error_loss(expected, gray(0), true, mask).item() for true in (gray(0.2), wrecked)]
    assert losses[0] == pytest.approx(losses[1])


def test_the_gradient_reaches_the_expectation_alone() -> None:
    pred, expected = gray(0.0).requires_grad_(), torch.full((1, 1, 16, 16), 7.0, requires_grad=True)
    expected_error_loss(expected, pred, gray(0.5)).backward()  # type: ignore[no-untyped-call]
    assert pred.grad is None
    assert expected.grad is not None
    assert expected.grad.abs().sum() > 0


def test_calibration_brings_the_expectation_to_the_mean_true_error(data: Path) -> None:
    torch.manual_seed(0)
    net = ColorNet(width=2)
    model = WithExpectedError(net, ErrorHead(net.feature_channels)).eval()
    pairs = split_pairs(data, "folder", "val")
    first = calibrate(model, pairs)
    assert abs(first - 1) > 0.1
    assert calibrate(model, pairs) == pytest.approx(1, abs=1e-4)
