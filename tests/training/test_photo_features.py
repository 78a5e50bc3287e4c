"""A perceptual loss by EfficientNet-Lite0: the same for equal images, told of colours, blind where a mask says so."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ircolor.pairs.augment import Augmentation
from ircolor.training.export import export_runs
from ircolor.training.loss_network import COMPARED_SCALES
from ircolor.training.losses import feature_error
from ircolor.training.networks import build_net
from ircolor.training.objective import Objective
from ircolor.training.photo_features import PhotoFeatures
from ircolor.training.recipe import PerceptualConfig
from tests.training.runs import RECIPE, run_quietly

LOOKING = replace(RECIPE, edge_net=None, perceptual=PerceptualConfig(network="efficientnet"))


@pytest.fixture(scope="module")
def features() -> PhotoFeatures:
    return PhotoFeatures(3, COMPARED_SCALES, torch.device("cpu"))


def test_features_of_any_size_tell_colours_apart(features: PhotoFeatures) -> None:
    torch.manual_seed(0)
    rgb = torch.rand(1, 3, 50, 70) * 2 - 1
    found = features(rgb)
    assert [tuple(each.shape[1:]) for each in found] == [(24, 16, 24), (40, 8, 12), (112, 4, 6)]
    assert feature_error(found, features(rgb)) == 0
    assert feature_error(features(rgb.flip(1)), found) > 0.1  # red for blue, the same structure


def test_where_a_mask_forbids_all_there_is_no_loss_and_elsewhere_it_reaches_the_prediction(
    features: PhotoFeatures,
) -> None:
    torch.manual_seed(0)
    objective = Objective(LOOKING, {}, nullcontext, features)
    pred_rgb, true_rgb = (torch.rand(1, 3, 64, 64) * 2 - 1 for _ in range(2))
    pred_rgb.requires_grad_()
    left_half = torch.arange(64).expand(1, 1, 64, 64) < 32
    for mask, blamed in ((torch.zeros_like(left_half), False), (left_half, True)):
        term = objective(pred_rgb, {"true_rgb": true_rgb, "mask": mask}, 0.0)["perceptual_loss"]
        (gradient,) = torch.autograd.grad(term, pred_rgb)
        assert bool(term > 0) is blamed
        assert bool(gradient.any()) is blamed
        assert not gradient[..., 32:].any()


def test_its_work_is_counted_and_its_statistics_stay(features: PhotoFeatures) -> None:
    torch.manual_seed(0)
    rgb = torch.rand(2, 3, 64, 64) * 2 - 1
    before = features(rgb)

    def gflop_of_features(crop_px: int) -> float:
        recipe = replace(LOOKING, augmentation=Augmentation(crop_px=crop_px))
        with_them, without = (
            Objective(recipe, {}, nullcontext, network).work(build_net(recipe), 1) for network in (features, None)
        )
        return with_them.color_gflop - without.color_gflop

    assert gflop_of_features(128) == pytest.approx(4 * gflop_of_features(64), rel=0.01)
    assert gflop_of_features(64) > 0
    assert all(torch.equal(*both) for both in zip(before, features(rgb), strict=True))


def test_a_run_learns_by_it_and_its_card_says_so(data: Path, tmp_path: Path) -> None:
    run_quietly(LOOKING, data, tmp_path / "run")
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [record["perceptual_loss"] for record in log if record["event"] == "train"]
    assert losses[-1] < losses[0]
    summary = export_runs([tmp_path / "run"], "looking")[1].summary
    assert "perceptual loss by EfficientNet-Lite0, trained on ImageNet" in summary
