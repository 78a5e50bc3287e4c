from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from ircolor.steadiness import Steadier
from tests.moving_textures import HEIGHT, WIDTH, Image, noisy, painted, texture, window

NUM_FRAMES = 12


def steadied(video: Sequence[Image], steadier: Steadier | None = None) -> list[Image]:
    steadier = steadier or Steadier()
    return [steadier.settle(look, painted(look.infrared)) for look in map(steadier.look, video)]


def pan(sigma: float = 0.0, gain: float = 0.0, speed: float = 1.4, seed: int = 0) -> tuple[list[Image], list[Image]]:
    """A video, and what it would be without noise and drift of gain."""
    rng = np.random.default_rng(seed)
    scene = texture(seed)
    clean = [window(scene, 60 + speed * number, 70 - 0.3 * speed * number) for number in range(NUM_FRAMES)]
    gains = 1 + gain * np.sin(2 * np.pi * np.arange(NUM_FRAMES) / 7)
    return [noisy(frame * level, sigma, rng) for frame, level in zip(clean, gains, strict=True)], clean


def errors(video: Sequence[Image], clean: Sequence[Image]) -> Image:
    """Root mean square of each frame's error, its border left out."""
    inner = np.s_[8:-8, 8:-8]
    return np.array(
        [np.sqrt(np.mean((a[inner] - painted(b)[inner]) ** 2)) for a, b in zip(video, clean, strict=True)], np.float32
    )


def test_noise_between_frames_falls_to_less_than_half() -> None:
    video, clean = pan(sigma=0.03)
    before, after = errors([painted(frame) for frame in video], clean), errors(steadied(video), clean)
    assert after[4:].mean() < 0.5 * before[4:].mean()


def test_drift_of_the_gain_is_undone_before_the_network() -> None:
    video, clean = pan(gain=0.15)
    steadier = Steadier()
    level = [steadier.look(frame).infrared.mean() / truth.mean() for frame, truth in zip(video, clean, strict=True)]
    raw = [frame.mean() / truth.mean() for frame, truth in zip(video, clean, strict=True)]
    assert np.ptp(raw) > 0.25
    assert np.ptp(level) < 0.5 * np.ptp(raw)  # it settles at the mean
    assert np.abs(np.diff(level)).mean() < 0.25 * np.abs(np.diff(raw)).mean()


def test_lasting_changes_of_light_are_followed() -> None:
    frame = window(texture(), 60, 60)
    steadier = Steadier()
    levels = [steadier.look(frame * (1.0 if n < 60 else 0.8)).infrared.mean() / frame.mean() for n in range(260)]
    assert levels[61] > 0.97
    assert levels[-1] == pytest.approx(0.8, abs=0.015)
    assert np.all(np.diff(levels[61:]) < 0.002)


@pytest.mark.parametrize("light", [0.2, 0.0, 3.0])
def test_when_somebody_switches_the_light_the_old_picture_goes(light: float) -> None:
    frame = 0.3 * window(texture(), 60, 60)
    video = [noisy(frame * (1.0 if n < 6 else light), 0.01, np.random.default_rng(n)) for n in range(9)]
    steadier = Steadier()
    looks = [steadier.look(infrared) for infrared in video]
    rgb = [steadier.settle(look, painted(look.infrared)) for look in looks]
    assert np.abs(rgb[6] - painted(looks[6].infrared)).max() < 1e-4
    assert steadier.num_cuts == 0 or light == 0  # that is no other scene


def test_the_level_is_soon_the_mean_of_the_scene() -> None:
    frame = window(texture(), 60, 60)
    steadier = Steadier()
    levels = [steadier.look(frame * (1.0 if n == 0 else 0.8)).infrared.mean() / frame.mean() for n in range(12)]
    assert levels[-1] == pytest.approx(0.8 * (0.2 / 0.8 / 12 + 1), abs=0.02)


@pytest.mark.parametrize("size", [(64, 96), (240, 320)])
def test_a_view_without_structure_is_held_too(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    scene = np.tile(np.linspace(0.2, 0.7, size[1], dtype=np.float32), (size[0], 1))
    video = [noisy(scene, 0.03, rng) for _ in range(10)]
    held = steadied(video)[3:]
    assert (
        np.abs(np.diff(held, axis=0)).mean()
        < 0.5 * np.abs(np.diff([painted(each) for each in video[3:]], axis=0)).mean()
    )
    assert np.ptp([frame.mean() for frame in held]) < 0.01  # no gain is made up


def test_a_clean_video_keeps_its_detail() -> None:
    video, clean = pan()
    assert errors(steadied(video), clean).max() < 0.02


def test_colours_that_jump_alone_are_held() -> None:
    video, _ = pan(speed=0.0)
    steadier = Steadier()
    tint = np.array([0.1, -0.1, 0.0], np.float32)
    colors = [
        steadier.settle(steadier.look(frame), np.clip(painted(frame) + tint * (number % 2), 0, 1))
        for number, frame in enumerate(video)
    ]
    jumps = [np.abs(now - before)[8:-8, 8:-8].mean() for before, now in pairwise(colors)]
    assert max(jumps[3:]) < 0.4 * np.abs(tint).mean()


@pytest.mark.parametrize("sigma", [0.0, 0.03])
def test_a_thing_that_crosses_the_view_leaves_no_ghost(sigma: float) -> None:
    rng = np.random.default_rng(0)
    background, thing = window(texture(1), 60, 60), window(texture(2), 60, 60)
    steadier = Steadier()
    for number in range(NUM_FRAMES):
        inside = np.hypot(*(np.indices((HEIGHT, WIDTH)) - np.array([48, 20 + 7 * number])[:, None, None])) < 18
        # The thing is of about the same brightness, and of quite another colour.
        frame = np.where(inside, thing, background)
        colors = painted(frame) * np.where(inside[..., None], (1.0, 0.3, 0.2), (0.3, 1.0, 0.4)).astype(np.float32)
        result = steadier.settle(steadier.look(noisy(frame, sigma, rng)), colors)
        ghost = np.abs(result - colors).max(axis=2)
        was_inside = np.hypot(*(np.indices((HEIGHT, WIDTH)) - np.array([48, 13 + 7 * number])[:, None, None])) < 18
        assert ghost[was_inside & ~inside].mean() < 0.05


def test_a_cut_starts_afresh() -> None:
    steadier = Steadier()
    first, second = window(texture(1), 60, 60), window(texture(2), 60, 60)
    result = steadied([first, first, second], steadier)
    assert steadier.num_cuts == 1
    np.testing.assert_allclose(result[2], painted(second), atol=0.02)


@pytest.mark.parametrize("speed", [0.0, 3.0, 12.0])
def test_pans_and_jumps_of_the_gain_are_no_cuts(speed: float) -> None:
    video, _ = pan(sigma=0.03, speed=speed)
    video[NUM_FRAMES // 2 :] = [frame * np.float32(0.5) for frame in video[NUM_FRAMES // 2 :]]
    steadier = Steadier()
    steadied(video, steadier)
    assert steadier.num_cuts == 0


def test_look_may_run_ahead_in_another_thread() -> None:
    video, _ = pan(sigma=0.02, gain=0.1)
    steadier = Steadier()
    with ThreadPoolExecutor(1) as pool:
        looks = pool.map(steadier.look, video)
        ahead = [steadier.settle(look, painted(look.infrared)) for look in looks]
    np.testing.assert_array_equal(ahead, steadied(video))


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (11, 13), (16, 16), (31, 33), (200, 16)])
@pytest.mark.parametrize("level", [None, 0.0, 1.0])
def test_any_size_and_views_that_show_nothing(size: tuple[int, int], level: float | None) -> None:
    rng = np.random.default_rng(0)
    video = [np.full(size, level, np.float32) if level is not None else rng.random(size, np.float32) for _ in range(4)]
    for result in steadied(video):
        assert result.shape == (*size, 3)
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
        assert result.min() >= 0
        assert result.max() <= 1


def test_a_frame_too_wide_to_be_looked_up_in_is_left_as_it_is() -> None:
    frame = np.random.default_rng(0).random((100, 33000), np.float32)
    steadier = Steadier()
    looks = [steadier.look(level * frame) for level in (0.5, 0.6)]
    assert looks[1].places is None
    np.testing.assert_array_equal(steadier.settle(looks[1], painted(0.6 * frame)), painted(0.6 * frame))
