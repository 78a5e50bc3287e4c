import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.registration.estimate import Estimate
from ircolor.registration.features import Matches
from ircolor.registration.result import ModelName
from ircolor.registration.rig import find_rig
from ircolor.registration.transforms import Matrix, apply_matrix
from tests.registration.cameras import HEIGHT, WIDTH, corner_error_px, make_estimate
from tests.registration.test_refine import HOMOGRAPHY, SIMILARITY
from tests.registration.textures import about_centre

STRETCHED = SIMILARITY @ np.diag([1.08, 0.94, 1])
SHAKEN = about_centre(5, 0.9, (30, 20)) @ SIMILARITY
EMPTY = make_estimate(warp=None, verdict="reject")


def frame(matrix: Matrix = SIMILARITY, *, seed: int = 0, num: int = 60, **changes: object) -> Estimate:
    """What a frame with this transform says, three tenths of a px off, and one match in ten anywhere."""
    rng = np.random.default_rng(seed)
    rgb = rng.uniform(0, (WIDTH, HEIGHT), (num, 2))
    infrared = apply_matrix(matrix, rgb) + rng.normal(0, 0.3, (num, 2))
    infrared[::10] = rng.uniform(0, (WIDTH, HEIGHT), infrared[::10].shape)
    return make_estimate(matches=Matches(rgb, infrared), **changes)


def test_frames_are_estimated_together_and_those_that_contradict_are_named() -> None:
    frames = [frame(seed=seed) for seed in range(8)]
    frames[2], frames[5] = frame(SHAKEN, seed=2, num=500), EMPTY
    rig = find_rig(frames)
    assert rig.warp.model == "similarity"
    assert corner_error_px(rig.warp.matrix, SIMILARITY) < 0.1
    assert rig.outliers == (2,)
    assert rig.num_frames == 6


def test_more_frames_say_it_better() -> None:
    errors_px = [
        np.mean(
            [
                corner_error_px(
                    find_rig([frame(seed=100 * run + seed, num=20) for seed in range(num)]).warp.matrix, SIMILARITY
                )
                for run in range(4)
            ]
        )
        for num in (2, 20)
    ]
    assert errors_px[1] < 0.6 * errors_px[0]


@pytest.mark.parametrize(("matrix", "model"), [(SIMILARITY, "similarity"), (STRETCHED, "affine")])
def test_the_simplest_model_is_chosen_unless_one_is_asked_for(matrix: Matrix, model: ModelName) -> None:
    frames = [frame(matrix, seed=seed) for seed in range(4)]
    assert find_rig(frames).warp.model == model
    forced = find_rig(frames, "homography").warp
    assert forced.model == "homography"
    assert corner_error_px(forced.matrix, matrix) < 0.5


def test_a_homography_is_named_where_nothing_simpler_fits() -> None:
    tilted = HOMOGRAPHY @ np.array([[1, 0, 0], [0, 1, 0], [8e-4, 5e-4, 1]])
    warp = find_rig([frame(tilted, seed=seed) for seed in range(4)]).warp
    assert warp.model == "homography"
    assert corner_error_px(warp.matrix, tilted) < 0.5


def test_rejected_frames_have_no_voice() -> None:
    frames = [frame(seed=0), frame(seed=1)] + [frame(SHAKEN, seed=seed, verdict="reject") for seed in range(2, 6)]
    rig = find_rig(frames)
    assert corner_error_px(rig.warp.matrix, SIMILARITY) < 0.3
    assert (rig.outliers, rig.num_frames) == ((), 2)


def test_too_few_frames_with_evidence_are_told() -> None:
    with pytest.raises(UserError, match="0 of 0 frames show enough"):
        find_rig([])
    with pytest.raises(UserError, match=r"1 of 1 frames show enough .* 2 are needed; leave out --rig"):
        find_rig([frame()])
    with pytest.raises(UserError, match=r"1 of 3 frames show enough.*--points"):
        find_rig([frame(), EMPTY, frame(verdict="reject")])


def test_frames_that_share_no_transform_are_told() -> None:
    frames = [frame(about_centre(turn, 1, (4 * turn, 0)), seed=turn) for turn in range(0, 13, 3)]
    with pytest.raises(UserError, match="of 5 frames with evidence, no half share one transform"):
        find_rig(frames)
