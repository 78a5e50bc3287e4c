import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from ircolor.errors import UserError
from ircolor.registration.points import HandFit, HandPoints, fit_by_hand, read_points
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import MIN_POINTS, apply_matrix
from tests.registration.test_transforms import AFFINE, HOMOGRAPHY, KNOWN, SIMILARITY, VGA

Matrix = NDArray[np.float64]


def clicked(matrix: Matrix, num: int, noise_px: float = 0.7, seed: int = 0) -> HandPoints:
    """Points from the second line on, spread over the middle of the image."""
    rng = np.random.default_rng(seed)
    rgb = rng.uniform([80, 80], [520, 380], (num, 2))
    return HandPoints(
        rgb, apply_matrix(matrix, rgb) + rng.normal(0, noise_px, (num, 2)), [*range(2, num + 2)], "points.csv"
    )


def fit(points: HandPoints, model: Literal["auto"] | ModelName = "auto") -> HandFit:
    return fit_by_hand(points, model, VGA, VGA)


def write(folder: Path, text: str) -> Path:
    file = folder / "points.csv"
    file.write_text(text)
    return file


def test_points_are_read_for_the_rig_and_for_single_pairs(tmp_path: Path) -> None:
    rig = read_points(write(tmp_path, "x_rgb,y_rgb,x_ir,y_ir\n1,2,3,4\n\n5,6.5,7,8\n"))
    assert list(rig) == [None]
    assert rig[None].rgb.tolist() == [[1, 2], [5, 6.5]]
    assert rig[None].infrared.tolist() == [[3, 4], [7, 8]]
    assert rig[None].lines == [2, 4]
    pairs = read_points(write(tmp_path, "stem, x_rgb, y_rgb, x_ir, y_ir\na,1,2,3,4\nb,1,2,3,4\na,5,6,7,8\n,1,1,1,1\n"))
    assert {stem: points.lines for stem, points in pairs.items()} == {"a": [2, 4], "b": [3], None: [5]}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no column x_rgb, y_rgb, x_ir, y_ir"),
        ("x_rgb,y_rgb,x,y\n1,2,3,4\n", "no column x_ir, y_ir"),
        ("x_rgb,y_rgb,x_ir,y_ir\n", "no points in it"),
        ("x_rgb,y_rgb,x_ir,y_ir\n1,2,3,4\n1,two,3,5\n", "line 3: y_rgb is 'two'; give a number"),
        ("x_rgb,y_rgb,x_ir,y_ir\n1,2,nan,4\n", "line 2: x_ir is 'nan'"),
        ("x_rgb,y_rgb,x_ir,y_ir\n1,2\n", "line 2: x_ir is ''"),
        ("x_rgb,y_rgb,x_ir,y_ir\n1,2,3,4\n5,6,7,8\n1,2,9,9\n", "line 4: the same RGB point as line 2"),
        ("x_rgb,y_rgb,x_ir,y_ir\n1,2,3,4\n5,6,3,4\n", "line 3: the same infrared point as line 2"),
        ("x_rgb,y_rgb,x_ir,y_ir\na,2,3,4\n5,b,3,4\n", "2 problems with the points"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=re.escape(complaint)) as raised:
        read_points(write(tmp_path, text))
    assert "points.csv" in str(raised.value)


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_bytes(b"\x89PNG\r\n\xff\xfe")
    for file in (tmp_path / "points.csv", tmp_path / "absent.csv"):
        with pytest.raises(UserError, match=r"\.csv: cannot be read"):
            read_points(file)


@pytest.mark.parametrize(("model", "matrix"), KNOWN)
def test_auto_takes_the_simplest_model_that_explains_the_points(model: ModelName, matrix: Matrix) -> None:
    done = fit(clicked(matrix, 20))
    assert done.warp.model == model
    assert done.suspects == []
    assert np.median(done.loo_errors_px) < 2


def test_auto_takes_a_spline_where_no_plane_map_explains_the_points() -> None:
    rng = np.random.default_rng(0)
    rgb = np.stack(np.meshgrid(np.linspace(80, 520, 6), np.linspace(80, 380, 5)), axis=-1).reshape(-1, 2)
    bend = 15 * np.sin(rgb / 90)[:, ::-1]
    points = HandPoints(rgb, rgb + bend + rng.normal(0, 0.2, rgb.shape), [*range(2, 32)])
    assert fit(points).warp.model == "thin-plate spline"


def test_leave_one_out_errors_are_those_of_fits_without_the_point() -> None:
    points = clicked(AFFINE, 8)
    errors_px = fit(points, "affine").loo_errors_px
    others = np.arange(8) != 3
    design = np.hstack([points.rgb, np.ones((8, 1))])
    by_hand = design[3] @ np.linalg.lstsq(design[others], points.infrared[others])[0]
    assert errors_px[3] == pytest.approx(np.linalg.norm(by_hand - points.infrared[3]))


@pytest.mark.parametrize("model", list(MIN_POINTS))
@pytest.mark.parametrize("bad", [[4], [4, 9], [1, 4, 9]])
def test_mis_clicked_points_are_named_and_do_not_bend_the_transform(model: ModelName, bad: list[int]) -> None:
    points = clicked(SIMILARITY, 16)
    points.infrared[bad] += [[30, -20], [-25, 30], [35, 15]][: len(bad)]
    done = fit(points, model)
    assert done.suspects == bad
    assert all(
        re.match(r"points\.csv line \d+: \d\d\.\d px off from where the other", line) for line in done.complaints
    )
    assert f"line {bad[0] + 2}: {done.loo_errors_px[bad[0]]:.1f} px" in done.complaints[0]
    assert f"the other {16 - len(bad)} points put it; click it again" in done.complaints[0]
    middle = np.array([[300.0, 230.0]])
    assert np.linalg.norm(done.warp.to_infrared(middle) - apply_matrix(SIMILARITY, middle)) < 2


def test_sloppy_clicks_are_not_suspects() -> None:
    assert [fit(clicked(HOMOGRAPHY, 12, noise_px=3, seed=seed), "homography").suspects for seed in range(5)] == [[]] * 5


def test_without_a_point_to_spare_there_is_no_error_to_tell() -> None:
    done = fit(clicked(SIMILARITY, 2, noise_px=0))
    assert done.warp.model == "similarity"
    np.testing.assert_allclose(done.warp.matrix, SIMILARITY, atol=1e-9)
    assert np.isnan(done.loo_errors_px).all()


@pytest.mark.parametrize(("model", "num"), [("similarity", 1), ("affine", 2), ("homography", 3), ("auto", 1)])
def test_too_few_points_are_counted(model: ModelName, num: int) -> None:
    with pytest.raises(UserError, match=rf"points.csv: {num} points? from line 2 on; .* needs at least {num + 1}"):
        fit(clicked(SIMILARITY, num), model)


@pytest.mark.parametrize("model", ["affine", "homography", "thin-plate spline"])
def test_points_on_one_line_are_told_and_enough_for_a_similarity(model: ModelName) -> None:
    along = np.linspace(100, 300, 6)
    rgb = np.stack([along, 50 + along], axis=1)
    rgb[-1, 1] += 120 if model == "homography" else 0
    points = HandPoints(rgb, apply_matrix(SIMILARITY, rgb), [*range(2, 8)], "points.csv")
    with pytest.raises(UserError, match=r"points.csv lines 2 to 7: .* lie on one line for the .* model"):
        fit(points, model)
    np.testing.assert_allclose(fit(points, "similarity").warp.matrix, SIMILARITY, atol=1e-9)


def test_a_point_outside_of_its_image_is_named() -> None:
    points = clicked(SIMILARITY, 6)
    points.rgb[3] = 700, 470
    with pytest.raises(UserError, match=r"line 5: x_rgb,y_rgb = 700,470 lies outside of the RGB image of 640x480"):
        fit(points)


def test_exchanged_x_and_y_are_told_by_the_size_of_the_image() -> None:
    points = clicked(SIMILARITY, 6)
    points.infrared[0] = 500, 100
    exchanged = HandPoints(points.rgb, points.infrared[:, ::-1], points.lines, points.name)
    with pytest.raises(UserError, match="exchange the columns x_ir,y_ir"):
        fit(exchanged)


def test_exchanged_images_are_told_by_their_sizes() -> None:
    points = clicked(np.diag([0.5, 0.5, 1]), 6)
    exchanged = HandPoints(points.infrared, points.rgb, points.lines, points.name)
    with pytest.raises(UserError, match="exchange the columns x_rgb,y_rgb and x_ir,y_ir"):
        fit_by_hand(exchanged, "auto", VGA, (240, 320))


@pytest.mark.parametrize("model", ["auto", *MIN_POINTS])
def test_exchanged_x_and_y_are_told_where_sizes_cannot_tell(model: ModelName) -> None:
    points = clicked(SIMILARITY, 8)
    exchanged = HandPoints(points.rgb[:, ::-1], points.infrared, points.lines, points.name)
    with pytest.raises(UserError, match=r"points.csv: the transform .* mirrors the image\); are x and y"):
        fit_by_hand(exchanged, model, (640, 640), (640, 640))


def test_an_absurd_scale_is_told() -> None:
    with pytest.raises(UserError, match=r"cannot be right \(it scales the RGB image to 0\.1 times"):
        fit(clicked(np.diag([0.1, 0.1, 1]), 6, noise_px=0))


def test_points_that_show_different_things_are_told() -> None:
    points = clicked(SIMILARITY, 8)
    points.infrared[:] += np.array([[100, 0], [-100, 0]] * 4)
    points.infrared[:] = points.infrared.clip(0, 479)
    with pytest.raises(UserError, match=r"points.csv: .* more than \d\d\d? px off .* in another order"):
        fit(points, "similarity")
