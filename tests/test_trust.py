import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor import colorize
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.trust import SURE_DELTA_E, UNSURE_DELTA_E, MeanError, error_picture, fade
from ircolor.weights.seal import seal
from tests.conftest import make_card, noise
from tests.trust_models import RED, error_by_brightness, known_errors, tiny_with_head

ERRORS = np.array([[0, SURE_DELTA_E, 15, UNSURE_DELTA_E, 90]], np.float32)
COLORS = np.random.default_rng(0).uniform(0, 1, (1, 5, 3)).astype(np.float32)
LUMA = COLORS @ np.array([0.299, 0.587, 0.114], np.float32)


@pytest.fixture(scope="module")
def headed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_with_head(tmp_path_factory.mktemp("trust"))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return known_errors(tmp_path_factory.mktemp("trust"))


def test_trusted_colours_stay_and_others_fade_to_their_luma() -> None:
    faded = fade(COLORS, ERRORS)
    np.testing.assert_array_equal(faded[0, :2], COLORS[0, :2])
    np.testing.assert_allclose(faded[0, 2], (COLORS[0, 2] + LUMA[0, 2]) / 2, atol=1e-6)
    np.testing.assert_allclose(faded[0, 3:], np.stack([LUMA[0, 3:]] * 3, axis=1), atol=1e-6)
    assert faded.dtype == np.float32


def test_half_the_strength_leaves_half_the_colour() -> None:
    np.testing.assert_allclose(fade(COLORS, ERRORS, 0.5), (COLORS + fade(COLORS, ERRORS)) / 2, atol=1e-6)


def test_no_strength_changes_no_bit() -> None:
    np.testing.assert_array_equal(fade(COLORS, ERRORS, 0.0), COLORS)


def test_fading_grows_smoothly_with_the_error() -> None:
    errors = np.linspace(0, 30, 301, dtype=np.float32)[None]
    left = fade(np.broadcast_to(np.array(RED, np.float32), (1, 301, 3)), errors)
    chroma = left[0, :, 0] - left[0, :, 2]
    assert (np.diff(chroma) <= 1e-6).all()
    assert np.abs(np.diff(chroma)).max() < 2 * 0.1 / (UNSURE_DELTA_E - SURE_DELTA_E)


@pytest.mark.parametrize(("dtype", "step"), [(np.uint8, 1), (np.uint16, 257)])
def test_a_map_of_known_errors_has_the_known_colours(dtype: Any, step: int) -> None:
    """Those of matplotlib's inferno at 0, 1/2 and 1, and at 1 for all beyond the scale."""
    picture = error_picture(np.array([[0, 15, 30, 99]], np.float32), dtype)
    assert picture.dtype == dtype
    expected = [[0, 0, 4], [188, 55, 84], [252, 255, 164], [252, 255, 164]]
    assert np.abs(picture[0].astype(int) - np.array(expected) * step).max() <= step


def test_the_mean_is_that_of_all_pixels() -> None:
    mean = MeanError()
    assert mean.delta_e is None
    mean.add(np.full((1, 3), 4, np.float32))
    mean.add(np.full((1, 1), 8, np.float32))
    assert mean.delta_e == 5


def test_calls_give_pairs(known: Path) -> None:
    infrared = np.array([[0, 51, 255]], np.uint8)
    rgb, expected_error = colorize(infrared, known, return_trust=True)
    np.testing.assert_array_equal(rgb[0], [np.rint(np.array(RED) * 255)] * 3)
    assert expected_error.dtype == np.float32
    np.testing.assert_allclose(expected_error, [[0, 6, 30]], atol=1e-4)
    result = Colorizer(known, return_trust=True).colorize_detailed(infrared)
    np.testing.assert_array_equal(result.expected_error, expected_error)


def test_pil_images_come_back_with_their_errors(known: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    result: Any = Colorizer(known, return_trust=True)(pillow.fromarray(noise(3, 4)))
    rgb, expected_error = result
    assert rgb.size == (4, 3)
    assert expected_error.shape == (3, 4)


def test_a_faded_image_is_gray_where_it_is_not_to_be_trusted(known: Path) -> None:
    infrared = np.array([[0, 255]], np.uint8)
    gray = round(255 * float(np.dot(RED, [0.299, 0.587, 0.114])))
    red = np.rint(np.array(RED) * 255)
    faded = Colorizer(known, fade_strength=1)(infrared)
    np.testing.assert_array_equal(faded[0], [red, [gray] * 3])
    np.testing.assert_array_equal(Colorizer(known, fade_strength=0)(infrared)[0], [red, red])


def test_tiles_reach_farther_only_where_the_expected_error_is_wanted(tmp_path: Path) -> None:
    model = tmp_path / "wide.onnx"
    model.write_bytes(seal(error_by_brightness(), make_card(name="wide", grid_px=1, halo_px=0, error_halo_px=40)))
    assert Colorizer(model, tile=64).colorize_detailed(noise(100, 90)).tiling.num_tiles > 1
    with pytest.raises(UserError, match="tile"):
        Colorizer(model, tile=64, return_trust=True)(noise(100, 90))


@pytest.mark.parametrize("fade_strength", [0.0, 0.7])
@pytest.mark.parametrize("shape", [(150, 191), (173, 60)])
def test_tiled_equals_whole(headed: Path, shape: tuple[int, int], fade_strength: float) -> None:
    whole, tiled = (
        Colorizer(headed, tile=cut, threads=1, return_trust=True, fade_strength=fade_strength).colorize_detailed(
            noise(*shape)
        )
        for cut in ("off", 96)
    )
    assert tiled.tiling.num_tiles > 1
    assert np.abs(tiled.rgb.astype(int) - whole.rgb).max() <= 1
    assert whole.expected_error is not None
    assert tiled.expected_error is not None
    assert whole.expected_error.std() > 1
    np.testing.assert_allclose(tiled.expected_error, whole.expected_error, rtol=1e-4)


def test_colours_are_the_same_with_and_without_trust(headed: Path) -> None:
    image = noise(40, 60)
    plain = Colorizer(headed, threads=1)
    result = plain.colorize_detailed(image)
    assert result.expected_error is None
    with_trust = Colorizer(headed, threads=1, return_trust=True).colorize_detailed(image)
    np.testing.assert_array_equal(with_trust.rgb, result.rgb)


@pytest.mark.parametrize("lanes", [1, 2])
def test_streams_give_pairs_and_fade_before_they_steady(known: Path, lanes: int) -> None:
    frames = [np.full((48, 64), value, np.uint8) for value in (255, 255, 255)]
    colorizer = Colorizer(known, threads=2, lanes=lanes, return_trust=True, fade_strength=1)
    for rgb, expected_error in colorizer.stream(frames):
        assert np.ptp(rgb.astype(int), axis=2).max() == 0
        np.testing.assert_allclose(expected_error, np.full((48, 64), 30), atol=1e-3)


@pytest.mark.parametrize("options", [{"return_trust": True}, {"fade_strength": 0.5}])
def test_a_model_without_trust_is_told(tiny_onnx: Path, options: dict[str, Any]) -> None:
    told = f"^{re.escape(str(tiny_onnx))}: does not tell how far its colours can be trusted; .*ircolor models"
    with pytest.raises(UserError, match=told):
        Colorizer(tiny_onnx, **options)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_beyond_its_range_is_told(known: Path, strength: float) -> None:
    with pytest.raises(UserError, match=r"^fade strength .*: give a number from 0 .* to 1"):
        Colorizer(known, fade_strength=strength)


def test_a_faded_result_says_so(known: Path) -> None:
    image: NDArray[np.uint8] = noise(4, 5)
    said = Colorizer(known, fade_strength=0.5).colorize_detailed(image).provenance.sentence
    assert said.endswith("Colours likely to be wrong are faded toward gray (strength 0.5).")
    assert "faded" not in Colorizer(known, return_trust=True).colorize_detailed(image).provenance.sentence
