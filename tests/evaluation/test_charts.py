"""Odd names and torn logs do not take a chart."""

import json
from pathlib import Path

import numpy as np
import pytest

from ircolor.evaluation.charts import colors_of, learning_curves
from ircolor.metrics import load_skimage

pytest.importorskip("matplotlib")


@pytest.mark.parametrize(("name", "shown"), [("_mine", "_mine"), (r"a$\x$b", r"a$\x$b"), ("[/b]", "[/b]")])
def test_any_name_stands_in_the_legend_as_it_is(tmp_path: Path, name: str, shown: str) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"event": "train", "color_loss": loss}) + "\n" for loss in (3, 2, 1)))
    chart = learning_curves({name: [log]})
    assert chart is not None
    assert shown in chart


def test_lines_that_are_torn_or_odd_are_left_out(tmp_path: Path) -> None:
    steps = [json.dumps({"event": "train", "color_loss": loss}) for loss in (3, 2, 1)]
    charts = []
    for number, odd in enumerate(("", "null\n[1]\n" + '{"event": "train", "color_loss": "x"}\n{"event": "tra')):
        log = tmp_path / f"{number}.jsonl"
        log.write_text("\n".join(steps) + "\n" + odd)
        charts.append(learning_curves({"mine": [log]}))
    assert charts[0] is not None
    assert charts[0] == charts[1]


def test_what_an_adversary_says_of_colours_counts_and_its_own_loss_does_not(tmp_path: Path) -> None:
    charts = []
    for number, own in enumerate((9.0, 1.0)):
        steps = [
            {"event": "train", "color_loss": 1.0, "adversarial_loss": loss, "adversary_loss": own} for loss in (2, 1)
        ]
        (log := tmp_path / f"{number}.jsonl").write_text("\n".join(map(json.dumps, steps)))
        charts.append(learning_curves({"mine": [log]}))
    (log := tmp_path / "sum.jsonl").write_text(
        '{"event": "train", "color_loss": 3}\n{"event": "train", "color_loss": 2}'
    )
    assert charts[0] == charts[1] == learning_curves({"mine": [log]})


def test_bars_are_painted_in_the_hue_that_they_tell_of() -> None:
    hues_deg = np.arange(5.0, 360, 10)
    _, a, b = np.moveaxis(load_skimage("color").rgb2lab(colors_of(hues_deg)), -1, 0)
    off_deg = (np.degrees(np.arctan2(b, a)) - hues_deg + 180) % 360 - 180
    assert np.abs(off_deg).max() < 12  # cyan as vivid as that sRGB does not hold
    assert np.abs(off_deg).mean() < 2


def test_a_system_has_its_colour_whether_or_not_others_have_logs(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"event": "train", "color_loss": loss}) + "\n" for loss in (3, 2, 1)))
    first, second = learning_curves({"copy": [], "mine": [log]}), learning_curves({"mine": [log]})
    assert first is not None
    assert second is not None
    blue, pale_blue = "stroke: #1f77b4", "stroke: #aec7e8"  # the first and the second of the map
    assert (pale_blue in first, blue in first) == (True, False)
    assert (pale_blue in second, blue in second) == (False, True)
