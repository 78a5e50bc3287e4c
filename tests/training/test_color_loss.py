from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from ircolor.metrics import load_skimage
from ircolor.training.color_loss import (
    best_aligned,
    charbonnier,
    chroma,
    color_terms,
    colorfulness_loss,
    less_cast,
    ssim_loss,
)
from ircolor.training.losses import color_loss
from ircolor.training.recipe import ColorLossConfig

EVERYTHING = ColorLossConfig(
    "charbonnier", ssim=0.5, coarse=1, chroma=2, rare_chroma=3, colorfulness=1, cast=0.5, max_shift_px=2
)


def images(seed: int, batch: int = 2, size: int = 48) -> torch.Tensor:
    """Smooth random colours in [-1, 1]."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, size // 8, size // 8, generator=generator) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")


def test_the_default_is_the_papers_loss_alone() -> None:
    terms = color_terms(images(0), images(1), None, ColorLossConfig())
    assert terms.keys() == {"color_loss"}
    torch.testing.assert_close(terms["color_loss"], color_loss(images(0), images(1)))


@pytest.mark.parametrize("field", [field.name for field in fields(ColorLossConfig)])
def test_every_switch_changes_the_loss(field: str) -> None:
    off = replace(EVERYTHING, **{field: "squared" if field == "pixel" else 0})  # type: ignore[arg-type]
    pred, true = images(0), images(0).roll(1, dims=3) * 0.8
    with_all, without = (sum(color_terms(pred, true, None, config).values()) for config in (EVERYTHING, off))
    assert with_all != without


def test_a_perfect_image_costs_nothing_and_gradients_are_finite() -> None:
    true = images(0)
    pred = true.clone().requires_grad_()
    total = torch.stack(list(color_terms(pred, true, None, EVERYTHING).values())).sum()
    assert total.item() == pytest.approx(0, abs=0.02)  # a smooth absolute error is not quite 0 at 0
    total.backward()  # type: ignore[no-untyped-call]
    assert pred.grad is not None
    assert pred.grad.isfinite().all()


def test_masked_pixels_have_no_say() -> None:
    pred, true = images(0), images(1)
    mask = torch.ones(2, 1, 48, 48, dtype=torch.bool)
    mask[:, :, 10:30, 12:40] = False
    config = replace(EVERYTHING, max_shift_px=0)
    wrecked = torch.where(mask, true, -true)
    for name, term in color_terms(pred, true, mask, config).items():
        torch.testing.assert_close(color_terms(pred, wrecked, mask, config)[name], term)
        assert term > 0, name


def test_nothing_usable_costs_nothing() -> None:
    nothing = torch.zeros(2, 1, 48, 48, dtype=torch.bool)
    assert all(term == 0 for term in color_terms(images(0), images(1), nothing, EVERYTHING).values())


def test_charbonnier_is_the_absolute_error() -> None:
    pred, true = images(0), images(1)
    torch.testing.assert_close(charbonnier(pred, true), (pred - true).abs().sum(dim=1), atol=3e-3, rtol=0)


def test_squared_chroma_is_blind_to_brightness_and_minds_masks() -> None:
    pred, true = images(0), images(1)
    config = ColorLossConfig("squared_chroma")
    gray, brighter = (torch.full((2, 3, 48, 48), level) for level in (0.0, 0.5))
    assert color_terms(gray, brighter, None, config)["color_loss"].item() == pytest.approx(0, abs=1e-6)
    error = (chroma(pred) - chroma(true)).square().sum(dim=1)
    mask = torch.arange(48).expand(2, 1, 48, 48) < 20
    torch.testing.assert_close(color_terms(pred, true, mask, config)["color_loss"], error[:, :, :20].mean())


def test_ssim_is_about_that_of_the_metric() -> None:
    true = images(0, batch=1)
    pred = (true + 0.2 * torch.randn(true.shape, generator=torch.Generator().manual_seed(2))).clamp(-1, 1)
    units = [np.moveaxis(((image[0] + 1) / 2).numpy(), 0, -1) for image in (pred, true)]
    metric = load_skimage("metrics").structural_similarity(
        *units, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5
    )
    assert 0.1 < metric < 0.9
    assert 1 - ssim_loss(pred, true).item() == pytest.approx(metric, abs=0.15)


def test_chroma_is_that_of_scikit_image() -> None:
    rgb = images(3, batch=1)
    expected = (
        np.moveaxis(load_skimage("color").rgb2lab(np.moveaxis(((rgb[0] + 1) / 2).numpy(), 0, -1)), -1, 0)[1:] / 100
    )
    np.testing.assert_allclose(chroma(rgb)[0], expected, atol=1e-3)


def test_colorfulness_asks_how_much_colour_not_which() -> None:
    ab = chroma(images(0))
    assert colorfulness_loss(-ab, ab) == pytest.approx(0, abs=1e-6)
    assert colorfulness_loss(0 * ab, ab) > 0.5 * ab.norm(dim=1).mean()


def test_of_a_cast_a_share_is_kept() -> None:
    ab = chroma(images(0))
    cast = torch.tensor([0.1, -0.2]).reshape(1, 2, 1, 1)
    torch.testing.assert_close(less_cast(ab + cast, None, 0.25), less_cast(ab, None, 0.25) + 0.25 * cast)
    assert less_cast(ab, None, 0).mean(dim=(2, 3)).abs().max() < 1e-6


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, -1), (-2, 2)])
def test_a_shifted_truth_is_shifted_back(x: int, y: int) -> None:
    true = images(5) + 0.1 * torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(4))
    pred, aligned, _ = best_aligned(true, true.roll((y, x), dims=(2, 3)), None, 2)
    assert pred.shape == (2, 3, 44, 44)
    torch.testing.assert_close(aligned, pred)


def test_the_mask_is_shifted_with_the_truth() -> None:
    """Usable is what is so for both images: the mask is that of the pair, and the truth has moved."""
    true = torch.randn(1, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(1, 1, 20, 20, dtype=torch.bool)
    mask[..., 10, 10] = False
    _, _, usable = best_aligned(true, true.roll(1, dims=3), mask, 1)
    assert usable is not None
    assert [tuple(place) for place in (~usable)[0, 0].nonzero().tolist()] == [(9, 8), (9, 9)]
