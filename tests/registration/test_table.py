import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ircolor.errors import UserError
from ircolor.registration.result import Registration
from ircolor.registration.table import read_table, write_table
from tests.registration.registrations import assert_same, make_registration

numbers = st.floats(-1e6, 1e6) | st.just(float("nan"))
texts = st.text(st.characters(exclude_categories=["Cs"]))
registrations = st.builds(
    Registration,
    stem=texts,
    verdict=st.sampled_from(["accept", "review", "reject"]),
    reason=texts,
    model=st.sampled_from([None, "similarity", "affine", "homography", "thin-plate spline"]),
    matrix=st.lists(st.floats(allow_infinity=False), min_size=9, max_size=9).map(
        lambda values: np.array(values).reshape(3, 3)
    ),
    num_inliers=st.integers(0, 10**6),
    coverage=numbers,
    residual_median_px=numbers,
    residual_p90_px=numbers,
    correlation_before=numbers,
    correlation_after=numbers,
    overlap=numbers,
    seconds=numbers,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(registrations, max_size=3))
def test_what_is_written_is_read_again(tmp_path: Path, written: list[Registration]) -> None:
    file = tmp_path / "registration.csv"
    write_table(file, written)
    read = read_table(file)
    assert len(read) == len(written)
    for one, other in zip(written, read, strict=True):
        assert_same(one, other, digits=4)


def test_columns_and_cells_are_those_promised(tmp_path: Path) -> None:
    file = tmp_path / "registration.csv"
    nothing = np.full((3, 3), np.nan)
    write_table(file, [make_registration(coverage=1 / 3), make_registration("b", matrix=nothing, model=None)])
    with file.open(newline="") as lines:
        header, first, second = csv.reader(lines)
    assert ",".join(header) == (
        "stem,verdict,model,m00,m01,m02,m10,m11,m12,m20,m21,m22,num_inliers,coverage,residual_median_px,"
        "residual_p90_px,correlation_before,correlation_after,overlap,seconds,reason"
    )
    assert ",".join(first) == (
        "a,accept,similarity,1.1,0.1,5.0,-0.1,1.1,-7.0,0.0,0.0,1.0,120,0.3333,0.2,0.5,0.1,0.6,0.95,0.4,"
        "structure agrees everywhere"
    )
    assert second[2:12] == [""] * 10


def test_a_name_that_is_no_text_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    file = tmp_path / "registration.csv"
    write_table(file, [make_registration("caf\udce9")])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert read_table(file)[0].stem == "caf\udce9"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("accept", "maybe", "line 3: 'maybe' is none of accept"),
        ("similarity", "magic", "line 3: 'magic' is none of similarity"),
        ("120", "many", "line 3: .*many"),
        ("0.95", "wide", "line 3: .*wide"),
        (",0.95", "", "line 3: needs 21 cells"),
        ("0.95", "0.95,7", "line 3: needs 21 cells"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "registration.csv"
    write_table(file, [make_registration(), make_registration("b")])
    head, row_a, row_b = file.read_text().splitlines()
    file.write_text("\n".join([head, row_a, row_b.replace(old, new, 1)]))
    with pytest.raises(UserError, match=rf"registration.csv, {told}"):
        read_table(file)


def test_another_table_and_no_table_are_told(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    with pytest.raises(UserError, match=r"other.csv: cannot be read"):
        read_table(file)
    for text in ("", "stem,verdict\na,accept\n"):
        file.write_text(text)
        with pytest.raises(UserError, match=r"other.csv, line 1: its columns are not"):
            read_table(file)
