import signal
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.evaluation.trust import score_trust
from ircolor.grade import Grade
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import export_runs, unseen_splits
from ircolor.training.recipe import Recipe, TrustConfig
from ircolor.training.recipes import smoke
from ircolor.training.train import Outcome, train
from ircolor.training.trust import Example, fit_head, train_with_trust
from ircolor.weights.seal import seal
from tests.tiny_pairs import scene, write_pairs

QUIET = Console(file=StringIO())
RECIPE = replace(
    smoke(), trust=TrustConfig(folds=2, fold_epochs=1, steps=2), view_px=32, grade=Grade(0.5, 1.2, 0.6, 0.5)
)


def run_quietly(recipe: Recipe, data: Path, run: Path, **options: Any) -> Outcome:
    return train_with_trust(recipe, data, None, run, console=QUIET, **options)


def test_a_run_with_trust_becomes_a_model_that_gives_it(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = run_quietly(RECIPE, data, run)
    assert outcome.signal is None
    seen = [load_checkpoint(run / f"fold_{k}" / "checkpoints" / "last.safetensors").about for k in range(2)]
    assert sum(about["num_train_pairs"] for about in seen) == 11  # each pair is left out once, of two
    body, card = export_runs([run], "mine", data)
    assert card.view == RECIPE.view
    file = tmp_path / "mine.onnx"
    file.write_bytes(seal(body, card))
    infrared, _ = scene(70, 90, seed=5)
    rgb, error = Colorizer(file, return_trust=True)(infrared)
    assert error.shape == (70, 90)
    assert error.min() > 0
    np.testing.assert_array_equal(rgb, Colorizer(file)(infrared))
    _, of_last = export_runs([run / "checkpoints" / "last.safetensors"], "mine", data)
    assert of_last.error_halo_px == card.error_halo_px > 0  # any checkpoint of the run takes its trust along


def test_trust_is_learned_from_all_pairs_that_are_trained_on(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run_quietly(replace(RECIPE, hints=1.0, hint_epochs=1), data, run, include_val=True)
    whole = load_checkpoint(run / "checkpoints" / "last.safetensors").about["num_train_pairs"]
    parts = [load_checkpoint(run / f"fold_{k}" / "checkpoints" / "last.safetensors") for k in range(2)]
    assert sum(whole - part.about["num_train_pairs"] for part in parts) == whole
    assert [part.progress.step for part in parts] == [part.about["steps_per_epoch"] for part in parts]  # all of colours
    _, card = export_runs([run], "mine", data)  # its expected error is left at the scale of the pairs it has not seen
    assert "those of val included" in card.data
    assert unseen_splits(run) == ("test",)


def test_a_stopped_run_goes_on_where_it_was(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"

    def stop_at_second_fold(recipe: Recipe, *arguments: Any, **options: Any) -> Outcome:
        outcome = train(recipe, *arguments, **options)
        fold = options.get("fold")
        return replace(outcome, signal=signal.SIGINT) if fold and fold.number == 1 else outcome

    monkeypatch.setattr("ircolor.training.trust.train", stop_at_second_fold)
    assert run_quietly(RECIPE, data, run).signal == signal.SIGINT
    with pytest.raises(UserError, match="not learned yet; go on with ircolor train and --resume"):
        export_runs([run], "mine")
    monkeypatch.undo()
    first = (run / "fold_0" / "log.jsonl").read_bytes()
    assert run_quietly(RECIPE, data, run, resume=True).signal is None
    assert (run / "fold_0" / "log.jsonl").read_bytes() == first  # was not trained again
    export_runs([run], "mine")


def test_too_few_scenes_are_named(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "pairs", [f"{number}" for number in range(5)])
    recipe = replace(RECIPE, trust=TrustConfig(folds=4, fold_epochs=1, steps=1))
    with pytest.raises(UserError, match=r"4 parts by scene, and there are fewer scenes .*; tell finer ones"):
        run_quietly(recipe, data, tmp_path / "run")
    assert not (tmp_path / "run").exists()  # said before any training


def test_the_head_learns_where_colours_are_wrong() -> None:
    """Bright things are badly coloured here, by more or less: order and scale can be learned."""
    examples = [example(seed) for seed in range(8)]
    head = fit_head(examples, 150, seed=0, by_pixels=False, console=QUIET)
    unseen = example(99)
    with torch.inference_mode():
        expected = head(unseen.images[:, :1], unseen.images[:, 1:])
    scores = score_trust(expected.numpy().ravel(), unseen.error.numpy().ravel())
    assert scores.spearman > 0.5
    assert expected.mean() == pytest.approx(unseen.error.mean(), rel=0.25)


def test_masked_errors_teach_nothing() -> None:
    def masked(wrong: float) -> Example:
        whole = example(0)
        usable = torch.ones_like(whole.error, dtype=torch.bool)
        usable[..., :32] = False
        return replace(whole, error=torch.where(usable, whole.error, wrong), usable=usable)

    heads = [fit_head([masked(wrong)], 3, seed=0, by_pixels=True, console=QUIET) for wrong in (0.0, 90.0)]
    assert all(
        torch.equal(first, second)
        for first, second in zip(*(head.state_dict().values() for head in heads), strict=True)
    )


def example(seed: int) -> Example:
    generator = torch.Generator().manual_seed(seed)
    infrared = torch.nn.functional.interpolate(
        torch.rand(1, 1, 4, 4, generator=generator) * 2 - 1, scale_factor=16, mode="bilinear"
    )
    rgb = torch.rand(1, 3, 64, 64, generator=generator) * 2 - 1
    error = (12 + 10 * infrared) * (0.5 + torch.rand(1, 1, 64, 64, generator=generator))
    return Example(torch.cat([infrared, rgb], dim=1), error, torch.ones_like(error, dtype=torch.bool), 64 * 64)
