"""The terms of a loss, and that each teaches only whom it should."""

import math
from contextlib import nullcontext

import pytest
import torch

from ircolor.baselines.zhang import ChromaClasses, chroma_bins
from ircolor.nets.lab import lab_to_rgb
from ircolor.training.objective import Objective, class_terms, learned_losses
from ircolor.training.recipe import AdversaryConfig, PerceptualConfig, Recipe


def flat(lab: tuple[float, float, float]) -> torch.Tensor:
    """A (1, 3, 16, 16) image of one colour, in [-1, 1]."""
    return lab_to_rgb(torch.tensor(lab).reshape(1, 3, 1, 1)).expand(1, 3, 16, 16) * 2 - 1


def test_classes_are_blamed_by_cross_entropy() -> None:
    bins = chroma_bins()
    true_rgb, weights = flat((60, 10, 20)), torch.full((len(bins),), 2.0)
    unsure = ChromaClasses(torch.zeros(1, len(bins), 4, 4), torch.full((1, 1, 16, 16), 0.5))
    terms = class_terms(unsure, true_rgb, None, bins, weights)
    assert terms["class_loss"].item() == pytest.approx(2 * math.log(len(bins)), rel=1e-4)
    assert terms["lightness_loss"].item() == pytest.approx(10 * 0.1**2, rel=0.01)
    sure = torch.zeros(1, len(bins), 4, 4)
    sure[:, int((bins - torch.tensor([10.0, 20.0])).norm(dim=1).argmin())] = 5
    better = class_terms(ChromaClasses(sure, None), true_rgb, None, bins, weights)
    assert better.keys() == {"class_loss"}
    assert better["class_loss"] < terms["class_loss"]


def test_what_a_mask_leaves_out_has_no_part_in_classes() -> None:
    bins = chroma_bins()
    weights = torch.ones(len(bins))
    mask = torch.ones(1, 1, 16, 16, dtype=torch.bool)
    mask[..., 8:] = False
    true_rgb = flat((60, 10, 20)).clone()
    other = true_rgb.clone()
    other[..., 8:] = -1
    classes = ChromaClasses(torch.randn(1, len(bins), 4, 4), torch.rand(1, 1, 16, 16))
    first, second = (class_terms(classes, image, mask, bins, weights) for image in (true_rgb, other))
    for name, term in first.items():
        assert term.item() == pytest.approx(second[name].item())


@pytest.mark.parametrize("kind", ["patch", "dcgan"])
def test_adversary_and_prediction_each_answer_for_themselves(kind: str) -> None:
    torch.manual_seed(0)
    recipe = Recipe("r", "r", adversary=AdversaryConfig(kind, width=4, weight=1.0))  # type: ignore[arg-type]
    learned = learned_losses(recipe)
    (adversary,) = learned.values()
    objective = Objective(recipe, learned, nullcontext)
    pred_rgb = torch.rand(2, 3, 64, 64, requires_grad=True)
    batch = {"infrared": torch.rand(2, 1, 64, 64), "true_rgb": torch.rand(2, 3, 64, 64) * 2 - 1}
    terms = objective(pred_rgb, batch, 0.0)
    statistics = {name: tensor.clone() for name, tensor in adversary.named_buffers()}

    (of_prediction,) = torch.autograd.grad(terms["adversarial_loss"], pred_rgb, retain_graph=True)
    assert of_prediction.abs().max() > 0
    parameters = list(adversary.parameters())
    assert all(
        gradient is None
        for gradient in torch.autograd.grad(terms["adversarial_loss"], parameters, retain_graph=True, allow_unused=True)
    )
    terms["adversary_loss"].backward()  # type: ignore[no-untyped-call]
    assert pred_rgb.grad is None
    assert any(parameter.grad is not None and parameter.grad.abs().max() > 0 for parameter in parameters)
    assert all(torch.equal(tensor, statistics[name]) for name, tensor in adversary.named_buffers())


def test_an_adversary_that_knows_all_is_blamed_for_nothing() -> None:
    recipe = Recipe("r", "r", adversary=AdversaryConfig("dcgan", width=4, weight=1.0))
    objective = Objective(recipe, {"adversary": _Brightness()}, nullcontext)
    batch = {"infrared": torch.zeros(1, 1, 16, 16), "true_rgb": torch.full((1, 3, 16, 16), 1.0)}
    terms = objective(torch.full((1, 3, 16, 16), -1.0), batch, 0.0)
    assert terms["adversary_loss"].item() == pytest.approx(0, abs=1e-6)
    assert terms["adversarial_loss"].item() == pytest.approx(30)


class _Brightness(torch.nn.Module):
    """Says true of what is bright."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 10 * images[:, 1:].sum(dim=1).mean(dim=(1, 2))


def test_a_perceptual_loss_weighs_the_same_however_large_features_are() -> None:
    """Those of an encoder of our own are small, and the squared error of pixels stands beside."""
    recipe = Recipe("r", "r", perceptual=PerceptualConfig(weight=1.0))
    pred_rgb, true_rgb = torch.rand(2, 2, 3, 16, 16) * 2 - 1
    small, large = torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.Conv2d(3, 4, 3, bias=False)
    large.weight.data = 50 * small.weight.data
    errors = [
        Objective(recipe, {}, nullcontext, layer)(pred_rgb, {"true_rgb": true_rgb}, 0.0)["perceptual_loss"].item()
        for layer in (small, large)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)
    assert errors[0] > 0.1


def test_a_perceptual_loss_weighs_the_same_however_few_pixels_are_usable() -> None:
    """Terms of pixels are means over the usable ones, and it stands beside them."""
    torch.manual_seed(0)
    recipe = Recipe("r", "r", perceptual=PerceptualConfig(weight=1.0))
    objective = Objective(recipe, {}, nullcontext, torch.nn.Conv2d(3, 4, 3, bias=False))
    pred_rgb, true_rgb = torch.rand(2, 2, 3, 64, 64) * 2 - 1
    whole, quarter = (
        objective(pred_rgb, {"true_rgb": true_rgb, "mask": mask}, 0.0)["perceptual_loss"].item()
        for mask in (torch.arange(64).expand(2, 1, 64, 64) < usable_px for usable_px in (64, 16))
    )
    assert quarter == pytest.approx(whole, rel=0.1)
