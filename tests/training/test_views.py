"""Whole pictures at several views, against the validation of a training."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ircolor.grade import Grade
from ircolor.pairs.protocols import split_pairs
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.export import net_of
from ircolor.training.views import psnr_by_view
from tests.training.runs import RECIPE, run_quietly


def test_the_view_of_the_recipe_scores_as_it_did_in_training(data: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, view_px=16, grade=Grade(saturation=3.0))
    run_quietly(recipe, data, tmp_path / "run")
    net = net_of(load_checkpoint(tmp_path / "run" / "checkpoints" / "last.safetensors"), "run")
    found = psnr_by_view(net, split_pairs(data, None, "val"), recipe.view, (16, 24))
    assert list(found) == [16, 24]
    assert found[16] == pytest.approx(last_psnr_db(tmp_path / "run"), abs=2e-3)
    assert found[24] != found[16]


def last_psnr_db(run: Path) -> float:
    """Of the log's last validation."""
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return float([record["psnr_db"] for record in records if record["event"] == "validation"][-1])
