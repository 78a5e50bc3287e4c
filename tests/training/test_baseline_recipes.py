"""All networks train through the same loop, stop and resume: the systems of the comparison, and that of `fast`."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ircolor.errors import UserError
from ircolor.training import train as train_module
from ircolor.training.baseline_recipes import COMPARED, johnson
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import export_runs
from ircolor.training.loss_network import VGG_BLOCKS, VGG_CHANNELS, load_vgg16
from ircolor.training.recipe import Recipe
from ircolor.training.recipes import fast
from tests.training.runs import assert_same_end, run_quietly, signal_at_call


def tiny(recipe: Recipe) -> Recipe:
    """The same at a width of 4, on crops of 32 px, for two epochs of two steps."""
    return replace(
        recipe,
        width=4,
        edge_net=recipe.edge_net and replace(recipe.edge_net, width=4),
        adversary=recipe.adversary and replace(recipe.adversary, width=4),
        trust=None,
        perceptual=recipe.perceptual and replace(recipe.perceptual, steps=2),
        augmentation=replace(recipe.augmentation, crop_px=32),
        batch_size=4,
        epochs=2,
        validate_every=2,
    )


@pytest.mark.parametrize("recipe", [make() for make in (*COMPARED, fast)], ids=lambda recipe: recipe.name)
def test_trains_resumes_and_becomes_a_model(
    recipe: Recipe, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny(recipe)
    run_quietly(recipe, data, tmp_path / "whole")
    monkeypatch.setattr(train_module, "total_loss", signal_at_call(3, signal.SIGINT))
    stopped = run_quietly(recipe, data, tmp_path / "parts")
    assert stopped.progress.step == 3
    monkeypatch.undo()
    run_quietly(recipe, data, tmp_path / "parts", resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    model, card = export_runs([tmp_path / "whole"], recipe.name)
    assert len(model) > 10_000
    assert card.recipe == recipe.name


def test_the_adversary_and_the_net_learn_against_each_other(data: Path, tmp_path: Path) -> None:
    """Each has a term of its own, and both change."""
    recipe = tiny(next(make() for make in COMPARED if make.__name__ == "pix2pix"))
    run_quietly(recipe, data, tmp_path / "run")
    records = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    first = next(record for record in records if record["event"] == "train")
    assert {"color_loss", "adversary_loss", "adversarial_loss"} <= first.keys()
    tensors = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.safetensors").tensors
    assert any(name.startswith("adversary.") for name in tensors)


def vgg_tensors() -> dict[str, torch.Tensor]:
    """Random weights as torchvision names those of VGG-16, with one layer more than is needed."""
    tensors, in_channels = {}, 3
    for numbers, out_channels in zip((*VGG_BLOCKS, (17,)), (*VGG_CHANNELS, 512), strict=True):
        for number in numbers:
            tensors[f"features.{number}.weight"] = torch.randn(out_channels, in_channels, 3, 3) * 0.05
            tensors[f"features.{number}.bias"] = torch.randn(out_channels)
            in_channels = out_channels
    return tensors


def test_vgg16_of_a_file(tmp_path: Path) -> None:
    tensors = vgg_tensors()
    save_file(tensors, tmp_path / "vgg16.safetensors")
    encoder = load_vgg16(tmp_path / "vgg16.safetensors")
    features = encoder(torch.rand(1, 3, 32, 48) * 2 - 1)
    assert [tuple(found.shape[1:]) for found in features] == [(64, 32, 48), (128, 16, 24), (256, 8, 12)]
    white = torch.full((1, 3, 8, 8), 1.0)
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    hidden = torch.relu(torch.conv2d((1 - mean.expand(1, 3, 8, 8)) / std, tensors["features.0.weight"],
                                     tensors["features.0.bias"], padding=1))  # fmt: skip
    expected = torch.relu(torch.conv2d(hidden, tensors["features.2.weight"], tensors["features.2.bias"], padding=1))
    torch.testing.assert_close(encoder(white)[0], expected)


def test_the_loss_network_is_named_and_stays_the_same(data: Path, tmp_path: Path) -> None:
    save_file(vgg_tensors(), tmp_path / "vgg16.safetensors")
    recipe = tiny(johnson())
    run_quietly(recipe, data, tmp_path / "own")
    assert "perceptual loss by an encoder of its own" in export_runs([tmp_path / "own"], "johnson")[1].summary
    with pytest.raises(UserError, match="begun with another loss network; give the same"):
        run_quietly(recipe, data, tmp_path / "own", resume=True, loss_network=tmp_path / "vgg16.safetensors")
    run_quietly(recipe, data, tmp_path / "vgg", loss_network=tmp_path / "vgg16.safetensors")
    assert "perceptual loss by VGG-16 " in export_runs([tmp_path / "vgg"], "johnson")[1].summary
    save_file(vgg_tensors(), tmp_path / "others.safetensors")
    with pytest.raises(UserError, match="begun with another loss network; give the same"):
        run_quietly(recipe, data, tmp_path / "vgg", resume=True, loss_network=tmp_path / "others.safetensors")
    with pytest.raises(UserError, match=r"none\.safetensors: cannot be read .*; give a file of VGG-16"):
        run_quietly(recipe, data, tmp_path / "none", loss_network=tmp_path / "none.safetensors")


@pytest.mark.parametrize("lack", ["file", "tensor", "shape", "format"])
def test_a_file_that_is_no_vgg16_is_named(tmp_path: Path, lack: str) -> None:
    file = tmp_path / "vgg16.safetensors"
    tensors = vgg_tensors()
    if lack == "tensor":
        del tensors["features.7.bias"]
    elif lack == "shape":
        tensors["features.7.bias"] = torch.zeros(3)
    if lack == "format":
        file.write_bytes(b"no tensors")
    elif lack != "file":
        save_file(tensors, file)
    with pytest.raises(UserError, match=r"vgg16\.safetensors: .*VGG-16"):
        load_vgg16(file)
