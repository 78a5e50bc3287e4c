"""No interruption changes where a run ends, and no run is mixed with another."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ircolor.errors import UserError
from ircolor.grade import Grade
from ircolor.training import train as train_module
from ircolor.training.checkpoint import load_checkpoint
from ircolor.training.recipe import Recipe, recipe_from_json
from ircolor.training.run_folder import RunFolder
from tests.tiny_pairs import write_pairs
from tests.training.runs import ALL, RECIPE, assert_same_end, run_quietly, signal_at_call


@pytest.mark.parametrize(
    ("recipe", "number"), [(RECIPE, signal.SIGINT), (RECIPE, signal.SIGTERM), (ALL, signal.SIGINT)]
)
def test_a_stopped_and_resumed_run_ends_like_an_uninterrupted_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, number: signal.Signals
) -> None:
    handler = signal.getsignal(number)
    whole = run_quietly(recipe, data, tmp_path / "whole")
    monkeypatch.setattr(train_module, "total_loss", signal_at_call(3, number))
    stopped = run_quietly(recipe, data, tmp_path / "parts")
    assert stopped.signal == number
    assert stopped.progress.step == 3
    assert signal.getsignal(number) == handler
    monkeypatch.undo()
    resumed = run_quietly(recipe, data, tmp_path / "parts", resume=True)
    assert resumed.signal is None
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    assert resumed.progress.best_psnr_db == whole.progress.best_psnr_db
    steps = [json.loads(line)["step"] for line in (tmp_path / "parts" / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(steps)


@pytest.mark.slow
def test_a_killed_run_resumes_from_its_last_checkpoint_and_ends_alike(data: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=60, validate_every=60, checkpoint_every_s=0.3)
    run_quietly(recipe, data, tmp_path / "whole")
    program = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from ircolor.training.recipes import smoke; from ircolor.training.train import train\n"
        "recipe = replace(smoke(), epochs=60, validate_every=60, checkpoint_every_s=0.3)\n"
        "train(recipe, Path(sys.argv[1]), None, Path(sys.argv[2]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(data), str(tmp_path / "parts")], stderr=subprocess.DEVNULL
    )
    last, log = tmp_path / "parts" / "checkpoints" / "last.safetensors", tmp_path / "parts" / "log.jsonl"
    deadline_s = time.monotonic() + 120
    while not last.exists() and process.poll() is None and time.monotonic() < deadline_s:
        time.sleep(0.005)
    saved_lines = len(log.read_text().splitlines())
    while process.poll() is None and len(log.read_text().splitlines()) < saved_lines + 2:
        time.sleep(0.001)  # let it work past the checkpoint
    process.kill()
    process.wait()
    killed_at = load_checkpoint(last).progress.step
    assert 0 < killed_at < 120, "the run was too fast or too slow to be killed in its middle"
    (last.parent / ".0123.part").write_bytes(b"half a checkpoint")
    run_quietly(recipe, data, tmp_path / "parts", resume=True)
    assert not list(last.parent.glob("*.part")), "what a killed write left is swept away"
    assert_same_end(tmp_path / "whole", tmp_path / "parts")
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps == sorted(steps)


def test_epochs_may_be_added_to_a_finished_run(data: Path, tmp_path: Path) -> None:
    run_quietly(RECIPE, data, tmp_path / "whole")
    run_quietly(replace(RECIPE, epochs=2), data, tmp_path / "longer")
    run_quietly(RECIPE, data, tmp_path / "longer", resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "longer")
    assert json.loads((tmp_path / "longer" / "run.json").read_text())["recipe"]["epochs"] == 4


def test_a_run_of_before_a_recipe_had_one_of_its_fields_goes_on(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=2), data, tmp_path / "run")
    file = tmp_path / "run" / "run.json"
    description = json.loads(file.read_text())
    assert description["recipe"].pop("hints") == 0
    file.write_text(json.dumps(description))
    assert run_quietly(RECIPE, data, tmp_path / "run", resume=True).progress.step == 8
    description["recipe"]["of_a_later_version"] = 1
    file.write_text(json.dumps(description))
    with pytest.raises(UserError, match="was begun with another recipe"):
        run_quietly(RECIPE, data, tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("options", "change", "message"),
    [
        ({"resume": False}, {}, "holds a run already"),
        ({"resume": True}, {"seed": 5}, "begun with another seed; give the same"),
        ({"resume": True}, {"width": 2, "learning_rate": 1.0}, "begun with another width, learning_rate; give"),
        ({"resume": True}, {"name": "other", "seed": 5}, "begun with another recipe; give"),
    ],
)
def test_a_run_is_not_mixed_with_another(
    data: Path, tmp_path: Path, options: dict[str, bool], change: dict[str, Any], message: str
) -> None:
    run_quietly(replace(RECIPE, epochs=1), data, tmp_path / "run")
    with pytest.raises(UserError, match=message):
        run_quietly(replace(RECIPE, **change), data, tmp_path / "run", **options)


def test_a_finished_run_takes_another_grade_and_says_what_it_scores_with_it(data: Path, tmp_path: Path) -> None:
    recipe, run = replace(RECIPE, view_px=32), RunFolder(tmp_path / "run")
    run_quietly(recipe, data, run.path)
    before = load_checkpoint(run.last), load_checkpoint(run.best)
    lines = run.log.read_text().splitlines()
    run.trust.write_text("the expected error of the colours so far")
    vivid = replace(recipe, grade=Grade(saturation=3))
    outcome = run_quietly(vivid, data, run.path, resume=True)
    last, best = load_checkpoint(run.last), load_checkpoint(run.best)
    kept = last.recipe, best.recipe, json.loads(run.description.read_text())["recipe"]
    assert [recipe_from_json(found) for found in kept] == 3 * [vivid]
    for checkpoint, old in zip((last, best), before, strict=True):
        assert checkpoint.tensors.keys() == old.tensors.keys()
    assert all(torch.equal(last.tensors[name], before[0].tensors[name]) for name in last.tensors)
    assert not run.trust.exists()
    log = run.log.read_text().splitlines()
    assert log[: len(lines)] == lines
    first = [json.loads(line) for line in lines if "validation" in line]
    again = [json.loads(line) for line in log[len(lines) :]]
    assert {scores["step"] for scores in again} == {checkpoint.progress.step for checkpoint in before}
    for scores in again:
        (old,) = (old for old in first if old["step"] == scores["step"])
        assert scores["colorfulness_ratio"] > 1.1 * old["colorfulness_ratio"]
    assert round(outcome.progress.best_psnr_db, 4) == max(scores["psnr_db"] for scores in again)
    assert load_checkpoint(run.last).progress == outcome.progress
    run_quietly(vivid, data, run.path, resume=True)
    assert run.log.read_text().splitlines() == log  # once


def test_a_signal_that_comes_with_the_last_step_is_heard(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would come after, as the nets of the parts, must not begin."""
    monkeypatch.setattr(train_module, "total_loss", signal_at_call(8, signal.SIGINT))
    stopped = run_quietly(RECIPE, data, tmp_path / "run")
    assert (stopped.signal, stopped.progress.step) == (signal.SIGINT, 8)
    assert run_quietly(RECIPE, data, tmp_path / "run", resume=True).signal is None


def test_fewer_epochs_than_a_run_has_done_are_refused(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=3), data, tmp_path / "run")
    before = (tmp_path / "run" / "run.json").read_bytes()
    with pytest.raises(UserError, match="trained for more epochs already; give at least as many"):
        run_quietly(replace(RECIPE, epochs=2), data, tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "run.json").read_bytes() == before


def test_two_runs_cannot_begin_in_one_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.require(run=False)  # so says each of two that start at once, and then reads its pairs
    folder.begin(RECIPE, {"protocol": "folder"})
    first = folder.description.read_bytes()
    with pytest.raises(UserError, match="holds a run already"):
        folder.begin(RECIPE, {"protocol": "nirscene"})
    assert folder.description.read_bytes() == first


def test_checkpoints_that_no_run_owns_are_not_mixed_into_a_new_one(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=1, validate_every=1), data, tmp_path / "run")
    (tmp_path / "run" / "run.json").unlink()
    with pytest.raises(UserError, match="holds checkpoints of another run"):
        run_quietly(RECIPE, data, tmp_path / "run", include_val=True)


def test_a_file_is_no_folder_for_a_run(data: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(UserError, match="run: is a file; give a folder"):
        run_quietly(RECIPE, data, tmp_path / "run")


def test_weights_alone_are_not_gone_on_from(data: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run_quietly(RECIPE, data, run.path)
    run.last.write_bytes(run.best.read_bytes())
    with pytest.raises(UserError, match="tells weights alone, which a run cannot go on from"):
        run_quietly(RECIPE, data, run.path, resume=True)


def test_a_run_killed_before_its_first_checkpoint_begins_with_the_published_encoder(data: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, net="lite_unet", edge_net=None, epochs=2)
    for name in ("whole", "killed"):
        run_quietly(recipe, data, tmp_path / name)
    (tmp_path / "killed" / "checkpoints" / "last.safetensors").unlink()
    run_quietly(recipe, data, tmp_path / "killed", resume=True)
    assert_same_end(tmp_path / "whole", tmp_path / "killed")


def test_resuming_nothing_is_an_error(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run to go on with"):
        run_quietly(RECIPE, data, tmp_path / "run", resume=True)


def test_other_data_is_not_mixed_into_a_run(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=2), data, tmp_path / "run")
    write_pairs(data, ["frame_99"])
    with pytest.raises(UserError, match="begun with another set of pairs; give the same"):
        run_quietly(RECIPE, data, tmp_path / "run", resume=True)


def test_a_torn_line_in_the_log_does_not_hinder_resuming(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=2), data, tmp_path / "run")
    log = tmp_path / "run" / "log.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join(lines) + '\n{"event": "tra')
    run_quietly(RECIPE, data, tmp_path / "run", resume=True)
    assert log.read_text().splitlines()[: len(lines)] == lines
    assert all(json.loads(line) for line in log.read_text().splitlines())


def test_a_run_that_goes_on_is_not_gone_on_with_twice(data: Path, tmp_path: Path) -> None:
    run_quietly(replace(RECIPE, epochs=2), data, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    log = folder.log.read_text()
    with folder.held(True):
        half_written = folder.last.with_name(".0123.part")
        half_written.touch()
        folder.log.write_text(log + '{"event": "train", "step": 99}\n')  # by the other training
        with pytest.raises(UserError, match="another training goes on in it"):
            run_quietly(RECIPE, data, tmp_path / "run", resume=True)
        assert half_written.exists()
        assert folder.log.read_text().startswith(log)
        assert "99" in folder.log.read_text()
    assert run_quietly(RECIPE, data, tmp_path / "run", resume=True).progress.step == 8
    assert not half_written.exists()


def test_a_folder_in_which_no_checkpoint_can_lie_is_told(data: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoints").touch()
    with pytest.raises(UserError, match="cannot be written"):
        run_quietly(RECIPE, data, tmp_path / "run")
