"""Each forgives its own kind of error, and no other."""

import math

import numpy as np
import pytest

from ircolor.evaluation.partial_psnr import aligned_psnr_db, gray_psnr_db, shift_tolerant_psnr_db
from ircolor.metrics import psnr_db
from tests.test_metrics import scene


def test_gray_version() -> None:
    true = scene()
    luma = np.repeat((true @ [0.299, 0.587, 0.114])[..., None], 3, axis=2) / 255
    assert gray_psnr_db(true, true) == pytest.approx(psnr_db(luma, true))
    assert gray_psnr_db(luma, true) == pytest.approx(psnr_db(luma, true))


@pytest.mark.parametrize(("y", "x"), [(0, 0), (2, -1), (-2, 2)])
def test_shifts_up_to_two_pixels_are_forgiven(y: int, x: int) -> None:
    large = scene(height=60, width=70)
    true, pred = large[5:45, 5:55], large[5 + y : 45 + y, 5 + x : 55 + x]
    assert shift_tolerant_psnr_db(pred, true) == math.inf
    assert shift_tolerant_psnr_db(large[5:45, 8:58], true) < 40


def test_an_image_without_an_inner_part_is_scored_as_it_is() -> None:
    true, pred = scene(height=4, width=30), scene(1, height=4, width=30)
    assert shift_tolerant_psnr_db(pred, true) == psnr_db(pred, true)


def test_gain_and_offset_of_each_channel_are_forgiven() -> None:
    true = scene() / 255
    pred = true * [0.5, 0.7, 0.6] + [0.3, 0.1, 0.0]
    assert psnr_db(pred, true) < 20
    assert aligned_psnr_db(pred, true) > 100
    swapped = true[..., ::-1]
    assert aligned_psnr_db(swapped, true) < 40


def test_a_flat_prediction_takes_the_mean() -> None:
    true = scene() / 255
    flat = np.full_like(true, 0.2)
    assert aligned_psnr_db(flat, true) == pytest.approx(
        psnr_db(np.broadcast_to(true.mean(axis=(0, 1)), true.shape), true)
    )


def test_none_is_below_the_plain_one_by_more_than_clipping_may_cost() -> None:
    true, pred = scene(), scene(1)
    assert aligned_psnr_db(pred, true) >= psnr_db(pred, true)
