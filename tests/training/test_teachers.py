"""Learning from nets besides the truth."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ircolor.errors import UserError
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.device import choose_precision, make_accelerator
from ircolor.training.export import net_of
from ircolor.training.teachers import Teachers
from tests.training.runs import RECIPE, assert_same_end, run_quietly


@pytest.fixture
def runs(data: Path, tmp_path: Path) -> list[Path]:
    for seed in (0, 1):
        run_quietly(replace(RECIPE, seed=seed, epochs=2), data, tmp_path / f"teacher_{seed}")
    return [tmp_path / "teacher_0", tmp_path / "teacher_1" / "checkpoints" / "last.safetensors"]


def test_the_target_is_between_the_truth_and_the_mean_of_the_teachers(runs: list[Path]) -> None:
    accelerator = make_accelerator(choose_precision())
    teachers = Teachers(runs, accelerator.device, accelerator.autocast)
    infrared, true_rgb = torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32)
    assert torch.equal(teachers.blend(infrared, true_rgb, 0), true_rgb)
    files = [runs[0] / "checkpoints" / "best.safetensors", runs[1]]
    with torch.inference_mode():
        mean = torch.stack([net_of(load_checkpoint(file), "x")(infrared) for file in files]).mean(dim=0)
    torch.testing.assert_close(teachers.blend(infrared, true_rgb, 1), mean, atol=0.02, rtol=0)
    half = teachers.blend(infrared, true_rgb, 0.5)
    torch.testing.assert_close(half, (true_rgb + mean) / 2, atol=0.01, rtol=0)


def test_teachers_change_what_is_learned_and_a_resumed_run_has_the_same(
    data: Path, tmp_path: Path, runs: list[Path]
) -> None:
    recipe = replace(RECIPE, seed=2)
    run_quietly(recipe, data, tmp_path / "alone")
    run_quietly(recipe, data, tmp_path / "taught", teachers=runs)
    alone, taught = (
        load_checkpoint(tmp_path / name / "checkpoints" / "last.safetensors").tensors for name in ("alone", "taught")
    )
    assert not torch.equal(alone["net.head.weight"], taught["net.head.weight"])
    run_quietly(replace(recipe, epochs=2), data, tmp_path / "parts", teachers=runs)
    with pytest.raises(UserError, match="teachers"):
        run_quietly(recipe, data, tmp_path / "parts", resume=True)
    run_quietly(recipe, data, tmp_path / "parts", resume=True, teachers=runs)
    assert_same_end(tmp_path / "parts", tmp_path / "taught")


def test_a_teacher_that_is_none_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="absent"):
        run_quietly(RECIPE, data, tmp_path / "run", teachers=[tmp_path / "absent.safetensors"])
    assert not (tmp_path / "run").exists()
