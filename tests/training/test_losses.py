import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from ircolor.nets import NETS
from ircolor.training.losses import (
    color_loss,
    difference_edge_loss,
    difference_map,
    edge_enhanced_rgb,
    edge_loss,
    feature_error,
    squared_error,
    total_loss,
)

# Two pixels of one image, channels first: predicted (1, 2, 3) and (0, 0, 0); true (0, 0, 1) and (0, -2, 0).
PREDICTED = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]).reshape(1, 3, 1, 2)
TRUE = torch.tensor([[0.0, 0.0], [0.0, -2.0], [1.0, 0.0]]).reshape(1, 3, 1, 2)


def test_equation_1_is_the_squared_norm_over_channels() -> None:
    torch.testing.assert_close(squared_error(PREDICTED, TRUE), torch.tensor([[[1.0 + 4 + 4, 4.0]]]))


def test_equation_2_averages_over_pixels_and_batch_and_sums_over_channels() -> None:
    assert color_loss(PREDICTED, TRUE).item() == pytest.approx((9 + 4) / 2)
    batch = torch.cat([PREDICTED, TRUE]), torch.cat([TRUE, TRUE])
    assert color_loss(*batch).item() == pytest.approx((9 + 4) / 4)


def test_equation_3_on_one_channel() -> None:
    predicted, true = torch.tensor([[[[0.5, -1.0]]]]), torch.tensor([[[[1.0, 1.0]]]])
    assert edge_loss(predicted, true).item() == pytest.approx((0.25 + 4) / 2)


def test_equation_4_is_signed() -> None:
    torch.testing.assert_close(difference_map(PREDICTED, TRUE)[0, :, 0, 1], torch.tensor([0.0, 2.0, 0.0]))


def test_equation_5_is_the_image_whose_difference_map_is_the_edge_map() -> None:
    edges = torch.tensor([[[[1.0, 0.0]]]])
    difference = difference_map(edge_enhanced_rgb(TRUE, edges), TRUE)
    torch.testing.assert_close(difference, edges.expand(1, 3, 1, 2))


class SumOfChannels(nn.Module):
    def forward(self, difference: Tensor) -> Tensor:
        return difference.sum(dim=1, keepdim=True)


def test_the_pull_changes_the_gradient_and_not_the_loss() -> None:
    edges = torch.tensor([[[[1.0, 0.0]]]])
    gradients = {}
    for pull in (1.0, 0.0, -0.5):
        predicted = PREDICTED.clone().requires_grad_()
        loss = difference_edge_loss(SumOfChannels(), predicted, TRUE, edges, pull=pull)
        assert loss.item() == pytest.approx((16 + 4) / 2)
        loss.backward()  # type: ignore[no-untyped-call]
        assert predicted.grad is not None
        gradients[pull] = predicted.grad
    assert gradients[1.0].abs().max() > 0
    torch.testing.assert_close(gradients[0.0], torch.zeros_like(PREDICTED))
    torch.testing.assert_close(gradients[-0.5], -0.5 * gradients[1.0])


def test_a_normalised_difference_does_not_shrink_with_the_error() -> None:
    torch.manual_seed(0)
    true, error = torch.rand(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    edges = torch.rand(2, 1, 16, 16)
    large, small = (
        difference_edge_loss(SumOfChannels(), true + size * error, true, edges, shown="normalised difference")
        for size in (1.0, 0.1)
    )
    torch.testing.assert_close(large, small)


def test_a_normalised_difference_of_a_masked_crop_has_a_gradient() -> None:
    predicted = PREDICTED.clone().requires_grad_()
    mask = torch.zeros(1, 1, 1, 2, dtype=torch.bool)
    edges = torch.zeros(1, 1, 1, 2)
    loss = difference_edge_loss(SumOfChannels(), predicted, TRUE, edges, mask, shown="normalised difference")
    (gradient,) = torch.autograd.grad(loss, predicted)
    assert gradient.isfinite().all()


def test_the_prediction_can_be_shown_in_place_of_the_difference() -> None:
    loss = difference_edge_loss(SumOfChannels(), PREDICTED, TRUE, torch.zeros(1, 1, 1, 2), shown="prediction")
    assert loss.item() == pytest.approx((1 + 2 + 3) ** 2 / 2)


def test_scales_are_averaged() -> None:
    torch.manual_seed(0)
    pred, true, edges = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16), torch.rand(1, 1, 16, 16)
    halves = [torch.nn.functional.avg_pool2d(image, 2) for image in (pred, true, edges)]
    both = [difference_edge_loss(SumOfChannels(), *images) for images in ((pred, true, edges), halves)]
    of_two = difference_edge_loss(SumOfChannels(), pred, true, edges, scales=2)
    torch.testing.assert_close(of_two, torch.stack(both).mean())


def test_equation_6_shows_the_difference_map_to_edge_net_and_reaches_the_prediction() -> None:
    predicted = PREDICTED.clone().requires_grad_()
    loss = difference_edge_loss(SumOfChannels(), predicted, TRUE, torch.tensor([[[[1.0, 0.0]]]]))
    # Sums of the difference: 1 + 2 + 2 = 5 against 1, and 2 against 0.
    assert loss.item() == pytest.approx((16 + 4) / 2)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(predicted.grad, torch.tensor([4.0, 2.0]).expand(1, 3, 1, 2))


def test_the_error_of_features_is_over_their_mean_square() -> None:
    torch.manual_seed(0)
    features = [torch.randn(2, 3, 4, 4), 100 * torch.randn(2, 5, 2, 2)]
    assert feature_error(features, features) == 0
    assert feature_error([torch.zeros_like(each) for each in features], features).item() == pytest.approx(1)
    assert feature_error([features[0], 2 * features[1]], features).item() == pytest.approx(0.5)


def test_equation_7_weighs_both_terms_alike() -> None:
    assert total_loss(torch.tensor(2.0), torch.tensor(0.5)).item() == 2.5


def test_means_are_over_usable_pixels() -> None:
    first_only = torch.tensor([[[[True, False]]]])
    assert color_loss(PREDICTED, TRUE, first_only).item() == pytest.approx(9)
    edges = torch.tensor([[[[0.5, -1.0]]]]), torch.tensor([[[[1.0, 1.0]]]])
    assert edge_loss(*edges, first_only).item() == pytest.approx(0.25)
    # The second image of a batch has as many votes as it has usable pixels.
    batch = torch.cat([PREDICTED, PREDICTED]), torch.cat([TRUE, TRUE])
    mask = torch.cat([first_only, torch.ones_like(first_only)])
    assert color_loss(*batch, mask).item() == pytest.approx((9 + 9 + 4) / 3)


def test_a_batch_without_usable_pixels_has_no_loss_and_no_gradient() -> None:
    predicted = PREDICTED.clone().requires_grad_()
    loss = color_loss(predicted, TRUE, torch.zeros(1, 1, 1, 2, dtype=torch.bool))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
    assert predicted.grad is not None
    assert not predicted.grad.any()


@given(seed=st.integers(0, 1000), share=st.floats(0, 1))
def test_masked_pixels_change_no_loss_and_get_no_gradient(seed: int, share: float) -> None:
    torch.manual_seed(seed)
    edge_net = NETS["edgenet"](4, "text")
    mask = torch.rand(2, 1, 9, 11) < share
    predicted, true, wrecked, wrecked_true = torch.rand(4, 2, 3, 9, 11) * 2 - 1
    edges = torch.rand(2, 1, 9, 11)

    def losses(pred_rgb: Tensor, true_rgb: Tensor, true_edges: Tensor) -> Tensor:
        edge = difference_edge_loss(edge_net, pred_rgb, true_rgb, true_edges, mask)
        return torch.stack([color_loss(pred_rgb, true_rgb, mask), edge])

    predicted.requires_grad_()
    expected = losses(predicted, true, edges)
    elsewhere = torch.where(mask, predicted, wrecked), torch.where(mask, true, wrecked_true)
    assert torch.equal(losses(*elsewhere, torch.where(mask, edges, 1 - edges)), expected)
    expected.sum().backward()  # type: ignore[no-untyped-call]
    assert predicted.grad is not None
    assert not predicted.grad[~mask.expand_as(predicted)].any()


def test_a_mask_that_forbids_nothing_is_no_mask() -> None:
    torch.manual_seed(0)
    edge_net = NETS["edgenet"](4, "text")
    predicted, true = torch.rand(2, 2, 3, 8, 8)
    edges, mask = torch.rand(2, 1, 8, 8), torch.ones(2, 1, 8, 8, dtype=torch.bool)
    torch.testing.assert_close(color_loss(predicted, true, mask), color_loss(predicted, true))
    arguments = edge_net, predicted, true, edges
    torch.testing.assert_close(difference_edge_loss(*arguments, mask), difference_edge_loss(*arguments))
