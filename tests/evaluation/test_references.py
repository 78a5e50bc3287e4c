from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from ircolor import metrics
from ircolor.evaluation.references import fit_cubic_curve, infrared_copy
from ircolor.pairs.protocols import split_pairs
from tests.tiny_pairs import DATA, real_data


def scene(seed: int, height: int, width: int) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    infrared = rng.integers(0, 256, (height, width), np.uint8)
    return infrared, rng.integers(0, 256, (height, width, 3), np.uint8)


def test_the_copy_has_three_equal_channels() -> None:
    infrared, _ = scene(0, 5, 7)
    rgb = infrared_copy("", infrared)
    assert rgb.shape == (5, 7, 3)
    assert rgb.dtype == np.uint8
    for channel in range(3):
        np.testing.assert_array_equal(rgb[..., channel], infrared)


def test_the_curve_against_numpy_polyfit_on_all_pixels() -> None:
    images = [scene(1, 9, 14), scene(2, 20, 11)]
    curve = fit_cubic_curve(iter(images))
    infrared = np.concatenate([image.ravel() for image, _ in images]) / 255
    rgb = np.concatenate([colours.reshape(-1, 3) for _, colours in images])
    levels = np.arange(256, dtype=np.uint8)[None]
    for channel in range(3):
        expected = np.polyval(np.polyfit(infrared, rgb[:, channel], 3), levels / 255)
        # Rounded to 8 bits.
        np.testing.assert_allclose(curve("", levels)[..., channel], expected, atol=0.501)


def test_a_cubic_relation_is_recovered_and_clipped() -> None:
    infrared = np.arange(256, dtype=np.uint8).reshape(16, 16)
    x = infrared / 255
    true = np.stack([x**3, 1 - x, 0.2 + 0.5 * x**2], axis=2)
    eight_bit = np.rint(255 * true).astype(np.uint8)
    pred = fit_cubic_curve([(infrared, eight_bit)])("", infrared)
    assert pred.dtype == np.uint8
    np.testing.assert_allclose(pred, 255 * true, atol=1.01)

    # Fitted on the lower half, the curve leaves the range on the upper half.
    steep = np.minimum(255, 2 * infrared[:8].astype(int)).astype(np.uint8)
    pred = fit_cubic_curve([(infrared[:8], np.repeat(steep[..., None], 3, axis=2))])("", infrared)
    assert (pred[8:] == 255).all()


def test_the_curve_is_never_worse_than_the_copy_where_it_was_fitted() -> None:
    infrared, rgb = scene(3, 30, 30)
    curve = fit_cubic_curve([(infrared, rgb)])
    assert metrics.psnr_db(curve("", infrared), rgb) > metrics.psnr_db(infrared_copy("", infrared), rgb)


def test_a_constant_image_can_be_fitted() -> None:
    infrared = np.full((4, 4), 100, np.uint8)
    rgb = np.full((4, 4, 3), (10, 20, 30), np.uint8)
    np.testing.assert_array_equal(fit_cubic_curve([(infrared, rgb)])("", infrared), rgb)


def test_no_images() -> None:
    with pytest.raises(ValueError, match="no images"):
        fit_cubic_curve([])


@real_data
def test_the_infrared_copy_on_real_pairs_against_pillow() -> None:
    pairs = split_pairs(DATA, "nirscene", "test")
    scores, expected = [], []
    for pair in pairs:
        infrared, rgb = pair.read()
        scores.append(metrics.psnr_db(infrared_copy(pair.stem, infrared), rgb))
        gray, colours = (np.asarray(PillowImage.open(file), float) for file in (pair.infrared, pair.rgb))
        expected.append(20 * np.log10(255 / np.sqrt(((gray[..., None] - colours) ** 2).mean())))
    assert len(scores) == 42
    np.testing.assert_allclose(scores, expected, atol=0.02)  # JPEG decoders differ by rounding
    assert np.mean(scores) == pytest.approx(13.78, abs=0.01)
