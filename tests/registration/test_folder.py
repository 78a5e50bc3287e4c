from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ircolor.media.encode import write_image
from ircolor.media.images import read_infrared, read_rgb
from ircolor.pairs.index import find_pairs
from ircolor.pairs.splitting import split_folder
from ircolor.registration.aligned import Onto
from ircolor.registration.calibration import Calibration
from ircolor.registration.estimate import Estimate
from ircolor.registration.folder import Settings, Summary, register_folder
from ircolor.registration.partners import Partners
from ircolor.registration.result import Verdict
from ircolor.registration.table import read_table
from ircolor.registration.transforms import Warp
from tests.cli.conftest import files
from tests.media.test_times import write_exif
from tests.registration.cameras import (
    HEIGHT,
    TURN,
    WIDTH,
    corner_error_px,
    make_estimate,
    road,
    use_estimator,
    write_images,
    write_noise,
    write_view,
)
from tests.registration.registrations import assert_same

VERDICTS: dict[str, Verdict] = {"00": "accept", "01": "review", "02": "reject", "03": "accept"}


def register(partners: Sequence[Partners], folder: Path, settings: Settings | None = None, **options: Any) -> Summary:
    return register_folder(partners, folder, settings or Settings(), **{"num_workers": 1} | options)


def write_verdicts(tmp_path: Path, patch: pytest.MonkeyPatch) -> list[Partners]:
    """Four pairs whose verdicts are VERDICTS."""
    partners = write_noise(tmp_path / "in", len(VERDICTS))
    verdicts = {read_rgb(pair.rgb).tobytes(): VERDICTS[pair.stem] for pair in partners}

    def known(rgb: Any, _infrared: Any, *_: Any, **__: Any) -> Estimate:
        return make_estimate(verdict=verdicts[rgb.tobytes()])

    use_estimator(patch, known)
    return partners


@pytest.mark.parametrize("error", [cv2.error("std::bad_array_new_length"), np.linalg.LinAlgError("Singular matrix")])
def test_a_pair_that_breaks_the_mathematics_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    partners = write_noise(tmp_path / "in", 2)
    first = read_rgb(partners[0].rgb).tobytes()

    def known(rgb: Any, _infrared: Any, *_: Any, **__: Any) -> Estimate:
        if rgb.tobytes() == first:
            raise error
        return make_estimate()

    use_estimator(monkeypatch, known)
    summary = register(partners, tmp_path / "pairs")
    assert [one.verdict for one in summary.registrations] == ["reject", "accept"]
    assert f"no transform can be found ({error})" in summary.registrations[0].reason


@pytest.mark.parametrize("onto", ["infrared", "rgb"])
def test_what_lies_outside_of_a_straightened_image_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, onto: Onto
) -> None:
    gray = np.random.default_rng(0).integers(100, 256, (120, 160), np.uint8)
    partners = [write_images(tmp_path / "in", "view", np.repeat(gray[..., None], 3, axis=2), gray)]
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(warp=Warp("similarity", np.eye(3))))
    matrix = np.array([[150.0, 0, 80], [0, 150, 60], [0, 0, 1]])
    pincushion = Calibration(matrix, np.array([0.25, 0, 0, 0]), (120, 160))
    register(partners, tmp_path / "pairs", Settings(onto=onto, calibration_rgb=pincushion))
    infrared, rgb = find_pairs(tmp_path / "pairs")[0].read()
    assert infrared.size < gray.size
    assert rgb.min() >= 100


def test_displaced_pairs_become_a_folder_of_aligned_ones(tmp_path: Path) -> None:
    partners = [write_view(tmp_path / "in", f"view{seed}", seed=seed) for seed in range(3)]
    pairs = tmp_path / "pairs"
    summary = register(partners, pairs)
    assert [one.verdict for one in summary.registrations] == ["accept"] * 3
    assert [one.stem for one in read_table(pairs / "registration.csv")] == ["view0", "view1", "view2"]
    assert "view2" in (pairs / "report.html").read_text()
    for seed, (pair, found) in enumerate(zip(find_pairs(pairs), summary.registrations, strict=True)):
        assert corner_error_px(found.matrix, TURN) < 0.5
        infrared, rgb = pair.read()
        height, width = infrared.shape
        assert (pair.columns["height"], pair.columns["width"]) == (str(height), str(width))
        assert height * width > 0.8 * HEIGHT * WIDTH
        # What was warped back is what the colour camera would have seen on the infrared grid.
        truth = road(HEIGHT, WIDTH, seed)[1]
        places = cv2.matchTemplate(truth, rgb, cv2.TM_SQDIFF)
        left, top = cv2.minMaxLoc(places)[2]
        window = np.s_[top : top + height, left : left + width]
        assert cv2.absdiff(rgb, truth[window]).mean() < 5
        np.testing.assert_array_equal(infrared, road(HEIGHT, WIDTH, seed)[0][window])


def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    partners = [write_view(tmp_path / "in", f"view{seed}", seed=seed) for seed in range(3)]
    summaries = [register(partners, tmp_path / f"pairs{num}", num_workers=num) for num in (1, 2)]
    for one, two in zip(*(summary.registrations for summary in summaries), strict=True):
        assert_same(replace(one, seconds=0), replace(two, seconds=0))
    assert files(tmp_path / "pairs1") == files(tmp_path / "pairs2")


def test_two_scenes_are_rejected_but_shown(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    other = cv2.resize(random.integers(0, 256, (30, 40, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    partners = [write_images(tmp_path / "in", "a", np.asarray(other, np.uint8), road(HEIGHT, WIDTH, 0)[0])]
    summary = register(partners, tmp_path / "pairs")
    assert [one.verdict for one in summary.registrations] == ["reject"]
    assert summary.failures == ()
    assert not (tmp_path / "pairs" / "rgb").exists()
    assert "preview/a_before.jpg" in files(tmp_path / "pairs")


def test_identical_images_are_told_as_such(tmp_path: Path) -> None:
    infrared = road(HEIGHT, WIDTH, 0)[0]
    partners = [write_images(tmp_path / "in", "a", np.repeat(infrared[..., None], 3, axis=2), infrared)]
    (found,) = register(partners, tmp_path / "pairs").registrations
    assert corner_error_px(found.matrix, np.eye(3)) < 0.1
    assert (found.verdict, "gray copy" in found.reason) == ("reject", True)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_blank_frames_are_rejected(tmp_path: Path, value: int) -> None:
    rgb, infrared = np.full((HEIGHT, WIDTH, 3), value, np.uint8), np.full((HEIGHT, WIDTH), value, np.uint8)
    both = write_images(tmp_path / "in", "both", rgb, infrared)
    one = write_images(tmp_path / "in", "one", road(HEIGHT, WIDTH, 0)[1], infrared)
    summary = register([both, one], tmp_path / "pairs")
    assert [found.verdict for found in summary.registrations] == ["reject", "reject"]
    assert summary.failures == ()


def test_a_colour_image_of_four_times_the_size_is_scaled(tmp_path: Path) -> None:
    infrared, rgb = road(HEIGHT, WIDTH, 0)
    large = np.asarray(cv2.resize(rgb, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    (found,) = register([write_images(tmp_path / "in", "a", large, infrared)], tmp_path / "pairs").registrations
    truth = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375], [0, 0, 1]])
    assert np.abs(found.matrix - truth).max() < 0.5
    assert found.verdict == "accept"


@pytest.mark.parametrize(("onto", "verdicts"), [("infrared", ["review", "accept"]), ("rgb", ["accept", "review"])])
def test_pairs_of_which_one_image_is_blown_up_are_for_review(
    tmp_path: Path, onto: Onto, verdicts: list[Verdict]
) -> None:
    infrared, rgb = road(480, 640, 0)
    small = (cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA) for image in (rgb, infrared))
    partners = [
        write_images(tmp_path / "in", "small_rgb", np.asarray(next(small), np.uint8), infrared),
        write_images(tmp_path / "in", "small_infrared", rgb, np.asarray(next(small), np.uint8)),
    ]
    found = register(partners, tmp_path / "pairs", Settings(onto=onto)).registrations
    assert [one.verdict for one in found] == verdicts
    assert ["enlarged 2.5 times" in one.reason for one in found] == [verdict == "review" for verdict in verdicts]


def test_depth_is_kept_and_floats_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_estimator(monkeypatch, lambda *_, **__: make_estimate())
    random = np.random.default_rng(0)
    rgb, infrared = random.integers(0, 65536, (40, 48, 3), np.uint16), random.integers(0, 4096, (40, 48), np.uint16)
    register([write_images(tmp_path / "in", "a", rgb, infrared)], tmp_path / "pairs")
    # The shift is by whole pixels, so nothing is interpolated.
    np.testing.assert_array_equal(read_rgb(tmp_path / "pairs/rgb/a.png"), rgb[:-4, :-8])
    np.testing.assert_array_equal(read_infrared(tmp_path / "pairs/infrared/a.png").pixels, infrared[4:, 8:])


@pytest.mark.parametrize("onto", ["infrared", "rgb"])
def test_masks_follow_the_crop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, onto: Onto) -> None:
    usable = np.ones((40, 48), np.bool_)
    usable[20:, 30:] = False
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(usable=usable))
    register(write_noise(tmp_path / "in", 1), tmp_path / "pairs", Settings(onto=onto))
    (pair,) = find_pairs(tmp_path / "pairs")
    expected = np.ones((36, 40), np.bool_)
    expected[16:, 22:] = False
    np.testing.assert_array_equal(pair.read_masked()[2], expected)


def test_only_accepted_pairs_are_listed_unless_those_to_review_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners = write_verdicts(tmp_path, monkeypatch)
    pairs = tmp_path / "pairs"
    counts: list[Mapping[Verdict, int]] = []
    summary = register(partners, pairs, show=lambda count, _: counts.append(dict(count)))
    assert [one.verdict for one in summary.registrations] == list(VERDICTS.values())
    assert counts[-1] == {"accept": 2, "review": 1, "reject": 1}
    assert summary.by_verdict == {"accept": (2, 0.2), "review": (1, 0.2), "reject": (1, 0.2)}
    assert [pair.stem for pair in find_pairs(pairs)] == ["00", "03"]
    assert [file.name for file in sorted((pairs / "rgb").iterdir())] == ["00.png", "01.png", "03.png"]
    assert "preview/02_edges.jpg" in files(pairs)
    again = register(partners, pairs, Settings(keep="review"), resume=True)
    assert again.num_resumed == 4
    assert [pair.stem for pair in find_pairs(pairs)] == ["00", "01", "03"]


def test_a_broken_file_is_a_row_and_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_estimator(monkeypatch, lambda *_, **__: make_estimate())
    partners = write_noise(tmp_path / "in", 3)
    whole = partners[1].rgb.read_bytes()
    partners[1].rgb.write_bytes(whole[:300])
    partners[2].infrared.unlink()
    pairs = tmp_path / "pairs"
    summary = register(partners, pairs)
    assert [line.split(":")[0] for line in summary.failures] == ["01", "02"]
    assert "cannot be read" in summary.failures[1]
    assert [one.verdict for one in read_table(pairs / "registration.csv")] == ["accept", "reject", "reject"]
    assert [pair.stem for pair in find_pairs(pairs)] == ["00"]
    # Once mended they are done, and nothing else is.
    partners[1].rgb.write_bytes(whole)
    again = register(partners, pairs, resume=True)
    assert (again.num_resumed, len(again.failures)) == (1, 1)
    assert [pair.stem for pair in find_pairs(pairs)] == ["00", "01"]


def test_swapped_folders_are_told(tmp_path: Path) -> None:
    (pair,) = write_noise(tmp_path / "in", 1)
    summary = register([Partners("a", pair.infrared, pair.rgb)], tmp_path / "pairs")
    assert "are the two swapped?" in summary.failures[0]


def test_lack_of_memory_is_a_failure_of_that_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Estimate:
        raise MemoryError

    use_estimator(monkeypatch, fail)
    summary = register(write_noise(tmp_path / "in", 1), tmp_path / "pairs")
    assert summary.failures == ("00: not enough memory; give fewer --workers",)


def test_a_rejected_pair_may_have_nothing_in_common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = Warp("similarity", np.array([[1.0, 0, 400], [0, 1, 0], [0, 0, 1]]))
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(warp=far, verdict="reject"))
    assert register(write_noise(tmp_path / "in", 1), tmp_path / "pairs").failures == ()
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(warp=far))
    summary = register(write_noise(tmp_path / "in", 1), tmp_path / "pairs", overwrite=True)
    assert "no area in common" in summary.failures[0]


def test_pauses_between_pictures_make_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_estimator(monkeypatch, lambda *_, **__: make_estimate(warp=Warp("similarity", np.eye(3))))
    partners = []
    for number in range(6):
        rgb, infrared = tmp_path / "in" / f"{number}.jpg", tmp_path / "in" / f"{number}.png"
        write_image(infrared, np.zeros((8, 8), np.uint8))
        write_exif(rgb, f"2018:10:07 14:{number // 2}0:0{number % 2}")
        partners.append(Partners(str(number), rgb, infrared))
    register(partners, tmp_path / "pairs")
    scenes = [pair.columns["scene"] for pair in find_pairs(tmp_path / "pairs")]
    assert scenes == [f"sequence {number:03d}" for number in (1, 1, 2, 2, 3, 3)]
    division = split_folder(tmp_path / "pairs", {"train": "2", "val": "2", "test": "2"})
    assert division.sequences.source == "by column scene"


def test_without_sequences_a_split_works_them_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_estimator(monkeypatch, lambda *_, **__: make_estimate())
    register(write_noise(tmp_path / "in", 4), tmp_path / "pairs")
    assert [pair.scene for pair in find_pairs(tmp_path / "pairs")] == ["00", "01", "02", "03"]
    assert split_folder(tmp_path / "pairs", {"train": "2", "val": "1", "test": "1"}).sequences.run is not None
