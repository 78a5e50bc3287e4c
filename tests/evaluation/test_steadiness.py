import numpy as np
import pytest

from ircolor.evaluation.steadiness import FrameMotion, estimate_motion, measure_jitter
from tests.moving_textures import HEIGHT, WIDTH, Image, noisy, painted, texture, window

skimage_color = pytest.importorskip("skimage.color")


def pan(num_frames: int = 4, speed: float = 1.5) -> tuple[list[Image], list[FrameMotion]]:
    frames = [window(texture(), 60 + speed * number, 60) for number in range(num_frames)]
    flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = speed
    return frames, [FrameMotion(flow, np.ones((HEIGHT, WIDTH), np.bool_))] * (num_frames - 1)


def test_moving_alone_is_no_jitter() -> None:
    infrared, motions = pan()
    jitter = measure_jitter(infrared, [painted(frame) for frame in infrared], motions)
    assert jitter.rgb_jitter < 0.3
    assert jitter.color_jitter < 0.3
    assert measure_jitter(infrared, [painted(frame) for frame in infrared][::-1], motions).rgb_jitter > 2


def test_jitter_of_a_still_video_is_the_mean_change() -> None:
    levels = [100, 110, 90]
    infrared = [np.full((20, 30), level / 255, np.float32) for level in levels]
    rgb = [np.full((20, 30, 3), (level / 255, 0.3, 0.5), np.float32) for level in levels]
    still = [FrameMotion(np.zeros((20, 30, 2), np.float32), np.ones((20, 30), np.bool_))] * 2
    jitter = measure_jitter(infrared, rgb, still)
    lab = [skimage_color.rgb2lab(frame[:1, :1])[0, 0, 1:] for frame in rgb]
    assert jitter.infrared_jitter == pytest.approx(15, rel=1e-4)
    assert jitter.rgb_jitter == pytest.approx(5, rel=1e-4)
    assert jitter.steadiness == pytest.approx(1 / 3, rel=1e-3)
    assert jitter.color_jitter == pytest.approx(
        (np.linalg.norm(lab[1] - lab[0]) + np.linalg.norm(lab[2] - lab[1])) / 2, rel=1e-3
    )


def test_only_reliable_pixels_count() -> None:
    infrared, motions = pan()
    rgb = [painted(frame) for frame in infrared]
    for number, frame in enumerate(rgb):
        frame[:40] = number % 2
    reliable = np.zeros((HEIGHT, WIDTH), np.bool_)
    reliable[44:] = True
    masked = [FrameMotion(motion.flow, reliable) for motion in motions]
    assert measure_jitter(infrared, rgb, masked).rgb_jitter < 0.3
    assert measure_jitter(infrared, rgb, motions).rgb_jitter > 50


def test_estimated_motion_agrees_with_the_true_one() -> None:
    infrared, motions = pan()
    motion = estimate_motion(0.8 * infrared[1], infrared[0])
    assert motion.reliable[10:-10, 10:-10].mean() > 0.9
    np.testing.assert_allclose(motion.flow[motion.reliable].mean(axis=0), (1.5, 0), atol=0.1)
    rng = np.random.default_rng(0)
    rgb = [noisy(painted(frame), 0.03, rng) for frame in infrared]
    known, estimated = measure_jitter(infrared, rgb, motions), measure_jitter(infrared, rgb)
    assert estimated.rgb_jitter == pytest.approx(known.rgb_jitter, rel=0.1)


def test_what_came_into_view_is_less_reliable() -> None:
    infrared, _ = pan()
    hidden = infrared[1].copy()
    hidden[30:70, 40:80] = window(texture(5), 60, 60)[30:70, 40:80]
    reliable = estimate_motion(hidden, infrared[0]).reliable
    assert reliable[35:65, 45:75].mean() < 0.6
    assert reliable[10:-10, 90:-10].mean() > 0.9


def test_a_single_frame_has_no_jitter() -> None:
    infrared, _ = pan(1)
    with pytest.raises(ValueError, match="two frames"):
        measure_jitter(infrared, [painted(infrared[0])])


def test_as_many_outputs_as_frames() -> None:
    infrared, motions = pan()
    with pytest.raises(ValueError, match="shorter"):
        measure_jitter(infrared, [painted(frame) for frame in infrared[:2]], motions)


def test_as_many_motions_as_pairs_of_frames() -> None:
    infrared, motions = pan()
    rgb = [painted(frame) for frame in infrared]
    with pytest.raises(ValueError, match="shorter"):
        measure_jitter(infrared, rgb, motions[:-1])


def test_frames_too_small_for_motion_are_refused() -> None:
    small = [np.zeros((11, 40), np.float32)] * 2  # OpenCV read outside of it
    with pytest.raises(ValueError, match=r"too small .* at least 16 px"):
        measure_jitter(small, [painted(frame) for frame in small])
