import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ircolor import metrics
from ircolor.errors import UserError

Image = NDArray[Any]

skimage_color = pytest.importorskip("skimage.color")
skimage_metrics = pytest.importorskip("skimage.metrics")

PAIR_SCORES = (
    metrics.psnr_db,
    metrics.ssim,
    metrics.delta_e_2000,
    metrics.angular_error_deg,
    metrics.cosine,
    metrics.cosine_paper,
    metrics.chroma_error,
)
rgb_images = arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14), st.just(3)))


def scene(seed: int = 0, height: int = 40, width: int = 56) -> Image:
    """Smooth coloured blobs with some noise: natural enough for SSIM and Lab, no pixel black."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 10
    waves = [np.sin(x * rng.uniform(0.5, 2) + y * rng.uniform(0.5, 2) + rng.uniform(0, 6)) for _ in range(3)]
    noise = rng.normal(0, 0.05, (height, width, 3))
    pixels: Image = 0.5 + 0.35 * np.stack(waves, axis=2) + noise
    return np.asarray(255 * np.clip(pixels, 0.02, 1), np.uint8)


def flat(*rgb: int, height: int = 12, width: int = 13) -> Image:
    return np.full((height, width, 3), rgb, np.uint8)


# Theory


def test_a_perfect_prediction() -> None:
    true = scene()
    assert metrics.psnr_db(true, true) == math.inf
    assert metrics.ssim(true, true) == pytest.approx(1)
    assert metrics.delta_e_2000(true, true) == 0
    assert metrics.angular_error_deg(true, true) == pytest.approx(0, abs=1e-5)
    assert metrics.cosine(true, true) == pytest.approx(1)
    assert metrics.chroma_error(true, true) == 0
    assert metrics.chroma_gain([metrics.chroma_error(true, true)], [metrics.gray_chroma_error(true)]) == 1
    # The flaw of the paper's measure: perfect is below 1.
    assert metrics.cosine_paper(true, true) < 0.99


def test_a_gray_prediction_gains_no_chroma() -> None:
    true = scene()
    gray = np.repeat(true[..., 1:2], 3, axis=2)
    assert metrics.chroma_error(gray, true) == pytest.approx(metrics.gray_chroma_error(true), rel=1e-3)
    assert metrics.colorfulness(gray) == 0


@pytest.mark.parametrize("level", [0, 100, 255])
def test_a_constant_has_no_structure_and_no_colour(level: int) -> None:
    true = scene()
    constant = np.full_like(true, level)
    assert metrics.psnr_db(constant, true) == pytest.approx(-10 * math.log10(np.mean((level / 255 - true / 255) ** 2)))
    assert metrics.ssim(constant, true) < 0.2  # of its three terms two are left: no covariance
    assert metrics.colorfulness(constant) == 0
    assert metrics.chroma_error(constant, true) == pytest.approx(metrics.gray_chroma_error(true), rel=1e-3)


def test_brightness_alone_moves_psnr_but_no_angle() -> None:
    true = scene()
    assert metrics.psnr_db(true / 510.0, true) < 15
    assert metrics.angular_error_deg(true / 510.0, true) == pytest.approx(0, abs=1e-5)
    assert metrics.cosine(true / 510.0, true) == pytest.approx(1)


def test_swapped_channels_show_in_the_colour_scores() -> None:
    true = scene()
    swapped = true[..., ::-1]
    assert metrics.colorfulness(flat(200, 0, 0)) != pytest.approx(metrics.colorfulness(flat(0, 0, 200)))
    assert metrics.angular_error_deg(swapped, true) > 10
    assert metrics.chroma_error(swapped, true) > metrics.gray_chroma_error(true)


def test_a_shifted_copy_scores_below_the_truth() -> None:
    true = scene()
    shifted = np.roll(true, 2, axis=1)
    assert metrics.ssim(shifted, true) < 0.9
    assert metrics.psnr_db(shifted, true) < 30
    assert metrics.colorfulness(shifted) == pytest.approx(metrics.colorfulness(true))


# Hand-computed values


@pytest.mark.parametrize(
    ("pred", "true", "decibels"),
    [
        (flat(255, 255, 255), flat(0, 0, 0), 0.0),
        (flat(51, 51, 51), flat(0, 0, 0), 13.9794),  # error 0.2: 20 log10(5)
        (flat(255, 0, 0), flat(0, 0, 0), 4.7712),  # one channel of three: 10 log10(3)
    ],
)
def test_psnr_by_hand(pred: Image, true: Image, decibels: float) -> None:
    assert metrics.psnr_db(pred, true) == pytest.approx(decibels, abs=1e-4)


@pytest.mark.parametrize(
    ("pred", "true", "degrees"),
    [
        (flat(255, 0, 0), flat(0, 255, 0), 90.0),
        (flat(255, 0, 0), flat(9, 9, 0), 45.0),
        (flat(255, 0, 0), flat(7, 7, 7), 54.7356),  # arccos(1 / sqrt 3)
    ],
)
def test_angle_and_cosine_by_hand(pred: Image, true: Image, degrees: float) -> None:
    assert metrics.angular_error_deg(pred, true) == pytest.approx(degrees, abs=1e-4)
    assert metrics.cosine(pred, true) == pytest.approx(math.cos(math.radians(degrees)), abs=1e-6)


def test_dark_pixels() -> None:
    black, red = flat(0, 0, 0), flat(255, 0, 0)
    half = np.concatenate([black, red])
    green = flat(0, 255, 0, height=24)
    assert metrics.angular_error_deg(half, green) == pytest.approx(90)
    assert math.isnan(metrics.angular_error_deg(black, red))
    assert metrics.cosine(black, black) == 1
    assert metrics.cosine(black, red) == 0
    assert metrics.cosine(half, flat(255, 0, 0, height=24)) == pytest.approx(0.5)
    # One 8-bit level is not dark, less is.
    assert metrics.angular_error_deg(flat(1, 0, 0), red) == 0
    assert math.isnan(metrics.angular_error_deg(flat(1, 0, 0) / 256, red))


@pytest.mark.parametrize(
    ("rgb", "expected"),
    # No spread in a flat image: 0.3 * hypot(R - G, (R + G) / 2 - B).
    [((255, 0, 0), 85.5296), ((0, 0, 255), 76.5), ((10, 20, 40), 8.0777), ((90, 90, 90), 0.0)],
)
def test_colorfulness_of_flat_images_by_hand(rgb: tuple[int, int, int], expected: float) -> None:
    assert metrics.colorfulness(flat(*rgb)) == pytest.approx(expected, abs=1e-4)


def test_colorfulness_spread_by_hand() -> None:
    # R - G is +100 or -100 (spread 100, mean 0); (R + G) / 2 - B is 50 everywhere (spread 0, mean 50).
    image = np.array([[[100, 0, 0], [0, 100, 0]]], np.uint8)
    assert metrics.colorfulness(image) == pytest.approx(100 + 0.3 * 50)


def test_ratios_are_ratios_of_means() -> None:
    assert metrics.chroma_gain([1, 3], [2, 14]) == pytest.approx(0.75)
    assert metrics.chroma_gain([12], [10]) == pytest.approx(-0.2)
    assert metrics.colorfulness_ratio([10, 20], [5, 55]) == pytest.approx(0.5)
    assert math.isnan(metrics.chroma_gain([1], [0]))
    for level in (0, 120, 255):
        gray = np.full((8, 8, 3), level, np.uint8)
        assert math.isnan(metrics.chroma_gain([5.0], [metrics.gray_chroma_error(gray)]))
    assert math.isnan(metrics.colorfulness_ratio([0], [0]))


# Independent implementations


@pytest.mark.parametrize("peak", [255, 1])
def test_against_scikit_image(peak: int) -> None:
    pred, true = scene(1), scene(2)
    if peak == 1:
        pred, true = pred / 255.0, true / 255.0
    exactly = partial(pytest.approx, rel=0, abs=1e-6)
    assert metrics.psnr_db(pred, true) == exactly(skimage_metrics.peak_signal_noise_ratio(true, pred, data_range=peak))
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert metrics.ssim(pred, true) == exactly(
        skimage_metrics.structural_similarity(true, pred, channel_axis=2, data_range=peak, **gaussian)
    )
    pred_lab, true_lab = skimage_color.rgb2lab(pred), skimage_color.rgb2lab(true)
    assert metrics.delta_e_2000(pred, true) == exactly(skimage_color.deltaE_ciede2000(true_lab, pred_lab).mean())
    lightness = true_lab * [1, 0, 0]
    chroma = skimage_color.deltaE_cie76(pred_lab * [0, 1, 1] + lightness, true_lab * [0, 1, 1] + lightness)
    assert metrics.chroma_error(pred, true) == exactly(chroma.mean())


def test_ssim_against_a_direct_double_loop() -> None:
    pred, true = scene(1, 14, 16) / 255.0, scene(2, 14, 16) / 255.0
    offsets = np.arange(-5, 6)
    kernel = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(kernel, kernel) / kernel.sum() ** 2
    values = []
    for channel in range(3):
        for y in range(5, 14 - 5):
            for x in range(5, 16 - 5):
                a, b = (image[y - 5 : y + 6, x - 5 : x + 6, channel] for image in (pred, true))
                mean_a, mean_b = (window * a).sum(), (window * b).sum()
                var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
                cov = (window * (a - mean_a) * (b - mean_b)).sum()
                values.append(
                    (2 * mean_a * mean_b + 1e-4)
                    * (2 * cov + 9e-4)
                    / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
                )
    assert metrics.ssim(pred, true) == pytest.approx(np.mean(values), abs=1e-9)


def test_cosine_paper_against_the_double_loop() -> None:
    pred, true = scene(3, 7, 9), scene(4, 7, 9)
    pred[2, :, 1] = 0  # a black row in one channel
    similarities = []
    for channel in range(3):
        for a in pred[..., channel].astype(float):
            for b in true[..., channel].astype(float):
                norm = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
                similarities.append(float(a @ b) / norm if norm else 0.0)
    assert metrics.cosine_paper(pred, true) == pytest.approx(np.mean(similarities))


# Masks


def test_pixels_left_by_a_mask_are_an_image_of_one_row() -> None:
    mask = np.array([[True, False], [False, True]])
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert metrics.usable_pixels(image, None) is image
    np.testing.assert_array_equal(metrics.usable_pixels(image, mask), [[[0, 1, 2], [9, 10, 11]]])
    np.testing.assert_array_equal(metrics.usable_pixels(image[..., 0], mask), [[0, 9]])


def test_ssim_of_a_masked_image_takes_whole_windows_only() -> None:
    pred, true = scene(1), scene(2)
    mask = np.zeros((40, 56), np.bool_)
    mask[5:25, 10:31] = True
    part = np.s_[5:25, 10:31]
    assert metrics.ssim(pred, true, mask) == pytest.approx(metrics.ssim(pred[part], true[part]))
    assert metrics.ssim(pred, true, np.ones_like(mask)) == pytest.approx(metrics.ssim(pred, true))
    mask[5:25, 20] = False  # leaves 10 columns on either side
    assert math.isnan(metrics.ssim(pred, true, mask))
    small = np.ones((3, 12), np.bool_)
    assert metrics.ssim(pred[:3, :12], true[:3, :12], small) == pytest.approx(
        metrics.ssim(pred[:3, :12], true[:3, :12])
    )


# Any input


@settings(deadline=None, max_examples=40)
@given(pred=rgb_images, seed=st.integers(0, 1000))
def test_ranges_and_symmetry(pred: Image, seed: int) -> None:
    true = np.random.default_rng(seed).integers(0, 256, pred.shape, np.uint8)
    assert metrics.psnr_db(pred, true) >= 0
    assert -1 <= metrics.ssim(pred, true) <= 1 + 1e-9
    assert metrics.delta_e_2000(pred, true) >= 0
    assert not metrics.angular_error_deg(pred, true) > 90 + 1e-9  # NaN where all is dark
    assert 0 <= metrics.cosine(pred, true) <= 1
    assert -1e-9 <= metrics.cosine_paper(pred, true) <= 1 + 1e-9
    assert metrics.colorfulness(pred) >= 0
    for score in PAIR_SCORES:
        assert score(pred, true) == pytest.approx(score(true, pred), nan_ok=True, rel=1e-6)


@pytest.mark.parametrize("score", PAIR_SCORES)
def test_uint8_and_float_agree_and_inputs_are_left_alone(score: Any) -> None:
    pred, true = scene(5), scene(6)
    kept = pred.copy()
    assert score(pred, true) == pytest.approx(score(pred / 255.0, true), rel=1e-9)
    np.testing.assert_array_equal(pred, kept)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (10, 11), (3, 3)])
def test_ssim_of_images_smaller_than_its_window(size: tuple[int, int]) -> None:
    true, other = scene(7, *size), scene(8, *size)
    assert metrics.ssim(true, true) == pytest.approx(1)
    assert metrics.ssim(other, true) < 1


@pytest.mark.parametrize("score", PAIR_SCORES)
@pytest.mark.parametrize(
    ("pred", "message"),
    [
        (flat(0, 0, 0, width=12), "one size"),
        (np.zeros((12, 13), np.uint8), "one size"),
        (flat(0, 0, 0).astype(np.uint16), "uint16"),
        (flat(9, 0, 0).astype(np.float32), r"outside \[0, 1\]"),
        (np.full((12, 13, 3), np.nan), r"outside \[0, 1\]"),
    ],
)
def test_images_that_cannot_be_compared(score: Any, pred: Image, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score(pred, flat(1, 2, 3))


def test_gray_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="RGB"):
        metrics.psnr_db(np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8))


def test_without_scikit_image_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_skimage(name: str, *_: object) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", no_skimage)
    with pytest.raises(UserError, match=r"ircolor\[eval\]"):
        metrics.ssim(flat(1, 2, 3), flat(1, 2, 3))
