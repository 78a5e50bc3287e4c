"""CIELAB and CIEDE2000 on tensors against scikit-image."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ircolor.metrics import load_skimage
from ircolor.nets.lab import delta_e_2000, rgb_to_lab

color = load_skimage("color")


def pairs_of_colors() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(64, 64, 3) each, in [0, 1]: near and far, with gray, black, white and equal ones among them."""
    rng = np.random.default_rng(0)
    rgb = rng.random((64, 64, 3))
    other = np.clip(rgb + rng.normal(0, rng.choice([0.01, 0.3], (64, 64, 1)), rgb.shape), 0, 1)
    rgb[:8], other[4:12] = rgb[:8, :, :1], other[4:12, :, :1]
    rgb[12], other[13], rgb[14] = 0, 1, other[14]
    return rgb, other


def to_tensor(image: NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0)))[None]


def test_lab_is_that_of_scikit_image() -> None:
    rgb, _ = pairs_of_colors()
    np.testing.assert_allclose(rgb_to_lab(to_tensor(rgb))[0], np.moveaxis(color.rgb2lab(rgb), -1, 0), atol=0.01)


def test_difference_is_that_of_scikit_image() -> None:
    lab, other = (color.rgb2lab(rgb) for rgb in pairs_of_colors())
    ours = delta_e_2000(to_tensor(lab), to_tensor(other))[0]
    np.testing.assert_allclose(ours, color.deltaE_ciede2000(lab, other), atol=1e-3)


@pytest.mark.parametrize(("channel", "expected"), [((50, 2.6772, -79.7751), 2.0425), ((50, 3.1571, -77.2803), 2.8615)])
def test_difference_is_that_of_the_published_examples(channel: tuple[float, ...], expected: float) -> None:
    """Sharma et al. 2005, table 1, pairs 1 and 2, against (50, 0, -82.7485) and (50, 0, -82.7485)."""
    lab, other = (torch.tensor(values).reshape(1, 3, 1, 1).double() for values in (channel, (50, 0, -82.7485)))
    assert delta_e_2000(lab, other).item() == pytest.approx(expected, abs=1e-4)


def test_gradient_is_finite_on_black_gray_and_white() -> None:
    rgb = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3).repeat(1, 3, 1, 1).requires_grad_()
    rgb_to_lab(rgb).sum().backward()  # type: ignore[no-untyped-call]
    assert rgb.grad is not None
    assert rgb.grad.isfinite().all()


@pytest.mark.parametrize("hue_deg", [0, 45, 90, 135, 180, 270])
def test_opposite_hues_differ_alike_both_ways(hue_deg: int) -> None:
    a, b = (round(40 * float(function(np.deg2rad(hue_deg)))) for function in (np.cos, np.sin))
    lab, other = np.array([[[50.0, a, b]]]), np.array([[[50.0, -a, -b]]])
    expected = color.deltaE_ciede2000(lab, other)
    for pair in ((lab, other), (other, lab)):
        ours = delta_e_2000(*(torch.from_numpy(one).permute(2, 0, 1)[None] for one in pair))
        np.testing.assert_allclose(ours[0].numpy(), expected, atol=1e-6)
