import pytest
import torch

from ircolor.nets import ColorNet, ErrorHead, WithExpectedError


def test_the_colours_are_those_of_the_net_alone() -> None:
    net = ColorNet(width=2).eval()
    images = torch.rand(1, 1, 33, 50) * 2 - 1
    with torch.inference_mode():
        rgb, _ = WithExpectedError(net, ErrorHead(net.feature_channels))(images)
        torch.testing.assert_close(rgb, net(images))


def test_no_gradient_reaches_the_net() -> None:
    net = ColorNet(width=2)
    head = ErrorHead(net.feature_channels)
    _, error = WithExpectedError(net, head)(torch.rand(2, 1, 32, 32))
    error.sum().backward()
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(parameter.grad is not None for parameter in head.parameters())


@pytest.mark.parametrize("scale", [0.0, 1e3])
def test_the_error_lies_between_none_and_black_against_white(scale: float) -> None:
    error = ErrorHead(4)(scale * torch.randn(1, 4, 8, 8))
    assert error.shape == (1, 1, 32, 32)
    assert error.min() >= 0
    assert error.max() <= 100.001
