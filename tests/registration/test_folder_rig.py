"""A folder whose cameras are bolted together, or whose points were clicked by hand."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.media.images import read_rgb
from ircolor.registration.calibration import Calibration
from ircolor.registration.estimate import Estimate
from ircolor.registration.folder import Settings
from ircolor.registration.points import HandPoints, read_points
from ircolor.registration.rig import Rig
from ircolor.registration.transforms import Warp, apply_matrix
from tests.registration.cameras import (
    HEIGHT,
    SHIFT,
    TURN,
    WIDTH,
    corner_error_px,
    make_estimate,
    use_estimator,
    write_images,
    write_noise,
    write_view,
)
from tests.registration.test_folder import register


def test_rig_carries_a_blank_frame(tmp_path: Path) -> None:
    partners = [write_view(tmp_path / "in", f"view{seed}", seed=seed) for seed in range(5)]
    flat = np.full((HEIGHT, WIDTH), 40, np.uint8)
    partners.append(write_images(tmp_path / "in", "view5", np.repeat(flat[..., None], 3, axis=2), flat))
    said: list[str] = []
    summary = register(partners, tmp_path / "pairs", Settings(rig=True), say=said.append, num_workers=2)
    assert [line.startswith("rig: similarity, ") for line in said] == [True]
    assert all(corner_error_px(one.matrix, TURN) < 0.5 for one in summary.registrations)
    assert [one.verdict for one in summary.registrations] == ["accept"] * 5 + ["review"]
    assert "blank" in summary.registrations[5].reason


def test_points_are_the_rig_of_frames_that_show_nothing(tmp_path: Path) -> None:
    dark = np.random.default_rng(0).integers(3, 6, (HEIGHT, WIDTH), np.uint8)
    rgb = np.repeat(dark[..., None], 3, axis=2)
    partners = [write_images(tmp_path / "in", f"dark{number}", rgb, dark[::-1]) for number in range(3)]
    with pytest.raises(UserError, match=r"the rig: 0 of 3 frames .* points by hand with --points"):
        register(partners, tmp_path / "pairs", Settings(rig=True))
    places = np.array([[50.0, 50], [250, 60], [150, 180], [60, 200]])
    points = HandPoints(places, apply_matrix(TURN, places), [2, 3, 4, 5])
    said: list[str] = []
    summary = register(partners, tmp_path / "pairs", Settings(rig=True, points={None: points}), say=said.append)
    assert said == ["rig: similarity, as the points say; the frames show too little to find it"]
    assert [one.verdict for one in summary.registrations] == ["review"] * 3
    assert all(corner_error_px(one.matrix, TURN) < 1e-6 for one in summary.registrations)


def test_a_rig_reaches_every_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points of all pairs make the rig; points of one pair stay with it."""
    partners = write_noise(tmp_path / "in", 4)
    partners[1].rgb.write_bytes(b"")
    calls: list[tuple[int, Any, Any]] = []

    def known(_rgb: Any, _infrared: Any, *_: Any, hand: HandPoints | None, rig: Any) -> Estimate:
        calls.append((0 if hand is None else len(hand), hand and hand.name, rig))
        return make_estimate()

    shift = Warp("similarity", SHIFT)

    def find(estimates: Sequence[Estimate], _model: str, _given: Warp | None) -> Rig:
        assert [one.usable for one in estimates] == [None] * 3
        return Rig(shift, 2, (1,))

    use_estimator(monkeypatch, known)
    monkeypatch.setattr("ircolor.registration.folder.find_rig", find)
    places = np.array([[5.0, 5.0], [40.0, 8.0], [20.0, 30.0]])
    every, one = (HandPoints(places, places, [2, 3, 4], name) for name in ("every", "one"))
    summary = register(partners, tmp_path / "pairs", Settings(rig=True, points={None: every, "03": one}))
    assert [(num, name) for num, name, _ in calls] == [(3, "every")] * 2 + [(3, "one")] + [(0, None)] * 2 + [(3, "one")]
    assert [rig is shift for *_, rig in calls] == [False] * 3 + [True] * 3
    assert summary.rig is not None
    assert summary.rig.sentence == "rig: similarity, 2 of 3 frames agree; not 02"
    assert len(summary.failures) == 1


def test_points_must_fit_the_pairs_and_their_images(tmp_path: Path) -> None:
    partners = write_noise(tmp_path / "in", 3)
    good = HandPoints(np.array([[5.0, 5], [40, 8], [20, 30]]), np.array([[6.0, 6], [41, 9], [21, 31]]), [2, 3, 4])
    swapped = replace(good, rgb=good.rgb[:, ::-1].copy())
    cases: list[tuple[dict[str | None, HandPoints], str]] = [
        ({"0": good}, r"no pair is called 0; did you mean"),
        ({"02": replace(good, rgb=good.rgb * 1.1 + [0, 30])}, "outside of"),
        ({None: swapped}, "exchanged"),
    ]
    for points, complaint in cases:
        with pytest.raises(UserError, match=complaint):
            register(partners, tmp_path / "pairs", Settings(points=points))
    with pytest.raises(UserError, match="00: the thin-plate spline needs points"):
        register(partners, tmp_path / "pairs", Settings("thin-plate spline", points={"01": good}))
    with pytest.raises(UserError, match="leave out --rig"):
        register(partners, tmp_path / "pairs", Settings("thin-plate spline", rig=True, points={None: good}))
    with pytest.raises(UserError, match="needs at least 4"):
        register(partners, tmp_path / "pairs", Settings("homography", points={None: good}))
    assert not (tmp_path / "pairs").exists()


def test_a_rig_is_that_of_one_size(tmp_path: Path) -> None:
    """Its transform is one in px."""
    partners = [write_view(tmp_path / "in", f"view{seed}", seed=seed) for seed in range(3)]
    large = np.random.default_rng(0).integers(0, 99, (2 * HEIGHT, 2 * WIDTH), np.uint8)
    partners.append(write_images(tmp_path / "in", "large", np.repeat(large[..., None], 3, axis=2), large))
    places = np.array([[50.0, 50], [250, 60], [150, 180], [60, 200]])
    points = HandPoints(places, apply_matrix(TURN, places), [2, 3, 4, 5])
    for settings, name in ((Settings(rig=True), "rig"), (Settings(points={None: points}), "points")):
        summary = register(partners, tmp_path / name, settings)
        assert [one.verdict for one in summary.registrations] == ["accept"] * 3 + ["reject"]
        assert summary.failures == (
            f"large: its RGB and infrared image have 640x480 and 640x480 px, those of the {name} 320x240 and 320x240; "
            "register images of one size at a time",
        )


def test_points_at_the_border_stay_when_images_are_straightened(tmp_path: Path) -> None:
    partners = [write_view(tmp_path / "in", "view", matrix=np.eye(3))]
    matrix = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])
    lens = Calibration(matrix, np.array([-0.3, 0.08, 0, 0]), (HEIGHT, WIDTH))
    file = tmp_path / "points.csv"
    file.write_text("x_rgb,y_rgb,x_ir,y_ir\n2,2,2,2\n317,3,317,3\n4,236,4,236\n316,237,316,237\n")
    settings = Settings(points=read_points(file), calibration_rgb=lens, calibration_infrared=lens)
    summary = register(partners, tmp_path / "pairs", settings)
    assert [one.verdict for one in summary.registrations] == ["accept"]
    assert corner_error_px(summary.registrations[0].matrix, np.eye(3)) < 1
    file.write_text("x_rgb,y_rgb,x_ir,y_ir\n2,2,2,2\n321,3,317,3\n")
    with pytest.raises(UserError, match=r"line 3: x_rgb,y_rgb = 321,3 lies outside"):
        register(partners, tmp_path / "other", replace(settings, points=read_points(file)))


def test_a_frame_that_breaks_the_mathematics_does_not_end_a_rig(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners = write_noise(tmp_path / "in", 3)
    first = read_rgb(partners[0].rgb).tobytes()

    def known(rgb: Any, _infrared: Any, *_: Any, **__: Any) -> Estimate:
        if rgb.tobytes() == first:
            raise np.linalg.LinAlgError("Singular matrix")
        return make_estimate()

    use_estimator(monkeypatch, known)
    monkeypatch.setattr("ircolor.registration.folder.find_rig", lambda *_: Rig(Warp("similarity", SHIFT), 2, ()))
    summary = register(partners, tmp_path / "pairs", Settings(rig=True))
    assert [one.verdict for one in summary.registrations] == ["reject", "accept", "accept"]
