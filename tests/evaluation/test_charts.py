"""Odd names and torn logs do not take a chart."""

import json
from pathlib import Path

import pytest

from ircolor.evaluation.charts import learning_curves

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
