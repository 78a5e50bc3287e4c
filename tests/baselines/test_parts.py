"""What single systems are made of."""

import pytest
import torch

from ircolor.baselines.chroma import on_infrared
from ircolor.baselines.discriminators import DcganDiscriminator, PatchDiscriminator
from ircolor.baselines.iizuka import Iizuka
from ircolor.baselines.limmer import jointly_filtered, locally_normalised
from ircolor.baselines.zhang import Zhang, chroma_bins, class_weights, spread_over_bins
from ircolor.metrics import load_skimage
from ircolor.nets.lab import lab_to_rgb, rgb_to_lab


def test_rgb_comes_back_from_lab_as_scikit_image_has_it() -> None:
    rgb = torch.rand(1, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=2e-3, rtol=0)
    lab = torch.tensor([60.0, 20.0, -30.0]).double()
    expected = torch.from_numpy(load_skimage("color").lab2rgb(lab.numpy()))
    torch.testing.assert_close(lab_to_rgb(lab.reshape(1, 3, 1, 1)).flatten(), expected, atol=1e-4, rtol=0)


def test_without_chroma_the_infrared_image_comes_out_gray() -> None:
    infrared = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)
    rgb = on_infrared(infrared, torch.zeros(1, 2, 8, 8))
    torch.testing.assert_close(rgb, infrared.expand(1, 3, 8, 8), atol=0.02, rtol=0)


def test_bins_are_the_cells_that_srgb_reaches() -> None:
    bins = chroma_bins()
    assert bins.shape == (262, 2)
    assert [0.0, 0.0] in bins.tolist()
    red = rgb_to_lab(torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1))[0, 1:].flatten()
    assert (bins - red).norm(dim=1).min() < 7.1  # half a diagonal


def test_a_true_colour_is_spread_over_its_five_nearest_bins() -> None:
    bins = chroma_bins()
    shares = spread_over_bins(torch.tensor([[0.0, 0.0], [12.0, 33.0]]), bins)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(2))
    assert (shares > 0).sum(dim=1).tolist() == [5, 5]
    assert bins[shares[1].argmax()].tolist() == [10, 30]
    # A bin in the middle and four at a distance of 10: exp(-2) each beside 1.
    assert shares[0].max().item() == pytest.approx(1 / (1 + 4 * torch.tensor(-2.0).exp().item()))


def test_rare_classes_count_more_and_their_mean_is_one() -> None:
    prior = torch.tensor([0.7, 0.2, 0.1, 0.0])
    far_apart = 1000 * torch.arange(4.0)[:, None].expand(4, 2)
    weights = class_weights(prior, far_apart)
    assert weights.tolist() == sorted(weights.tolist())
    assert (prior * weights).sum().item() == pytest.approx(1)
    assert (weights[3] / weights[0]).item() == pytest.approx((0.35 + 0.125) / 0.125)


def test_a_class_beside_a_frequent_one_counts_less_than_one_far_from_it() -> None:
    bins = chroma_bins()
    prior = (bins.norm(dim=1) == 0).float()  # all gray
    weights = class_weights(prior, bins)
    beside, far = (int((bins - torch.tensor(ab)).norm(dim=1).argmin()) for ab in ([10.0, 0.0], [60.0, 60.0]))
    assert weights[prior.argmax()] < weights[beside] < weights[far]


@pytest.mark.parametrize("chroma_only", [False, True])
def test_iizuka_gives_colours_at_half_size(chroma_only: bool) -> None:
    net = Iizuka(4, chroma_only=chroma_only).eval()
    with torch.inference_mode():
        rgb = net(torch.zeros(1, 1, 32, 32) if chroma_only else torch.rand(1, 1, 32, 32))
    cells = rgb.unfold(2, 2, 2).unfold(3, 2, 2)
    assert (cells == cells[..., :1, :1]).all()
    assert rgb.std() > 0


def test_zhang_answers_with_the_colour_that_it_is_sure_of() -> None:
    net = Zhang(4, chroma_only=True).eval()
    bins = net.get_buffer("bins")
    blue = int((bins - torch.tensor([0.0, -30.0])).norm(dim=1).argmin())
    torch.nn.init.zeros_(net.logits.weight)
    assert net.logits.bias is not None
    torch.nn.init.zeros_(net.logits.bias)
    with torch.inference_mode():
        net.logits.bias[blue] = 50
        lab = rgb_to_lab((net(torch.zeros(1, 1, 32, 32)) + 1) / 2)
    torch.testing.assert_close(lab[0, 1:].mean(dim=(1, 2)), torch.tensor([0.0, -30.0]), atol=0.5, rtol=0)


def test_local_normalisation_forgets_brightness_and_contrast() -> None:
    infrared = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0)) * 0.5
    first, second = (locally_normalised(image) for image in (infrared, infrared * 0.5 + 0.3))
    assert first.mean().abs() < 0.05
    assert (first - second).abs().mean() < 0.2 * first.abs().mean()


def test_the_joint_filter_keeps_edges_of_the_infrared_image_and_smooths_others() -> None:
    step = torch.cat([torch.full((1, 1, 32, 16), -0.8), torch.full((1, 1, 32, 16), 0.8)], dim=3)
    noise = 0.1 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    filtered = jointly_filtered(0.5 * step + noise, step)
    inner = filtered[..., 8:24, :]
    assert (inner - 0.5 * step[..., 8:24, :]).abs().mean() < 0.3 * noise.abs().mean()
    assert (inner[..., 16] - inner[..., 15]).mean() > 0.7  # 0.8 before


def test_discriminators_answer_for_patches_or_for_the_whole() -> None:
    images = torch.zeros(2, 4, 96, 96)
    assert PatchDiscriminator(4)(images).shape == (2, 1, 10, 10)
    assert DcganDiscriminator(4)(images).shape == (2, 1, 1, 1)


def test_an_answer_of_the_patch_discriminator_sees_70_pixels() -> None:
    net = PatchDiscriminator(2).double().eval()
    images = torch.randn(1, 4, 128, 128, dtype=torch.float64, requires_grad=True)
    net(images)[0, 0, 7, 7].backward()
    assert images.grad is not None
    rows = images.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == 70
