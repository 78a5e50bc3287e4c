import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from ircolor.evaluation.comparison import compare
from ircolor.evaluation.pictures import SHOWN_WIDTH_PX
from ircolor.evaluation.report import best_median_worst, html_report

pytestmark = pytest.mark.usefixtures("fake_models")


def test_the_page_holds_the_table_and_the_pictures_and_needs_no_network(data: Path) -> None:
    comparison = compare(["half<b>"], data)
    page = html_report(comparison)
    assert "http" not in page
    assert "<b>" not in page
    assert "may not" in page
    for name in ("infrared-copy", "cubic-curve", "half&lt;b&gt;"):
        assert f"<td>{name}</td><td>{comparison.scores[name.replace('&lt;b&gt;', '<b>')].mean['psnr_db']:.2f}" in page
    ranked = re.findall(r"<h2>(\w+) PSNR of .*: (\w)</h2>", page)
    assert [label for label, _ in ranked] == ["best", "median", "worst"]
    psnr_db = [comparison.scores["half<b>"].images[stem]["psnr_db"] for _, stem in ranked]
    assert psnr_db == sorted(psnr_db, reverse=True)
    pictures = [base64.b64decode(data) for data in re.findall(r'src="data:image/jpeg;base64,([^"]*)"', page)]
    assert len(pictures) == 3 * 5  # infrared, three rows, truth
    first = cv2.imdecode(np.frombuffer(pictures[4], np.uint8), cv2.IMREAD_COLOR)
    truth = cv2.imread(str(data / f"rgb/{ranked[0][1]}.png"))
    assert first is not None
    assert truth is not None
    assert np.abs(first.astype(float) - truth).mean() < 20  # JPEG of noise, but no channels swapped


def test_large_pictures_are_shown_small(data: Path) -> None:
    for folder in ("infrared", "rgb"):
        cv2.imwrite(str(data / folder / "a.png"), np.zeros((300, 1000, 3), np.uint8))
    page = html_report(compare(["half"], data))
    shapes = {
        cv2.imdecode(np.frombuffer(base64.b64decode(jpeg), np.uint8), cv2.IMREAD_COLOR).shape[:2]  # type: ignore[union-attr]
        for jpeg in re.findall(r"base64,([^\"]*)", page)
    }
    assert shapes == {(144, SHOWN_WIDTH_PX), (16, 30), (33, 17)}


def test_best_median_worst() -> None:
    images = {stem: {"psnr_db": float(psnr_db)} for psnr_db, stem in enumerate("abcde")}
    assert best_median_worst(images) == {"e": "best", "c": "median", "a": "worst"}
    assert best_median_worst({"a": {"psnr_db": 1.0}}) == {"a": "best"}
    assert best_median_worst({"a": {"psnr_db": 1.0}, "b": {"psnr_db": 2.0}}) == {"b": "best", "a": "median"}
