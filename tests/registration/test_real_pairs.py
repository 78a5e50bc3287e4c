"""The estimate on photographs, of which `truth.csv` says where the published transform is sound."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ircolor.media.images import read_infrared, read_rgb
from ircolor.registration.estimate import Estimate, estimate
from ircolor.registration.transforms import apply_matrix
from tests.tiny_pairs import DATA, real_data

FOLDER = DATA / "nirscene-registration"
APART = 70


@cache
def truths() -> dict[str, bool]:
    """Stems in order, and whether the truth is sound."""
    with (FOLDER / "truth.csv").open(newline="") as file:
        return {row["stem"]: row["sound"] == "1" for row in sorted(csv.DictReader(file), key=lambda row: row["stem"])}


def register(stem_rgb: str, stem_infrared: str) -> tuple[Estimate, tuple[int, ...]]:
    """The estimate, and the shape of the RGB image."""

    def file(kind: str, stem: str) -> Path:
        return FOLDER / kind / f"{stem}.jpg"

    rgb, infrared = read_rgb(file("rgb", stem_rgb)), read_infrared(file("infrared", stem_infrared)).pixels
    return estimate(rgb, infrared), rgb.shape


@real_data
def test_the_corners_of_photographs_come_to_lie_where_they_should() -> None:
    errors_px = {}
    for stem in [stem for stem, sound in truths().items() if sound][::10]:
        found, (height, width, _) = register(stem, stem)
        assert found.warp is not None, stem
        assert found.verdict != "reject", stem
        corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], float)
        truth = np.vstack([np.loadtxt(FOLDER / "matrix" / f"{stem}.txt"), [0, 0, 1]])
        off_px = apply_matrix(found.warp.matrix, corners) - apply_matrix(truth, corners)
        errors_px[stem] = float(np.linalg.norm(off_px, axis=1).mean())
    assert len(errors_px) == 9
    assert max(errors_px.values()) < 3, errors_px
    assert np.median(list(errors_px.values())) < 0.4, errors_px
    assert sum(error_px < 1 for error_px in errors_px.values()) >= 8, errors_px


@real_data
@pytest.mark.slow
def test_photographs_of_two_scenes_are_rejected() -> None:
    stems = list(truths())
    others = stems[APART:] + stems[:APART]
    pairs = list(zip(stems, others, strict=True))[::3]
    assert [pair for pair in pairs if register(*pair)[0].verdict != "reject"] == []
