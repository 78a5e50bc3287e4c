from collections.abc import Callable
from pathlib import Path

import pytest

from ircolor.media.compose import BAR_PX, GAP_PX
from ircolor.media.images import read_rgb
from tests.cli.conftest import Done

Run = Callable[..., Done]


@pytest.fixture
def demo(ircolor: Run, tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IRCOLOR_DATA", str(tmp_path / "data"))
    return lambda *arguments: ircolor("demo", "--model", tiny_onnx, *arguments)


def test_without_anything_it_colorizes_the_synthetic_scene(demo: Run) -> None:
    for _ in range(2):  # it can be run again
        done = demo()
        assert (done.status, done.out) == (0, "demo/synthetic_scene_demo.png\n")
    assert read_rgb(Path("demo/synthetic_scene_demo.png")).shape == (480 + BAR_PX, 3 * 640 + 2 * GAP_PX, 3)


def test_it_takes_an_image(demo: Run, gray: Callable[..., Path]) -> None:
    assert demo(gray("night.png", 20, 30), "-o", "seen").out == "seen/night_demo.png\n"
    assert read_rgb(Path("seen/night_demo.png")).shape == (20 + BAR_PX, 60 + GAP_PX, 3)


def test_it_replaces_no_image_of_anyone(demo: Run, gray: Callable[..., Path]) -> None:
    image = gray("pictures/night.png", 20, 30)
    before = image.read_bytes()
    assert demo(image, "-o", "pictures").out == "pictures/night_demo.png\n"
    assert image.read_bytes() == before


def test_it_takes_the_first_test_pair_where_there_are_real_ones(demo: Run, gray: Callable[..., Path]) -> None:
    gray("data/i/a.png"), gray("data/r/a.png"), gray("data/i/b.png", 20, 30), gray("data/r/b.png", 20, 30)
    index = "infrared,rgb,nirscene_split\ni/a.png,r/a.png,train\ni/b.png,r/b.png,test\n"
    Path("data/index.csv").write_text(index)
    assert demo().out == "demo/b_demo.png\n"
    assert read_rgb(Path("demo/b_demo.png")).shape == (20 + BAR_PX, 90 + 2 * GAP_PX, 3)


def test_it_takes_a_test_pair_of_ones_own(demo: Run, gray: Callable[..., Path]) -> None:
    gray("data/i/b.png", 20, 30), gray("data/r/b.png", 20, 30)
    Path("data/index.csv").write_text("infrared,rgb,split\ni/b.png,r/b.png,test\n")
    assert demo().out == "demo/b_demo.png\n"
    Path("data/index.csv").write_text("infrared,rgb,split\ni/b.png,r/b.png,train\n")
    done = demo()
    assert (done.status, done.out) == (0, "demo/synthetic_scene_demo.png\n")
    assert "no test pair, so a synthetic scene: " in done.err
