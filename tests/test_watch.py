import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ircolor import watch
from ircolor.plan import Job
from ircolor.watch import watch_jobs
from tests.conftest import gray_png

Gray = Callable[..., Path]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_S", 0.01)


def names(jobs: Iterator[Job], count: int) -> list[str]:
    return [job.source.relative.as_posix() for job in itertools.islice(jobs, count)]


def test_what_is_there_and_what_arrives_is_done_once(gray: Gray, tmp_path: Path) -> None:
    gray("in/a.png")
    jobs = watch_jobs([str(tmp_path / "in")], None)
    assert names(jobs, 1) == ["a.png"]
    gray("in/sub/b.png")
    assert names(jobs, 1) == ["sub/b.png"]
    gray("in/c.png")
    assert names(jobs, 1) == ["c.png"]


def test_a_file_that_still_grows_is_left_alone(gray: Gray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gray("in/whole.png")
    growing = tmp_path / "in" / "growing.png"
    content = gray_png()
    looks = itertools.count(1)

    def grow(_: float) -> None:
        if next(looks) < 5:
            with growing.open("ab") as file:
                file.write(content[:40])

    monkeypatch.setattr(time, "sleep", grow)
    jobs = watch_jobs([str(tmp_path / "in")], None)
    assert names(jobs, 2) == ["whole.png", "growing.png"]
    assert next(looks) > 5


def test_a_file_that_changed_is_given_again_until_its_result_exists(gray: Gray, tmp_path: Path) -> None:
    image = gray("in/a.png", 20, 30)
    jobs = watch_jobs([str(tmp_path / "in")], None)
    assert names(jobs, 1) == ["a.png"]
    gray("in/a.png", 40, 60)
    assert names(jobs, 1) == ["a.png"]
    gray("in_rgb/a.png")
    image.write_bytes(gray_png(8, 8))
    gray("in/b.png")
    assert names(jobs, 1) == ["b.png"]


def test_a_file_that_would_have_the_result_of_another_is_told_once_and_the_others_go_on(
    gray: Gray, tmp_path: Path
) -> None:
    gray("in/a.png").rename(tmp_path / "in" / "a.jpg")
    told: list[str] = []
    jobs = watch_jobs([str(tmp_path / "in")], str(tmp_path / "out"), tell=told.append)
    assert names(jobs, 1) == ["a.jpg"]
    gray("in/a.png")
    gray("in/b.png")
    assert names(jobs, 1) == ["b.png"]
    gray("in/c.png")
    assert names(jobs, 1) == ["c.png"]
    assert len(told) == 1
    assert "a.png: its result" in told[0]


def test_a_folder_that_is_away_for_a_while_is_no_image(gray: Gray, tmp_path: Path) -> None:
    gray("in/a.png")
    jobs = watch_jobs([str(tmp_path / "in")], str(tmp_path / "out"))
    assert names(jobs, 1) == ["a.png"]
    gray("out/a.png")
    (tmp_path / "in").rename(tmp_path / "away")
    looks = itertools.count(1)

    def come_back(_: float) -> None:
        if next(looks) == 4:
            (tmp_path / "away").rename(tmp_path / "in")
            gray("in/b.png")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", come_back)
        assert names(jobs, 1) == ["b.png"]


def test_links_to_one_file_are_done_each(gray: Gray, tmp_path: Path) -> None:
    gray("in/b.png")
    (tmp_path / "in" / "a.png").symlink_to("b.png")
    assert names(watch_jobs([str(tmp_path / "in")], str(tmp_path / "out")), 2) == ["a.png", "b.png"]
