import math
import warnings
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.nets import ColorizingNet
from ircolor.training.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint
from ircolor.training.export import count_gflop_224, error_head_of, export_runs, net_of
from ircolor.training.networks import build_net
from ircolor.training.recipe import TrustConfig
from ircolor.training.recipes import smoke
from ircolor.training.run_folder import RunFolder
from ircolor.training.train import train
from ircolor.weights.seal import seal
from tests.tiny_pairs import scene, write_pairs


def test_work_is_counted_by_hand() -> None:
    class OneConvolution(ColorizingNet):
        grid_px, halo_px = 1, 1

        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Conv2d(1, 3, 3, padding=1)

        def forward_on_grid(self, infrared: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.layer(infrared))

    assert count_gflop_224(OneConvolution()) == pytest.approx(2 * 9 * 3 * 224 * 224 / 1e9)
    assert count_gflop_224(OneConvolution(), view_px=100) == pytest.approx(2 * 9 * 3 * 100 * 100 / 1e9)


@pytest.mark.slow
def test_a_run_becomes_a_model_that_colorizes_like_its_checkpoint(data: Path, tmp_path: Path) -> None:
    recipe = replace(smoke(), epochs=30, validate_every=30)
    train(recipe, data, None, tmp_path / "run", console=Console(file=StringIO()))
    checkpoint = tmp_path / "run" / "checkpoints" / "best.safetensors"
    net = net_of(load_checkpoint(checkpoint), "run")
    infrared, _ = scene(33, 50, seed=99)
    with torch.inference_mode():
        expected = net(torch.from_numpy(infrared)[None, None].float() / 127.5 - 1)[0].permute(1, 2, 0)
    expected_rgb = ((expected + 1) * 127.5).round().numpy()
    for name, calibration, tolerance in (("plain", None, 2.0), ("int8", data, 24.0)):
        body, card = export_runs([tmp_path / "run"], name, calibration, int8=calibration is not None)
        assert (card.name, card.recipe, card.epochs, card.protocol) == (name, "smoke", 30, "folder")
        assert card.arithmetic == ("int8" if calibration else "float32")
        assert card.num_parameters == sum(parameter.numel() for parameter in net.parameters())
        file = tmp_path / f"{name}.onnx"
        file.write_bytes(seal(body, card))
        rgb = Colorizer(file)(infrared)
        assert np.abs(rgb - expected_rgb).mean() < tolerance / 8
        assert np.abs(rgb - expected_rgb).max() <= tolerance


def test_a_checkpoint_of_an_unknown_recipe_is_refused(tmp_path: Path, net: ColorizingNet) -> None:
    file = tmp_path / "a.safetensors"
    save_checkpoint(file, {"name": "x", "net": "transformer"}, {}, Progress(), {"net": net})
    with pytest.raises(UserError, match="of another version"):
        export_runs([file], "x")
    save_checkpoint(file, {"name": "x", "magic": 1}, {}, Progress(), {"net": net})
    with pytest.raises(UserError, match="of another version"):
        export_runs([file], "x")


def test_a_network_that_does_not_colorize_is_refused() -> None:
    for odd in ({"net": "edgenet"}, {"width": -1}, {"augmentation": {"scale": 3}}):
        checkpoint = Checkpoint(smoke().to_json() | odd, {}, Progress(), {})
        with pytest.raises(UserError, match=r"mine: its recipe is of another version .*; train it again"):
            net_of(checkpoint, "mine")


def test_weights_that_are_not_finite_are_refused() -> None:
    recipe = smoke()
    tensors = {f"net.{name}": weights * math.nan for name, weights in build_net(recipe).state_dict().items()}
    with pytest.raises(UserError, match="mine: its weights are not finite; take an earlier checkpoint"):
        net_of(Checkpoint(recipe.to_json(), {}, Progress(), tensors), "mine")


def test_a_folder_of_pairs_may_have_a_name_that_no_card_takes(data: Path, tmp_path: Path) -> None:
    odd = data.rename(tmp_path / "my\u3000pairs\udce9")  # a wide space, and a byte that is no UTF-8
    train(replace(smoke(), epochs=1), odd, None, tmp_path / "run", console=Console(file=StringIO()))
    _, card = export_runs([tmp_path / "run"], "x")
    assert "of folder my?pairs?/" in card.data


def test_pairs_of_another_folder_are_refused(data: Path, tmp_path: Path) -> None:
    """On these, a score would not be of pairs that the net has not seen."""
    train(replace(smoke(), epochs=1), data, None, tmp_path / "run", console=Console(file=StringIO()))
    other = write_pairs(tmp_path / "other", [f"frame_{number:02d}" for number in range(13)])
    with pytest.raises(UserError, match=r"other: its training and validation pairs are not those of .*run; give"):
        export_runs([tmp_path / "run"], "x", other)


def test_an_empty_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no checkpoint"):
        export_runs([tmp_path], "x")


def test_recipe_survives_json() -> None:
    import json

    from ircolor.training.recipe import recipe_from_json
    from ircolor.training.recipes import RECIPES

    for recipe in RECIPES.values():
        assert recipe_from_json(json.loads(json.dumps(recipe().to_json()))) == recipe()
    with warnings.catch_warnings(), pytest.raises(TypeError, match="unknown recipe fields: surprise"):
        recipe_from_json({"surprise": 1})


@pytest.mark.parametrize(
    ("about", "recipe"),
    [({"steps_per_epoch": 0}, {}), ({"hardware": "a\nb"}, {}), ({"data": 5}, {}), ({}, {"grade": None})],
)
def test_a_description_that_makes_no_card_is_refused(
    tmp_path: Path, about: dict[str, object], recipe: dict[str, object]
) -> None:
    told = {
        "version": "1", "protocol": "p", "data": "d", "num_train_pairs": 9, "num_val_pairs": 1, "pairs_digest": "d",
        "steps_per_epoch": 2, "hardware": "an abacus",
    }  # fmt: skip
    file = tmp_path / "a.safetensors"
    net = build_net(smoke())
    save_checkpoint(file, smoke().to_json(), told, Progress(), {"net": net})
    export_runs([file], "x")
    save_checkpoint(file, smoke().to_json() | recipe, told | about, Progress(), {"net": net})
    with pytest.raises(
        UserError, match=r"a.safetensors: what it tells of its run makes no card \(.+\); train it again"
    ):
        export_runs([file], "x")


def test_a_damaged_head_is_to_be_learned_anew(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.trust.parent.mkdir()
    folder.trust.write_bytes(b"half")
    checkpoint = Checkpoint(replace(smoke(), trust=TrustConfig()).to_json(), {}, Progress(), {})
    with pytest.raises(UserError, match=r"trust.safetensors: damaged; ircolor train with --resume learns"):
        error_head_of(folder, checkpoint)
