"""The loop: what it learns, writes and refuses."""

import json
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from rich.console import Console
from torch import Tensor

from ircolor.errors import UserError
from ircolor.training import journal
from ircolor.training import train as train_module
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.device import Precision
from ircolor.training.export import net_of
from ircolor.training.losses import total_loss
from ircolor.training.networks import average_in
from ircolor.training.train import train
from tests.tiny_pairs import write_mask
from tests.training.runs import RECIPE, assert_same_end, run_quietly


def test_a_run_leaves_log_checkpoints_and_pictures(data: Path, tmp_path: Path) -> None:
    outcome = run_quietly(RECIPE, data, tmp_path / "run")
    assert outcome.signal is None
    assert outcome.progress.step == 8
    records = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records if r["event"] == "train"] == [2, 4, 6, 8]
    assert [r["epoch"] for r in records if r["event"] == "validation"] == [2, 4]
    sitting, first = records[:2]
    assert sitting["event"] == "sitting"
    assert {"color_loss", "edge_loss"} <= first.keys()
    rate = first["images_per_s"] * sitting["gflop_per_image"] / sitting["matmul_gflops"]
    assert first["share_of_matmul_rate"] == pytest.approx(rate, abs=1e-3)
    grid = cv2.imread(str(tmp_path / "run" / "grids" / "epoch_0004.png"))
    assert grid is not None
    assert grid.shape == (2 * 180, 3 * 240, 3)  # two validation pairs: infrared, predicted, true
    description = json.loads((tmp_path / "run" / "run.json").read_text())
    assert description["recipe"]["epochs"] == 4
    assert description["protocol"] == "folder"
    best = load_checkpoint(tmp_path / "run" / "checkpoints" / "best.safetensors")
    assert best.progress.best_psnr_db == outcome.progress.best_psnr_db
    assert not any(name.startswith("adam") for name in best.tensors)


def test_training_learns(data: Path, tmp_path: Path) -> None:
    """The pairs' colours follow from brightness alone, so the loss must fall far below its start."""
    run_quietly(replace(RECIPE, epochs=40, validate_every=40), data, tmp_path / "run")
    records = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    losses = [r["color_loss"] for r in records if r["event"] == "train"]
    assert losses[-1] < 0.6 * losses[0]


def test_the_mean_of_the_weights_is_what_is_kept(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, ema=0.9), data, tmp_path / "run")
    last, best = (
        load_checkpoint(tmp_path / "run" / "checkpoints" / f"{name}.safetensors").tensors for name in ("last", "best")
    )
    assert best.keys() == {name for name in last if name.startswith("net.")}
    assert not torch.equal(last["net.head.weight"], last["ema.head.weight"])
    # Both validations may have been the best, but each kept a mean and not the weights themselves.
    assert not any(torch.equal(best[name], last[name]) for name in best if name.endswith("weight"))


def test_the_mean_is_what_a_last_checkpoint_gives(data: Path, tmp_path: Path) -> None:
    """Where nothing is chosen on validation, the last weights count: those that a validation would have seen."""
    run_quietly(replace(RECIPE, ema=0.9), data, tmp_path / "run")
    last = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.safetensors")
    assert torch.equal(net_of(last, "run").get_parameter("head.weight"), last.tensors["ema.head.weight"])


def test_a_run_that_begins_with_a_last_checkpoint_begins_with_its_mean(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, ema=0.9), data, tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "last.safetensors"
    run_quietly(replace(RECIPE, epochs=1, learning_rate=0.0), data, tmp_path / "next", init=last)
    began = load_checkpoint(tmp_path / "next" / "checkpoints" / "last.safetensors").tensors["net.head.weight"]
    assert torch.equal(began, load_checkpoint(last).tensors["ema.head.weight"])


def test_a_run_may_begin_with_the_best_of_another(data: Path, tmp_path: Path) -> None:
    run_quietly(RECIPE, data, tmp_path / "run")
    run_quietly(replace(RECIPE, epochs=1, learning_rate=0.0), data, tmp_path / "next", init=tmp_path / "run")
    began, best = (
        load_checkpoint(tmp_path / file).tensors["net.head.weight"]
        for file in ("next/checkpoints/last.safetensors", "run/checkpoints/best.safetensors")
    )
    assert torch.equal(began, best)


def test_validation_pairs_can_be_trained_on(data: Path, tmp_path: Path) -> None:
    run_quietly(RECIPE, data, tmp_path / "apart")
    outcome = run_quietly(RECIPE, data, tmp_path / "run", include_val=True)
    apart, about = (
        load_checkpoint(tmp_path / run / "checkpoints" / "last.safetensors").about for run in ("apart", "run")
    )
    assert about["num_train_pairs"] == apart["num_train_pairs"] + apart["num_val_pairs"]
    assert about["num_val_pairs"] == outcome.progress.best_epoch == 0
    assert not (tmp_path / "run" / "grids").exists()  # nothing is validated
    with pytest.raises(UserError, match="begun with another choice of --include-val; give the same"):
        run_quietly(RECIPE, data, tmp_path / "run", resume=True)


def test_average_in_moves_by_what_the_decay_leaves() -> None:
    mean, net = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    torch.nn.init.constant_(net.weight, 3.0)
    average_in(mean, net, decay=0.75, step=1000)
    assert mean.weight.item() == pytest.approx(1.5)
    average_in(mean, net, decay=0.75, step=0)  # an early mean, of one step, forgets nine tenths
    assert mean.weight.item() == pytest.approx(0.9 * 3 + 0.1 * 1.5)


def test_files_and_memory_give_the_same_run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_module, "NUM_WORKERS", 2)
    run_quietly(RECIPE, data, tmp_path / "memory")
    run_quietly(RECIPE, data, tmp_path / "files", memory_budget_bytes=0)
    assert_same_end(tmp_path / "memory", tmp_path / "files")


def test_another_seed_gives_another_run_and_init_gives_other_first_weights(data: Path, tmp_path: Path) -> None:
    run_quietly(RECIPE, data, tmp_path / "first")
    run_quietly(replace(RECIPE, seed=1), data, tmp_path / "second")
    run_quietly(RECIPE, data, tmp_path / "third", init=tmp_path / "first" / "checkpoints" / "best.safetensors")
    heads = [
        load_checkpoint(tmp_path / name / "checkpoints" / "last.safetensors").tensors["net.head.weight"]
        for name in ("first", "second", "third")
    ]
    assert not torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_without_edge_net_there_is_no_edge_loss(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, edge_net=None, epochs=1), data, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[0])
    assert "edge_loss" not in record
    tensors = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.safetensors").tensors
    assert not any(name.startswith("edge_net") for name in tensors)


def test_a_run_learns_and_is_chosen_by_usable_pixels_only(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrecking the truth under the masks changes no bit of the weights; without masks it does."""
    # The edge map of the whole truth, and a zoom to a small extent, would see what was wrecked.
    monkeypatch.setattr(train_module, "EDGE_MAPS", {"canny": lambda rgb: np.zeros(rgb.shape[:2], np.float32)})
    recipe = replace(RECIPE, augmentation=replace(RECIPE.augmentation, scale=(1.0, 1.0)))
    usable = np.ones((40, 48), np.bool_)
    usable[10:30, 8:40] = False
    stems = [f"frame_{number:02d}" for number in range(3, 15)]  # of training and of validation
    wrecked = tmp_path / "wrecked"
    shutil.copytree(data, wrecked)
    for stem in stems:
        file = str(wrecked / "rgb" / f"{stem}.png")
        rgb = cv2.imread(file)
        assert rgb is not None
        rgb[~usable] = 255 - rgb[~usable]
        assert cv2.imwrite(file, rgb)
    shutil.copytree(wrecked, tmp_path / "unmasked")
    for folder in (data, wrecked):
        for stem in stems:
            write_mask(folder, stem, usable)
    whole, parts, other = (
        run_quietly(recipe, folder, tmp_path / f"run_{folder.name}")
        for folder in (data, wrecked, tmp_path / "unmasked")
    )
    assert_same_end(tmp_path / "run_pairs", tmp_path / "run_wrecked")
    assert whole.progress.best_psnr_db == parts.progress.best_psnr_db
    assert whole.progress.best_psnr_db != other.progress.best_psnr_db


def test_a_run_tells_how_many_pairs_have_masks(data: Path, tmp_path: Path) -> None:
    for stem in ("frame_02", "frame_14"):  # of the training and of the test split
        write_mask(data, stem, np.arange(40 * 48).reshape(40, 48) > 500)
    told = StringIO()
    train(replace(RECIPE, epochs=1), data, None, tmp_path / "run", console=Console(file=told, width=200))
    assert "11 training pairs, in memory; 1 with a mask; 2 steps an epoch" in told.getvalue()


def test_losses_of_the_first_twenty_steps_are_those_on_record(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refactor may not change the training; if it is meant to change, the record is made anew and said so."""
    AcceleratorState._reset_state(reset_partial_state=True)  # it holds the precision of the tests before
    float32 = Precision("CPU", "no", "the record is independent of the processor")
    monkeypatch.setattr(train_module, "choose_precision", lambda: float32)
    monkeypatch.setattr(journal, "LOG_EVERY_STEPS", 1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    run_quietly(replace(RECIPE, epochs=10, validate_every=10), data, tmp_path / "run")
    torch.set_num_threads(threads)
    AcceleratorState._reset_state(reset_partial_state=True)
    records = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    curve = [[r["color_loss"], r["edge_loss"]] for r in records if r["event"] == "train"]
    expected = json.loads((Path(__file__).parent / "loss_curve.json").read_text())
    assert len(curve) == 20
    # Rounding differs between processors, and grows from step to step.
    torch.testing.assert_close(torch.tensor(curve[:5]), torch.tensor(expected[:5]), rtol=2e-3, atol=1e-5)
    torch.testing.assert_close(torch.tensor(curve), torch.tensor(expected), rtol=5e-2, atol=1e-5)


def test_broken_pairs_are_all_named_before_a_run_begins(data: Path, tmp_path: Path) -> None:
    for stem in ("frame_01", "frame_12"):
        (data / "rgb" / f"{stem}.png").write_text("no image")
    with pytest.raises(UserError, match=r"(?s)2 of the pairs.*frame_01.*frame_12"):
        run_quietly(RECIPE, data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_wrong_init_leaves_no_run_behind(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=1, width=2), data, tmp_path / "narrow")
    for init in (tmp_path / "absent.safetensors", tmp_path / "narrow" / "checkpoints" / "last.safetensors"):
        with pytest.raises(UserError, match=init.name):
            run_quietly(RECIPE, data, tmp_path / "run", init=init)
        assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="leave --init out"):
        run_quietly(replace(RECIPE, width=2), data, tmp_path / "narrow", resume=True, init=init)


def test_a_loss_that_is_not_finite_stops_the_run_before_the_weights_are_touched(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def loss(*terms: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return total_loss(*terms) * (float("nan") if calls == 4 else 1)

    monkeypatch.setattr(train_module, "total_loss", loss)
    with pytest.raises(UserError, match="not finite at step 3"):
        run_quietly(replace(RECIPE, checkpoint_every_s=0), data, tmp_path / "run")
    checkpoint = load_checkpoint(tmp_path / "run" / "checkpoints" / "last.safetensors")
    assert checkpoint.progress.step == 3
    assert all(tensor.isfinite().all() for tensor in checkpoint.tensors.values())


def test_weights_that_are_not_finite_are_not_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finite loss may have a gradient that is not."""

    def loss(*terms: Tensor) -> Tensor:
        return total_loss(*terms) + (0 * terms[0]).sqrt()

    monkeypatch.setattr(train_module, "total_loss", loss)
    with pytest.raises(UserError, match="the weights are not finite at step 1; use the last checkpoint"):
        run_quietly(replace(RECIPE, checkpoint_every_s=0), data, tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints" / "last.safetensors").exists()


def test_the_cosine_rises_over_a_twentieth_and_ends_at_zero() -> None:
    recipe = replace(RECIPE, learning_rate=1.0, schedule="cosine")
    rates = [recipe.learning_rate_at(step, 200) for step in range(200)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1.0
    assert rates[105] == pytest.approx(0.5)
    assert 0 < rates[-1] < 1e-3
    assert replace(RECIPE, learning_rate=0.5).learning_rate_at(17, 200) == 0.5
    hinted = replace(recipe, hints=1.0, hint_epochs=RECIPE.epochs)
    assert [hinted.learning_rate_at(step, 400) for step in range(400)] == rates + rates


def test_a_budget_of_seconds_ends_a_run_as_complete(data: Path, tmp_path: Path) -> None:
    outcome = run_quietly(replace(RECIPE, epochs=500, validate_every=500), data, tmp_path / "run", budget_s=0.0)
    assert outcome.signal is None
    assert outcome.progress.step == 1
    assert outcome.progress.best_epoch == 1  # which was not done
    records = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert records[-1]["event"] == "validation"
    last = tmp_path / "run" / "checkpoints" / "last.safetensors"
    assert load_checkpoint(last).progress.step == 1
    budget = replace(RECIPE, epochs=500, validate_every=500)
    assert run_quietly(budget, data, tmp_path / "run", budget_s=0.0, resume=True).signal is None
    assert load_checkpoint(last).progress.step == 1  # it has had its time
    assert records == [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]


def test_a_run_that_never_held_the_weights_to_begin_with_is_not_gone_on_with(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=1), data, tmp_path / "base")
    checkpoints = tmp_path / "run" / "checkpoints"
    checkpoints.parent.mkdir()
    checkpoints.touch()  # stands for a full disk
    with pytest.raises(UserError, match="cannot be written"):
        run_quietly(RECIPE, data, tmp_path / "run", init=tmp_path / "base")
    checkpoints.unlink()
    with pytest.raises(UserError, match=r"was to begin with .*base \(--init\), and stopped before"):
        run_quietly(RECIPE, data, tmp_path / "run", resume=True)
