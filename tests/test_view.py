from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ircolor import memory, network, view
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.grade import Grade
from ircolor.sessions.prediction import Prediction
from ircolor.shrink import shrink
from ircolor.view import color_map
from ircolor.weights.catalogue import find_model
from ircolor.weights.seal import seal
from tests.conftest import make_card, noise
from tests.trust_models import error_by_brightness, tiny_with_head

VIEW_PX = 48


@pytest.fixture(scope="module")
def viewing(tiny_body: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "viewing.onnx"
    path.write_bytes(seal(tiny_body, make_card(name="viewing", view_px=VIEW_PX)))
    return path


@pytest.fixture(scope="module")
def graded(tiny_body: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "graded.onnx"
    path.write_bytes(seal(tiny_body, make_card(name="graded", view_px=VIEW_PX, cast=0.5, saturation=0.5)))
    return path


def waves(height: int, width: int) -> NDArray[np.float32]:
    """A smooth picture in [0, 1]."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.asarray(0.5 + 0.25 * np.sin(6 * x / width) + 0.25 * np.cos(9 * y / height), np.float32)


def test_colours_that_are_an_affine_function_of_the_infrared_image_are_carried_as_such() -> None:
    small, large = waves(40, 60), waves(200, 300)
    gain, offset = np.array([0.5, -0.3, 0.1], np.float32), np.array([0.2, 0.6, 0.4], np.float32)
    colors = color_map(small, Prediction(small[..., None] * gain + offset))
    painted = colors.paint(large, slice(0, 200), 200)
    np.testing.assert_allclose(painted.rgb, large[..., None] * gain + offset, atol=0.02)
    assert painted.expected_error is None


def test_detail_comes_from_the_large_picture() -> None:
    """A line that is thinner than what the network sees stays as dark as it is, and no wider."""
    large = waves(200, 300)
    large[100] = 0
    small = shrink(large, (40, 60))
    rgb = color_map(small, Prediction(np.repeat(small[..., None], 3, axis=2))).paint(large, slice(0, 200), 200).rgb
    assert rgb[100].max() < 0.1
    for row in (90, 99, 101, 110):
        assert np.abs(rgb[row] - large[row, :, None]).mean() < 0.06, row


def test_colours_do_not_run_over_to_what_is_coloured_otherwise() -> None:
    """Beside a thing whose colours are another function of infrared, all but a seam is free of them."""
    infrared = np.random.default_rng(0).uniform(0.2, 0.8, (40, 60)).astype(np.float32)
    rgb = infrared[..., None] * np.repeat(np.array([[0.4, 0.9, 0.3], [0.2, 0.3, 1]], np.float32), 30, axis=0)
    painted = color_map(infrared, Prediction(rgb)).paint(infrared, slice(0, 40), 40).rgb
    error = np.abs(painted - rgb).mean(axis=(0, 2))
    assert error[29:31].max() > 0.005  # the seam: this is no test of equals
    assert np.delete(error, range(27, 33)).max() < 0.002


@given(height=st.integers(1, 90), top=st.integers(0, 89), width=st.integers(1, 70))
def test_strips_are_those_of_the_whole(height: int, top: int, width: int) -> None:
    rng = np.random.default_rng(height)
    small = rng.random((5, 7), np.float32)
    colors = color_map(small, Prediction(rng.random((5, 7, 3), np.float32), rng.random((5, 7), np.float32)))
    infrared = rng.random((height, width), np.float32)
    rows = slice(min(top, height - 1), height)
    whole, strip = colors.paint(infrared, slice(0, height), height), colors.paint(infrared[rows], rows, height)
    np.testing.assert_allclose(strip.rgb, whole.rgb[rows], atol=1e-6)
    assert whole.expected_error is not None
    assert strip.expected_error is not None
    np.testing.assert_allclose(strip.expected_error, whole.expected_error[rows], atol=1e-6)


@given(height=st.integers(1, 120), width=st.integers(1, 120))
def test_any_size_keeps_its_size(viewing: Path, height: int, width: int) -> None:
    rgb = Colorizer(viewing, threads=1)(noise(height, width))
    assert rgb.shape == (height, width, 3)


def test_pictures_up_to_the_view_are_the_networks(viewing: Path, tiny_onnx: Path) -> None:
    image = noise(VIEW_PX, 90)
    np.testing.assert_array_equal(Colorizer(viewing)(image), Colorizer(tiny_onnx)(image))
    assert Colorizer(viewing).tiling(image.shape).reason == "the whole image at once"


def test_a_larger_picture_is_seen_small(viewing: Path, tiny_onnx: Path) -> None:
    image = np.rint(waves(2 * VIEW_PX, 180) * 255).astype(np.uint8)
    colorizer = Colorizer(viewing)
    small = Colorizer(tiny_onnx)(shrink(image, (VIEW_PX, 90)))
    shrunk = shrink(colorizer(image), (VIEW_PX, 90))
    assert np.abs(shrunk.astype(int) - small).mean() < 4
    assert colorizer.tiling(image.shape).reason == "seen whole, as 90x48 px"


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_depth_does_not_change_the_result(viewing: Path, dtype: type) -> None:
    image = noise(100, 130)
    image[0, 0] = 255
    deep = (image.astype(np.uint16) * 257) if dtype == np.uint16 else (image / 255).astype(dtype)
    colorizer = Colorizer(viewing)
    assert np.abs(colorizer(image).astype(int) - colorizer(deep)).max() <= 2


def test_values_of_a_narrow_window_are_seen_as_finely_as_floats(viewing: Path) -> None:
    values = np.uint16(108) + noise(100, 130) // 32
    values[4, 7] = 65535  # outshines all around it where values are averaged before they are mapped
    colorizer = Colorizer(viewing, intensity="100:116")
    np.testing.assert_array_equal(colorizer(values), colorizer(values.astype(np.float32)))


def test_colours_are_painted_a_part_at_a_time_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    infrared = waves(90, 70)
    small = shrink(infrared, (30, 23))
    rgb = np.random.default_rng(0).random((30, 23, 3), np.float32)
    colors = color_map(small, Prediction(rgb, rgb[..., 0]))
    whole = colors.paint(infrared, slice(0, 90), 90)
    monkeypatch.setattr(view, "PAINTED_PX", 7 * 70)
    parts = colors.paint(infrared, slice(0, 90), 90)
    np.testing.assert_array_equal(parts.rgb, whole.rgb)
    np.testing.assert_array_equal(parts.expected_error, whole.expected_error)


@pytest.mark.parametrize("lanes", [1, 2])
def test_strips_for_little_memory_change_nothing(viewing: Path, monkeypatch: pytest.MonkeyPatch, lanes: int) -> None:
    image = noise(300, 200)
    whole = Colorizer(viewing)(image)
    monkeypatch.setattr(memory, "MEMORY_BUDGET_BYTES", 4 << 20)
    monkeypatch.setattr(memory, "LITTLE_BYTES", 0)
    colorizer = Colorizer(viewing, lanes=lanes, threads=2)
    done: list[int] = []
    result = colorizer.colorize_detailed(image, lambda number, _: done.append(number))
    assert result.tiling.num_tiles > 1
    assert done == list(range(1, result.tiling.num_tiles + 1))
    assert "strips, for" in result.tiling.reason
    assert np.abs(whole.astype(int) - result.rgb).max() <= 1


def test_an_edge_of_tiles_is_for_pictures_that_are_shown_as_they_are(viewing: Path) -> None:
    image = noise(100, 130)
    np.testing.assert_array_equal(Colorizer(viewing, tile=8)(image), Colorizer(viewing)(image))
    with pytest.raises(UserError, match="tile 8: too small"):
        Colorizer(viewing, tile=8)(noise(VIEW_PX, VIEW_PX))


def test_colours_are_graded_as_the_card_says(viewing: Path, graded: Path) -> None:
    image = np.rint(waves(4 * VIEW_PX, 150) * 255).astype(np.uint8)
    plain, half = ((Colorizer(model)(image) / 255).astype(np.float32) for model in (viewing, graded))
    np.testing.assert_allclose(half, Grade(0.5, 0.5).apply(plain), atol=0.01)
    assert np.abs(half - plain).max() > 0.05


def test_a_picture_is_graded_whole_whatever_its_size(graded: Path, tiny_onnx: Path) -> None:
    """The mean of a tile is not that of the picture."""
    image = np.rint(waves(VIEW_PX, 150) * 255).astype(np.uint8)
    colorizer = Colorizer(graded, tile=8)
    assert colorizer.tiling(image.shape).reason == "seen whole, as 150x48 px"
    plain = (Colorizer(tiny_onnx)(image) / 255).astype(np.float32)
    assert np.abs(colorizer(image) / 255 - Grade(0.5, 0.5).apply(plain)).mean() < 0.02


def test_frames_are_colorized_like_images(viewing: Path) -> None:
    image = noise(100, 130)
    colorizer = Colorizer(viewing)
    (frame,) = colorizer.stream([image], steady=False)
    assert np.abs(frame.astype(int) - colorizer(image)).max() <= 1


def test_trust_is_carried_too(tmp_path: Path) -> None:
    file = tmp_path / "known.onnx"
    file.write_bytes(seal(error_by_brightness(), make_card(name="known", grid_px=1, halo_px=0, view_px=VIEW_PX)))
    image = np.full((200, 300), 51, np.uint8)
    rgb, error = Colorizer(file, return_trust=True)(image)
    np.testing.assert_allclose(error, 6, atol=0.01)  # 30 times 0.2
    assert np.ptp(rgb, axis=2).min() > 100
    image[:] = 255
    faded = Colorizer(file, fade_strength=1.0)(image)
    assert np.ptp(faded, axis=2).max() <= 1


def test_painting_takes_no_more_memory_than_reckoned(tmp_path: Path) -> None:
    """What `_PAINT_BYTES_PER_PX` promises, measured by numpy's own account of its arrays."""
    import tracemalloc

    model = tiny_with_head(tmp_path)
    card = replace(find_model(model).card, view_px=VIEW_PX)
    assert card.view_px == VIEW_PX
    small = waves(48, 60)
    colors = color_map(small, Prediction(np.repeat(small[..., None], 3, axis=2), small))
    infrared = waves(480, 600)
    tracemalloc.start()
    colors.paint(infrared, slice(0, 480), 480)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < infrared.size * network._PAINT_BYTES_PER_PX
