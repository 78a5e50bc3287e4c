from dataclasses import replace

import numpy as np
import pytest

from ircolor.registration.candidate import Candidate
from ircolor.registration.residual import Residual
from ircolor.registration.structure import Map, to_luma
from ircolor.registration.verdict import (
    Doubts,
    doubt_depth,
    doubt_evidence,
    doubt_exposure,
    doubt_sameness,
    doubt_trusted,
)
from tests.conftest import noise
from tests.registration.cameras import HEIGHT, WIDTH, road


def told(num_agreed: int, num_telling: int, num_blocks: int = 100, covered: float = 1.0) -> Candidate:
    """A transform with which so many blocks agree, of those that tell; the others are 5 px off."""
    numbers = np.arange(num_blocks)
    shifts_px = np.zeros((num_blocks, 2))
    shifts_px[num_agreed:, 0] = 5
    residual = Residual(
        places=np.stack([numbers, numbers], axis=1).astype(float),
        shifts_px=shifts_px,
        telling=numbers < num_telling,
        cells=numbers,
        grid=(1, num_blocks),
        compared=(60, num_blocks),
        unit_px=1.0,
    )
    valid = np.arange(WIDTH) < covered * WIDTH
    image = np.zeros((HEIGHT, WIDTH), np.float32)
    return Candidate("similarity", np.eye(3), image, np.tile(valid, (HEIGHT, 1)), residual, 0.5)


def test_the_worst_doubt_is_the_verdict_and_all_are_told_the_grave_first() -> None:
    doubts = Doubts()
    assert (doubts.verdict, doubts.reason) == ("accept", "")
    doubts.weigh(9, 5, 9, "enough")
    assert doubts.verdict == "accept"
    doubts.weigh(8, 5, 9, "some")
    assert (doubts.verdict, doubts.reason) == ("review", "some")
    doubts.weigh(4, 5, 9, "few")
    assert (doubts.verdict, doubts.reason) == ("reject", "few; some")


@pytest.mark.parametrize(
    ("found", "verdict", "reason"),
    [
        (told(60, 70), "accept", ""),
        (told(21, 40), "accept", ""),
        (told(19, 19, 50), "review", "little that matches: 19 of 19"),
        (told(9, 9, 40), "reject", "little that matches: 9 of 9"),
        (told(12, 12, 20), "review", "too small to be sure, with room for 20 blocks: 12 of 12"),
        (told(30, 61), "review", "contradictory: only 30 of 61"),
        (told(22, 90), "reject", "contradictory: only 22 of 90"),
        (told(30, 30, 160), "review", "evidence in 19 %"),
        (told(30, 30, 1100), "reject", "evidence in 3 %"),
        (told(60, 70, covered=0.25), "review", "the RGB image covers 25 %"),
        (told(0, 0), "reject", "little that matches: 0 of 0"),
    ],
)
def test_each_lack_of_evidence_has_its_verdict(found: Candidate, verdict: str, reason: str) -> None:
    doubts = Doubts()
    doubt_evidence(doubts, found)
    assert doubts.verdict == verdict
    assert doubts.reason.startswith(reason)


def test_what_a_richer_model_bends_beyond_the_evidence_is_looked_at() -> None:
    for trusted, verdict in ((False, "review"), (True, "accept")):
        doubts = Doubts()
        doubt_evidence(doubts, replace(told(40, 40), model="affine"), trusted)
        assert doubts.verdict == verdict


def test_what_is_displaced_nearly_everywhere_is_looked_at() -> None:
    found = told(60, 70)
    found.residual.shifts_px[:, 0] = 1.5
    doubts = Doubts()
    doubt_evidence(doubts, found)
    assert (doubts.verdict, doubts.reason) == ("review", "a typical displacement of 1.5 px is left")


def test_a_trusted_transform_needs_no_evidence_of_pairs_that_show_nothing() -> None:
    infrared, rgb = (to_luma(image) for image in road(HEIGHT, WIDTH, 0))
    # A dark frame with the noise of its amplification, and a clear sky.
    dark = 40 + noise(HEIGHT, WIDTH).astype(np.float32) / 6
    sky = np.tile(np.linspace(0, 255, WIDTH, dtype=np.float32), (HEIGHT, 1))
    for other in (dark, sky):
        for pair in ((rgb, other), (other, infrared)):
            for num_telling, verdict in ((0, "accept"), (9, "accept"), (10, "reject")):
                doubts = Doubts()
                doubt_trusted(doubts, told(0, num_telling), *pair)
                assert doubts.verdict == verdict
    doubts = Doubts()
    doubt_trusted(doubts, told(2, 9), rgb, infrared)
    assert (doubts.verdict, doubts.reason) == ("review", "both images show texture, but only 2 blocks agree")


def exposed(level: float, spread: float) -> Map:
    grain = noise(60, 80).astype(np.float32)
    return np.asarray(level + (grain - np.median(grain)) / grain.std() * spread)


@pytest.mark.parametrize(
    ("level", "spread", "verdict", "reason"),
    [
        (128, 20, "accept", ""),
        (8, 15, "accept", ""),
        (128, 0.5, "reject", "the infrared image is blank"),
        (8, 3, "review", "the infrared image is nearly black"),
        (250, 3, "review", "the infrared image is overexposed"),
        (128, 3, "review", "the infrared image has hardly any contrast"),
    ],
)
def test_each_bad_exposure_is_named(level: float, spread: float, verdict: str, reason: str) -> None:
    doubts = Doubts()
    image = np.rint(exposed(level, spread)).clip(0, 255).astype(np.uint8)
    doubt_exposure(doubts, image, "infrared", trusted=False)
    assert (doubts.verdict, doubts.reason) == (verdict, reason)
    # No exposure makes a transform wrong that is known from elsewhere.
    trusting = Doubts()
    doubt_exposure(trusting, image, "infrared", trusted=True)
    assert (trusting.verdict, trusting.reason) == (verdict.replace("reject", "review"), reason)


def test_only_a_copy_of_the_luma_is_one() -> None:
    infrared = road(HEIGHT, WIDTH, 0)[0].astype(np.float32)
    everywhere = np.ones(infrared.shape, bool)
    copied, another, inverted, blank, nothing = (Doubts() for _ in range(5))
    doubt_sameness(copied, 0.8 * infrared + 3, infrared, everywhere)
    doubt_sameness(another, infrared + noise(HEIGHT, WIDTH) / np.float32(16), infrared, everywhere)
    doubt_sameness(inverted, 255 - infrared, infrared, everywhere)
    doubt_sameness(blank, np.full_like(infrared, 7), infrared, everywhere)
    doubt_sameness(nothing, infrared, infrared, ~everywhere)
    assert "gray copy" in copied.reason
    assert [doubts.reason for doubts in (another, inverted, blank, nothing)] == [""] * 4


def test_a_thermal_camera_that_uses_few_of_its_values_is_told_and_not_blank() -> None:
    counts = np.uint16(7500) + road(HEIGHT, WIDTH, 0)[0]
    doubts = Doubts()
    doubt_exposure(doubts, counts, "infrared", trusted=False)
    assert doubts.verdict == "review"
    assert 100 < int(doubts.reason.split()[4]) < 256
    assert doubts.reason.endswith("of its 65536 values; spread them before training on it")
    blank = Doubts()
    doubt_exposure(blank, np.full((60, 80), 7500, np.uint16), "infrared", trusted=False)
    assert (blank.verdict, blank.reason) == ("reject", "the infrared image is blank")


def test_colours_of_ten_bits_are_told_as_they_are_read_as_dark() -> None:
    rgb = road(HEIGHT, WIDTH, 0)[1]
    for shifted, reason in ((2, "the RGB image uses 10 of its 16 bits, so it is dark; multiply it by 64"), (8, "")):
        doubts = Doubts()
        doubt_depth(doubts, rgb.astype(np.uint16) << shifted)
        assert doubts.reason == reason
    doubt_depth(doubts, rgb)
    assert doubts.verdict == "accept"
