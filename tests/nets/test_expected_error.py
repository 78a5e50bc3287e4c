import pytest
import torch
from torch import nn

from ircolor.nets import ColorNet, ErrorHead, WithExpectedError
from ircolor.tiles import plan_tiles


def test_the_colours_are_those_of_the_net_alone() -> None:
    net = ColorNet(width=2).eval()
    images = torch.rand(1, 1, 33, 50) * 2 - 1
    with torch.inference_mode():
        rgb, error = WithExpectedError(net, ErrorHead()).eval()(images)
        torch.testing.assert_close(rgb, net(images))
    assert error.shape == (1, 1, 33, 50)
    assert error.min() > 0


def test_no_gradient_reaches_the_net() -> None:
    net, head = ColorNet(width=2), ErrorHead()
    _, error = WithExpectedError(net, head)(torch.rand(2, 1, 32, 32))
    error.sum().backward()
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(parameter.grad is not None for parameter in head.parameters())


@pytest.mark.parametrize("scale", [0.0, 1e3])
def test_the_error_lies_between_none_and_black_against_white(scale: float) -> None:
    head = ErrorHead().eval()
    nn.init.normal_(head.log_error.weight, std=scale)
    error = head(torch.rand(1, 1, 32, 48) * 2 - 1, torch.rand(1, 3, 32, 48) * 2 - 1)
    assert error.shape == (1, 1, 32, 48)
    assert error.min() >= 0
    assert error.max() <= 100.001


def test_rescaling_multiplies() -> None:
    head = ErrorHead().eval()
    images = torch.rand(1, 1, 32, 48), torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        before = head(*images)
        head.rescale(1.5)
        torch.testing.assert_close(head(*images), 1.5 * before)


def test_tiles_of_the_expected_error_equal_those_of_the_whole() -> None:
    """What a net reaches and what its head reaches add up."""
    torch.manual_seed(0)
    model = WithExpectedError(ColorNet(width=2), ErrorHead()).eval().double()
    edge_px = 2 * model.halo_px + 2 * model.grid_px
    height, width = model.grid_px, edge_px + 3 * model.grid_px
    images = torch.rand(1, 1, height, width, dtype=torch.float64) * 2 - 1
    plan = plan_tiles(height, width, edge_px, grid_px=model.grid_px, halo_px=model.halo_px, bytes_per_px=1)
    assert len(plan.columns) > 1
    with torch.inference_mode():
        whole = model.forward_on_grid(images)[1]
        for _, column in plan:
            tile = model.forward_on_grid(images[..., column.start : column.end])[1]
            kept = slice(column.keep_start - column.start, column.keep_end - column.start)
            torch.testing.assert_close(
                tile[..., kept], whole[..., column.keep_start : column.keep_end], rtol=0, atol=1e-9
            )
