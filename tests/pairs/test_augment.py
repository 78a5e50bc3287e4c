import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ircolor.pairs.augment import Augmentation
from tests.tiny_pairs import scene

EVERYTHING = Augmentation(crop_px=32, flip=True, scale=(0.5, 2.0), infrared_gain=0.3, infrared_contrast=0.3)


@given(seed=st.integers(0, 1000), height=st.integers(1, 90), width=st.integers(1, 90))
def test_both_images_go_through_the_same_geometry(seed: int, height: int, width: int) -> None:
    infrared, rgb = scene(height, width, seed)
    rgb[..., 0] = infrared  # red is a copy: wherever it goes, the infrared image must go
    geometry = Augmentation(crop_px=32, flip=True, scale=(0.5, 2.0))
    crop, rgb_crop, _ = geometry(infrared, rgb, None, np.random.default_rng(seed))
    assert crop.shape == (32, 32)
    assert crop.dtype == np.float32
    assert rgb_crop.shape == (32, 32, 3)
    np.testing.assert_array_equal(np.rint(crop * 255), rgb_crop[..., 0])


@given(seed=st.integers(0, 1000), height=st.integers(1, 90), width=st.integers(1, 90))
def test_the_mask_goes_where_the_images_go(seed: int, height: int, width: int) -> None:
    infrared, rgb = scene(height, width, seed)
    geometry = Augmentation(crop_px=32, flip=True)
    crop, _, mask = geometry(infrared, rgb, infrared > 127, np.random.default_rng(seed))
    np.testing.assert_array_equal(mask, np.rint(crop * 255) > 127)


@given(seed=st.integers(0, 1000), scale=st.floats(0.3, 3))
def test_masked_pixels_have_no_say_in_usable_pixels_of_a_zoomed_crop(seed: int, scale: float) -> None:
    infrared, rgb = scene(70, 80, seed)
    mask = np.ones((70, 80), np.bool_)
    mask[20:40, 25:50] = False
    geometry = Augmentation(crop_px=32, flip=True, scale=(scale, scale))
    _, crop, usable = geometry(infrared, rgb, mask, np.random.default_rng(seed))
    _, wrecked, _ = geometry(infrared, np.where(mask[..., None], rgb, 255 - rgb), mask, np.random.default_rng(seed))
    assert usable is not None
    # One level: the weights of a zoom have a precision of their own.
    np.testing.assert_allclose(crop[usable].astype(int), wrecked[usable], atol=1)
    _, _, all_usable = geometry(infrared, rgb, np.ones_like(mask), np.random.default_rng(seed))
    assert all_usable is not None
    assert all_usable.all()


def test_intensity_changes_the_infrared_side_only() -> None:
    infrared, rgb = scene(32, 32, 0)
    jitter = Augmentation(crop_px=32, infrared_gain=0.3, infrared_contrast=0.3)
    crops = [jitter(infrared, rgb, None, np.random.default_rng(seed)) for seed in range(20)]
    assert all(np.array_equal(rgb_crop, rgb) for _, rgb_crop, _ in crops)
    means = [float(crop.mean()) for crop, *_ in crops]
    assert np.ptp(means) > 0.1
    assert all(crop.min() >= 0 and crop.max() <= 1 for crop, *_ in crops)


def test_gamma_bends_the_range_and_keeps_its_ends() -> None:
    infrared, rgb = scene(32, 32, 0)
    bend = Augmentation(crop_px=32, infrared_gamma=1.5)
    for seed in range(10):
        crop, _, _ = bend(infrared, rgb, None, np.random.default_rng(seed))
        inside = (infrared > 40) & (infrared < 215)
        gammas = np.log(crop[inside]) / np.log(infrared[inside] / 255)
        assert np.ptp(gammas) < 1e-3
        assert 1 / 1.5 <= gammas.mean() <= 1.5
        assert abs(gammas.mean() - 1) > 1e-4


def test_noise_comes_in_half_of_the_crops_and_up_to_its_limit() -> None:
    gray = np.full((32, 32), 128, np.uint8)
    noisy = Augmentation(crop_px=32, infrared_noise=0.05)
    spreads = [
        float(noisy(gray, np.repeat(gray[..., None], 3, axis=2), None, np.random.default_rng(seed))[0].std())
        for seed in range(60)
    ]
    assert 15 < sum(spread == 0 for spread in spreads) < 45
    assert 0.03 < max(spreads) < 0.06


def test_the_papers_recipe_crops_and_does_nothing_else() -> None:
    infrared, rgb = scene(300, 400, 3)
    crop, rgb_crop, _ = Augmentation()(infrared, rgb, None, np.random.default_rng(5))
    found = [
        (top, left)
        for top in range(300 - 224 + 1)
        for left in range(400 - 224 + 1)
        if np.array_equal(rgb[top, left : left + 224], rgb_crop[0])
        and np.array_equal(rgb[top : top + 224, left : left + 224], rgb_crop)
    ]
    assert found
    top, left = found[0]
    np.testing.assert_allclose(crop * 255, infrared[top : top + 224, left : left + 224], atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_chance_comes_from_the_generator_alone(seed: int) -> None:
    images = scene(60, 70, 0)
    first, again = (EVERYTHING(*images, None, np.random.default_rng(seed)) for _ in range(2))
    other = EVERYTHING(*images, None, np.random.default_rng(seed + 100))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
