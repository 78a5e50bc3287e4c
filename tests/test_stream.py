import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.media.frames import Frame, Sound
from ircolor.media.intensity import IntensityRule
from ircolor.sessions.prediction import Prediction
from ircolor.stream import ColorizedFrame, colorize_frames, to_frames
from tests.conftest import gray_png, noise


@pytest.fixture(scope="module")
def colorizer(tiny_onnx: Path) -> Colorizer:
    return Colorizer(tiny_onnx, threads=2, lanes=2)


def frame(index: int, bits: int = 8) -> Frame:
    return Frame(noise(32, 48, index).astype(np.uint8 if bits == 8 else np.uint16), bits, index, Fraction(1, 25))


def gray_to_rgb(infrared: NDArray[np.float32]) -> Prediction:
    return Prediction(np.repeat(infrared[..., None], 3, axis=2))


@pytest.mark.parametrize("lanes", [0, 1, 3])
def test_frames_and_sound_keep_their_order(lanes: int) -> None:
    sound: Any = Sound(packet=None)  # type: ignore[arg-type]
    items = [sound, frame(0), frame(1), sound, frame(2), sound]
    done = list(colorize_frames(items, gray_to_rgb, IntensityRule("auto"), lanes=lanes, steady=False))
    assert [item.frame.pts if isinstance(item, ColorizedFrame) else "sound" for item in done] == [
        "sound",
        0,
        1,
        "sound",
        2,
        "sound",
    ]
    for item in done:
        if isinstance(item, ColorizedFrame):
            np.testing.assert_allclose(item.rgb[..., 1], item.frame.pixels / 255, atol=1e-6)


def test_a_camera_is_asked_for_one_frame_while_the_last_is_worked_on() -> None:
    drawn = itertools.count()

    def camera() -> Iterator[Frame]:
        while True:
            yield frame(next(drawn))

    frames = colorize_frames(camera(), gray_to_rgb, IntensityRule("auto"), lanes=0)
    for _ in range(4):
        next(frames)
    frames.close()
    assert next(drawn) <= 5


def test_declared_bits_are_the_range() -> None:
    (done,) = colorize_frames([frame(0, bits=10)], gray_to_rgb, IntensityRule("auto"), lanes=1)
    assert isinstance(done, ColorizedFrame)
    assert done.window.high == 1023


def test_a_stream_without_steadiness_is_what_calls_give(colorizer: Colorizer) -> None:
    frames = [noise(30, 50, seed) for seed in range(5)]
    for colorized, infrared in zip(colorizer.stream(iter(frames), steady=False), frames, strict=True):
        np.testing.assert_array_equal(colorized, colorizer(infrared))


def test_a_steady_stream_flickers_less(colorizer: Colorizer) -> None:
    scene = np.linspace(60, 190, 64 * 96).reshape(64, 96)
    random = np.random.default_rng(0)
    frames = [(scene + random.normal(0, 8, scene.shape)).clip(0, 255).astype(np.uint8) for _ in range(10)]

    def flicker(steady: bool) -> float:
        results = np.stack(list(colorizer.stream(frames, steady=steady))).astype(float)
        return float(np.abs(np.diff(results[2:], axis=0)).mean())

    assert flicker(steady=True) < 0.5 * flicker(steady=False)


def test_streams_of_one_colorizer_do_not_disturb_each_other(colorizer: Colorizer) -> None:
    first, second = [noise(32, 48, seed) for seed in range(4)], [noise(32, 48, 50 + seed) for seed in range(4)]
    alone = [list(colorizer.stream(frames)) for frames in (first, second)]
    together = list(zip(colorizer.stream(first), colorizer.stream(second), strict=True))
    np.testing.assert_array_equal([left for left, _ in together], alone[0])
    np.testing.assert_array_equal([right for _, right in together], alone[1])


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (noise(30, 50), r"frame 1: its size is \(30, 50\), that of the first \(32, 48\); resize it"),
        (np.full((32, 48), np.nan), "frame 1: 1536 values are NaN"),
        (np.zeros(5, np.uint8), "frame 1: an array of shape"),
    ],
)
def test_a_bad_frame_is_told_after_the_good_ones(colorizer: Colorizer, second: NDArray[Any], told: str) -> None:
    results = colorizer.stream([noise(32, 48), second])
    assert next(results).shape == (32, 48, 3)
    with pytest.raises(UserError, match=told):
        next(results)


def test_frames_too_small_for_motion_keep_their_intensity_steady() -> None:
    ramp = np.linspace(0, 1000, 12 * 16).reshape(12, 16).astype(np.uint16)
    items = [Frame(ramp * (1 + number % 2), 16, number, Fraction(1, 25)) for number in range(6)]
    done = colorize_frames(items, gray_to_rgb, IntensityRule("percentile"), lanes=1)
    highs = [item.window.high for item in done if isinstance(item, ColorizedFrame)]
    assert max(highs) < 1.1 * highs[0]


def test_what_later_frames_are_held_steady_by_cannot_be_written_to(colorizer: Colorizer) -> None:
    frames = to_frames([noise(20, 30)] * 2)
    colorized = next(iter(colorizer.colorize_frames(frames)))
    assert isinstance(colorized, ColorizedFrame)
    for values in (colorized.rgb, colorized.infrared):
        with pytest.raises(ValueError, match="read-only"):
            values[:] = 0


def test_a_stream_takes_what_a_call_takes(colorizer: Colorizer) -> None:
    gray = noise(20, 30)
    color = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    palette = PillowImage.fromarray(color).convert("P")
    for image in (PillowImage.fromarray(gray), gray_png(20, 30)):
        np.testing.assert_array_equal(next(colorizer.stream([image])), colorizer(gray))
    with pytest.warns(UserWarning, match="frame 0: .* luma") as caught:
        (rgb, _) = colorizer.stream([palette, palette], steady=False)
    assert len(caught) == 1
    with pytest.warns(UserWarning, match="luma"):
        np.testing.assert_array_equal(rgb, colorizer(np.asarray(palette.convert("RGB"))))
    with pytest.raises(UserError, match="frame 0: 600 values are masked"):
        next(colorizer.stream([np.ma.masked_less(gray, 256)]))
