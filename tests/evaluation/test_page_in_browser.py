"""The page of `ircolor compare` in a real browser: Debian's Chromium, driven by playwright."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ircolor.evaluation.systems import compare_systems
from ircolor.evaluation.systems_report import systems_report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium; apt-get install chromium"),
]


@pytest.fixture
def page(data: Path, predictions: Path, tiny_onnx: Path, tmp_path: Path) -> Iterator[Any]:
    """The page, opened; what went wrong in it is in `page.problems`."""
    playwright = pytest.importorskip("playwright.sync_api")
    report = tmp_path / "report.html"
    comparison = compare_systems(
        {"snet": [tiny_onnx], "colornet": [tiny_onnx]}, data, predictions={"perfect": predictions}
    )
    report.write_text(systems_report(comparison), encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.problems = []
        opened.on("console", lambda message: opened.problems.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: opened.problems.append(str(error)))
        opened.on("request", lambda request: opened.problems.append(request.url) if _is_foreign(request.url) else None)
        opened.goto(report.as_uri())
        yield opened
        assert opened.problems == []
        browser.close()


def _is_foreign(url: str) -> bool:
    return not url.startswith(("file:", "data:"))


def test_a_heading_sorts_its_column(page: Any) -> None:
    table = page.locator("table").first

    def systems() -> list[str]:
        return [str(text).split("\n")[0] for text in table.locator("tbody tr td:first-child").all_inner_texts()]

    heading = table.locator("th button").nth(1)
    assert heading.inner_text() == "PSNR dB"
    heading.click()
    assert systems()[0] == "perfect"
    heading.click()
    assert systems()[-1] == "perfect"
    assert table.locator("th[aria-sort=ascending]").count() == 1


def test_the_slider_goes_from_infrared_over_the_prediction_to_the_truth(page: Any) -> None:
    picture = page.locator(".compared figure[data-row=snet] img").first
    picture.click()
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    shown = dialog.locator(".stage img")
    row = page.locator(".compared").first
    assert shown.nth(1).get_attribute("src") == picture.get_attribute("src")
    assert shown.nth(0).get_attribute("src") == row.locator("[data-row=infrared] img").get_attribute("src")
    assert shown.nth(2).get_attribute("src") == row.locator("[data-row=truth] img").get_attribute("src")

    def hidden_percent() -> list[float]:
        clips = [shown.nth(number).evaluate("image => image.style.clipPath") for number in (1, 2)]
        return [float(clip.split()[1].removesuffix("%")) for clip in clips]

    assert hidden_percent() == [0, 100]
    slider = dialog.locator("input")
    slider.fill("30")
    assert hidden_percent() == [70, 100]
    slider.fill("160")
    assert hidden_percent() == [0, 40]
    dialog.get_by_role("button", name="close").click()
    assert not dialog.is_visible()


def test_an_image_leads_to_all_its_scores(page: Any) -> None:
    scores = page.locator(".scores")
    assert not scores.first.is_visible()
    page.locator("h3 a").first.click()
    shown = [number for number in range(scores.count()) if scores.nth(number).is_visible()]
    assert len(shown) == 1
    heading = scores.nth(shown[0]).locator("h3").inner_text()
    assert heading == f"All scores of {page.locator('h3 a').first.inner_text()}"


def test_every_picture_is_drawn(page: Any) -> None:
    page.wait_for_load_state("load")
    widths = page.locator("figure img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert len(widths) > 20
    assert min(widths) > 0
