"""Results strip by strip, in 8 and 16 bits: the same pixels whatever the tiles."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.media.compose import side_by_side, side_by_side_width
from ircolor.media.encode import write_rows
from ircolor.media.images import read_infrared, read_rgb
from ircolor.media.intensity import IntensityWindow
from ircolor.training.quantize import quantize
from ircolor.weights.seal import seal
from tests.conftest import gray_png, make_card, noise


@pytest.fixture(scope="module")
def tiny_int8(tiny_body: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = onnx.load_from_string(tiny_body)
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}{number}"
    images = [(noise(64, 64, seed) / 127.5 - 1).astype(np.float32)[None, None] for seed in range(4)]
    body = quantize(model, images)
    assert any(node.op_type == "QuantizeLinear" for node in body.graph.node)
    path = tmp_path_factory.mktemp("int8") / "int8.onnx"
    path.write_bytes(seal(bytes(body.SerializeToString()), make_card(arithmetic="int8")))
    return path


@pytest.fixture(params=["float32", "int8"], scope="module")
def model(request: pytest.FixtureRequest, tiny_onnx: Path, tiny_int8: Path) -> Path:
    return tiny_onnx if request.param == "float32" else tiny_int8


@given(height=st.integers(1, 250), width=st.integers(1, 250), tile=st.integers(80, 200))
@example(height=161, width=177, tile=80)  # one pixel of the last cell of the grid, the rest of it reflected
@settings(max_examples=8)
def test_tiled_equals_whole_in_both_depths(model: Path, height: int, width: int, tile: int) -> None:
    image = noise(height, width).astype(np.uint16) * 257
    whole, tiled = (Colorizer(model, tile=cut, threads=1, intensity="full") for cut in ("off", tile))
    for depth_bits, most in ((8, 1), (16, 257)):
        expected = whole.colorize_detailed(image, depth_bits=depth_bits)
        got = tiled.colorize_detailed(image, depth_bits=depth_bits)
        assert got.rgb.dtype == got.infrared.dtype == np.dtype(f"u{depth_bits // 8}")
        assert np.abs(got.rgb.astype(int) - expected.rgb).max() <= most
        np.testing.assert_array_equal(got.infrared, expected.infrared)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (17, 31), (33, 16)])
def test_the_border_is_reflected_up_to_the_grid(tiny_onnx: Path, height: int, width: int) -> None:
    image = noise(height, width)
    colorizer = Colorizer(tiny_onnx, threads=1)
    padded = np.pad(image, ((0, -height % 16), (0, -width % 16)), mode="reflect")
    np.testing.assert_array_equal(colorizer(image), colorizer(padded)[:height, :width])


def test_16_bits_are_the_8_bits_and_more(tiny_onnx: Path) -> None:
    colorizer = Colorizer(tiny_onnx, threads=1)
    ramp = np.broadcast_to(np.arange(4000, dtype=np.uint16), (32, 4000))
    eight = colorizer.colorize_detailed(ramp).rgb
    sixteen = colorizer.colorize_detailed(ramp, depth_bits=16).rgb
    assert np.abs(sixteen / 257 - eight).max() <= 0.501
    assert len(np.unique(sixteen)) > 4 * len(np.unique(eight))


def test_another_depth_is_told(tiny_onnx: Path) -> None:
    for colorize in (Colorizer(tiny_onnx).colorize_rows, Colorizer(tiny_onnx).colorize_detailed):
        with pytest.raises(UserError, match=r"depth 12: .*use 8 or 16"):
            colorize(noise(4, 4), depth_bits=12)


@pytest.mark.parametrize("pixels", [noise(150, 90), noise(150, 90).astype(np.uint16) * 16, noise(150, 90) / 255])
def test_strips_make_up_the_whole_result(tiny_onnx: Path, pixels: Any) -> None:
    calls: list[tuple[int, int | None]] = []
    colorizer = Colorizer(tiny_onnx, tile=80, threads=1)
    whole = colorizer.colorize_detailed(pixels)
    rows = colorizer.colorize_rows(pixels, progress=lambda done, total: calls.append((done, total)))
    assert (rows.height, rows.width, rows.dtype) == (150, 90, np.dtype(np.uint8))
    assert calls == []  # nothing runs before the strips are asked for
    strips = list(rows)
    assert len(strips) == len(rows.tiling.rows) > 1
    assert len(calls) == rows.tiling.num_tiles
    np.testing.assert_array_equal(np.concatenate([strip.rgb for strip in strips]), whole.rgb)
    np.testing.assert_array_equal(np.concatenate([strip.infrared for strip in strips]), whole.infrared)
    assert (rows.window, rows.provenance, rows.notes) == (whole.window, whole.provenance, whole.notes)


def test_no_float_copy_of_a_whole_image_is_made(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    really_apply = IntensityWindow.apply

    def apply(window: IntensityWindow, pixels: Any) -> Any:
        sizes.append(pixels.size)
        return really_apply(window, pixels)

    monkeypatch.setattr(IntensityWindow, "apply", apply)
    Colorizer(tiny_onnx, tile=80).colorize_detailed(noise(130, 100))
    assert max(sizes) == 80 * 80


def test_side_by_side_goes_strip_by_strip(tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ircolor.media.encode.STREAMED_BYTES", 0)
    rows = Colorizer(tiny_onnx, tile=80, threads=1).colorize_rows(noise(150, 90), depth_bits=16)
    path = tmp_path / "beside.png"
    pictures = (side_by_side([strip.infrared, strip.rgb]) for strip in rows)
    write_rows(path, pictures, rows.height, side_by_side_width(rows.width, 2), rows.dtype, rows.provenance)
    whole = Colorizer(tiny_onnx, tile=80, threads=1).colorize_detailed(noise(150, 90), depth_bits=16)
    np.testing.assert_array_equal(read_rgb(path), side_by_side([whole.infrared, whole.rgb]))


def test_a_given_window_goes_before_the_rule(tiny_onnx: Path) -> None:
    window = IntensityWindow(10.0, 900.0, "as the video goes")
    pixels = noise(40, 40).astype(np.uint16) * 4
    rows = Colorizer(tiny_onnx).colorize_rows(pixels, window=window)
    assert rows.window == window
    expected = Colorizer(tiny_onnx, intensity="10:900")(pixels)
    (strip,) = rows
    np.testing.assert_array_equal(strip.rgb, expected)


@pytest.mark.parametrize("rule", ["auto", "full", "percentile", "10:900"])
def test_the_rule_is_recorded(tiny_onnx: Path, rule: str) -> None:
    said = Colorizer(tiny_onnx, intensity=rule).colorize_rows(noise(20, 20)).provenance
    assert said.rule == rule
    assert f"(intensity {rule})" in said.sentence


@pytest.mark.parametrize("tile", ["off", "auto", 80])
def test_the_bare_network_runs_on_mapped_frames(tiny_onnx: Path, tile: str | int) -> None:
    image = noise(133, 157)
    colorizer = Colorizer(tiny_onnx, tile=tile, threads=1)
    rgb = colorizer.run((image / 255).astype(np.float32)).rgb
    assert rgb.dtype == np.float32
    assert rgb.shape == (133, 157, 3)
    assert 0 <= rgb.min() < rgb.max() <= 1
    assert np.abs(rgb * 255 - colorizer(image)).max() <= 0.51


def test_notes_of_reading_reach_the_rows(tiny_onnx: Path) -> None:
    rgb = np.stack([noise(8, 8, seed) for seed in range(3)], axis=2)
    assert "its luma was taken" in Colorizer(tiny_onnx).colorize_rows(rgb).notes[0]
    assert Colorizer(tiny_onnx).colorize_rows(read_infrared(gray_png())).notes == ()


def test_a_lack_of_memory_between_strips_is_told(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = iter(Colorizer(tiny_onnx, tile=80).colorize_rows(noise(150, 90)))
    next(rows)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "rint", fail)
    with pytest.raises(UserError, match=r"not enough memory for an image of \(150, 90\)"):
        next(rows)
