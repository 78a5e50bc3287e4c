"""A folder that pairs were written to before: taken up again, replaced, or left half-way."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.pairs.index import find_pairs
from ircolor.registration.estimate import Estimate
from ircolor.registration.folder import Settings
from ircolor.registration.result import Verdict
from ircolor.registration.transforms import Warp
from tests.cli.conftest import files
from tests.registration.cameras import (
    make_estimate,
    use_estimator,
    write_noise,
)
from tests.registration.registrations import assert_same
from tests.registration.test_folder import register, write_verdicts


def test_images_of_other_settings_are_not_taken_for_those_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners = write_noise(tmp_path / "in", 1)
    half = Warp("similarity", np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]))
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(warp=half))
    pairs = tmp_path / "pairs"
    register(partners, pairs)
    first = (pairs / "infrared" / "00.png").read_bytes()
    register(partners, pairs, Settings(onto="rgb"), resume=True)
    assert (pairs / "infrared" / "00.png").read_bytes() != first
    assert register(partners, pairs, resume=True).num_resumed == 0
    assert (pairs / "infrared" / "00.png").read_bytes() == first

    def interrupted(*_: Any, **__: Any) -> Estimate:
        raise KeyboardInterrupt

    use_estimator(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        register(partners, pairs, Settings(onto="rgb"), resume=True)
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(warp=half))
    assert register(partners, pairs, resume=True).num_resumed == 0  # who knows how far the other came


def test_a_folder_lists_no_pairs_while_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed leaves it so: images may be there that nobody has judged."""
    partners = write_noise(tmp_path / "in", 2)
    looks = []

    def look(*_: Any, **__: Any) -> Estimate:
        with pytest.raises(UserError, match="no pairs in it"):
            find_pairs(tmp_path / "pairs")
        looks.append(len(files(tmp_path / "pairs")))
        return make_estimate()

    use_estimator(monkeypatch, look)
    register(partners, tmp_path / "pairs")
    register(partners, tmp_path / "pairs", overwrite=True)
    assert len(looks) == 4
    assert len(find_pairs(tmp_path / "pairs")) == 2


def test_a_mask_that_was_removed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, pixels that are displaced would be trained on."""
    partners = write_noise(tmp_path / "in", 1)
    usable = np.indices((40, 48))[1] < 40
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(usable=usable))
    register(partners, tmp_path / "pairs")
    mask = tmp_path / "pairs" / "mask" / "00.png"
    before = mask.read_bytes()
    assert register(partners, tmp_path / "pairs", resume=True).num_resumed == 1
    mask.unlink()
    assert register(partners, tmp_path / "pairs", resume=True).num_resumed == 0
    assert mask.read_bytes() == before


def test_an_interrupted_run_ends_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partners = write_verdicts(tmp_path, monkeypatch)

    def interrupt(count: Mapping[Verdict, int], _total: int) -> None:
        if sum(count.values()) == 2:
            raise KeyboardInterrupt

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    expected = register(partners, whole)
    with pytest.raises(KeyboardInterrupt):
        register(partners, parts, show=interrupt)
    # What is finished can be used already.
    assert [pair.stem for pair in find_pairs(parts)] == ["00"]
    summary = register(partners, parts, resume=True)
    assert summary.num_resumed == 2
    for one, other in zip(summary.registrations, expected.registrations, strict=True):
        assert_same(replace(one, seconds=0), replace(other, seconds=0))
    assert files(parts) == files(whole)
    for name in files(whole):
        if name.endswith((".png", ".jpg", "index.csv")):
            assert (parts / name).read_bytes() == (whole / name).read_bytes()


def test_what_changed_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partners = write_verdicts(tmp_path, monkeypatch)
    pairs = tmp_path / "pairs"
    register(partners, pairs)
    assert register(partners, pairs, resume=True).num_resumed == 4
    (pairs / "rgb" / "00.png").unlink()
    assert register(partners, pairs, resume=True).num_resumed == 3
    partners[1].rgb.write_bytes(partners[1].rgb.read_bytes())
    assert register(partners, pairs, resume=True).num_resumed == 3
    assert register(partners, pairs, Settings(onto="rgb"), resume=True).num_resumed == 0
    assert register(partners, pairs, Settings(onto="rgb"), overwrite=True).num_resumed == 0


def test_images_of_a_pair_that_is_now_rejected_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partners = write_noise(tmp_path / "in", 1)
    mask = np.eye(40, 48, dtype=np.bool_)
    for verdict in ("accept", "reject"):
        use_estimator(monkeypatch, lambda *_, verdict=verdict, **__: make_estimate(verdict=verdict, usable=mask))
        register(partners, tmp_path / "pairs", overwrite=verdict == "reject")
        images = [name for name in files(tmp_path / "pairs") if name.endswith(".png")]
        assert images == ([] if verdict == "reject" else ["infrared/00.png", "mask/00.png", "rgb/00.png"])


def test_pairs_that_are_replaced_by_others_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(usable=np.eye(40, 48, dtype=np.bool_)))
    partners = write_noise(tmp_path / "in", 3)
    register(partners[:1], tmp_path / "one")
    pairs = tmp_path / "pairs"
    register(partners, pairs)
    mine = tmp_path / "elsewhere.png"
    mine.touch()
    with (pairs / ".register.jsonl").open("a") as journal:  # as nobody but an attacker writes it
        journal.write((tmp_path / "one" / ".register.jsonl").read_text().replace('"00"', '"../../elsewhere"'))
    (pairs / "infrared" / "notes.png").touch()
    register(partners[:1], pairs, overwrite=True)
    assert set(files(pairs)) == {*files(tmp_path / "one"), "infrared/notes.png"}
    assert mine.exists()


def test_a_split_is_not_lost_when_a_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partners = write_verdicts(tmp_path, monkeypatch)
    pairs = tmp_path / "pairs"
    register(partners, pairs)
    index = pairs / "index.csv"
    header, *rows = index.read_text().splitlines()
    split = "\n".join([header + ",split", *(row + ",train" for row in rows)])
    index.write_text(split)
    with pytest.raises(UserError, match=r"index\.csv: says how the pairs are split.*move it away"):
        register(partners, pairs, resume=True)
    assert index.read_text() == split
    index.unlink()
    assert register(partners, pairs, resume=True).num_resumed == 4


def test_a_folder_is_not_overwritten_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partners = write_verdicts(tmp_path, monkeypatch)
    register(partners, tmp_path / "pairs")
    with pytest.raises(UserError, match="exists; use --overwrite"):
        register(partners, tmp_path / "pairs")
    with pytest.raises(UserError, match="contradict"):
        register(partners, tmp_path / "pairs", overwrite=True, resume=True)
    for resume in (False, True):
        with pytest.raises(UserError, match="holds files that register did not write"):
            register(partners, tmp_path / "in", resume=resume, overwrite=not resume)
    (tmp_path / "looked_at").mkdir()
    (tmp_path / "looked_at" / ".DS_Store").touch()
    register(partners, tmp_path / "looked_at")
