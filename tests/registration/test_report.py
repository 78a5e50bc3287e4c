import base64
import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from ircolor.registration.preview import PreviewKind
from ircolor.registration.report import summary, write_report
from ircolor.registration.result import Registration
from tests.registration.registrations import make_registration

HOSTILE = "<script>alert('1')</script>\"&$x"
NAN = float("nan")
LOST = make_registration(
    HOSTILE,
    verdict="reject",
    reason="<i>too dark</i>",
    model=None,
    matrix=np.full((3, 3), NAN),
    residual_median_px=NAN,
    residual_p90_px=NAN,
    correlation_after=NAN,
    coverage=NAN,
    overlap=NAN,
)

VERDICTS = ("accept", "reject", "review", "accept")


class Page(HTMLParser):
    """Elements in order, with their attributes and text; fails where one is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "input", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def no_pictures(_: str) -> dict[PreviewKind, bytes]:
    return {}


def page_of(file: Path, registrations: list[Registration]) -> Page:
    write_report(file, HOSTILE, registrations, no_pictures)
    return Page(file.read_text())


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    page = page_of(tmp_path / "report.html", [LOST])
    assert len(page.all("script")) == 1
    assert page.all("i") == []
    assert [card["data-stem"] for card in page.all("article")] == [HOSTILE]
    assert page.text.count(HOSTILE) == 2  # title and card
    assert "<i>too dark</i>" in page.text
    assert "nan" not in "".join(page.text)


def test_the_policy_lets_in_this_style_and_this_script_only(tmp_path: Path) -> None:
    page = page_of(tmp_path / "report.html", [make_registration()])
    text = (tmp_path / "report.html").read_text()
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inside) == 1
        assert f"{tag}-src 'sha256-{base64.b64encode(sha256(inside[0].encode()).digest()).decode()}'" in policy
    assert "http:" not in text
    assert "https:" not in text
    assert not any("style" in attributes or "onclick" in attributes for _, attributes in page.elements)


def test_what_needs_a_look_stands_first_and_is_counted(tmp_path: Path) -> None:
    pairs = [make_registration(stem, verdict=verdict) for stem, verdict in zip("abcd", VERDICTS, strict=True)]
    page = page_of(tmp_path / "report.html", pairs)
    cards = page.all("article")
    assert [card["data-stem"] for card in cards] == ["c", "b", "a", "d"]
    assert [card["class"] for card in cards] == ["review", "reject", "accept", "accept"]
    text = "".join(page.text)
    for count in ("accept 2", "review 1", "reject 1"):
        assert count in text
    ids = {element["id"] for element in page.all("input")}
    assert {label["for"] for label in page.all("label")} == ids == {*VERDICTS, "edges", "checkerboard", "before"}


def test_pictures_are_asked_for_as_they_are_written(tmp_path: Path) -> None:
    asked = []

    def previews(stem: str) -> dict[PreviewKind, bytes]:
        asked.append(stem)
        if stem == "b":
            raise KeyboardInterrupt
        return {"edges": b"edges of a", "before": b"a before"}

    file = tmp_path / "report.html"
    file.write_text("old")
    pair = make_registration("a")
    with pytest.raises(KeyboardInterrupt):
        write_report(file, "pairs", [pair, make_registration("b"), make_registration("c")], previews)
    assert asked == ["a", "b"]
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]

    write_report(file, "pairs", [pair], previews)
    page = Page(file.read_text())
    pictures = {image["alt"]: base64.b64decode(str(image["src"]).partition("base64,")[2]) for image in page.all("img")}
    assert pictures == {"edges": b"edges of a", "before": b"a before"}
    assert "no picture: nothing was aligned" in page.text  # in place of the checkerboard


def test_the_summary_is_of_what_was_accepted() -> None:
    accepted = [make_registration(residual_median_px=residual_px) for residual_px in (0.1, 0.3, NAN)]
    assert summary([*accepted, LOST]) == (
        "3 of 4 pairs accepted. Medians of these: residual 0.20 px, structure correlation 0.10 before and "
        "0.60 after. 0.40 s a pair."
    )
    assert "residual - px" in summary([LOST])
