from pathlib import Path

import numpy as np
import pytest

from ircolor.errors import UserError
from ircolor.registration.journal import Journal
from tests.registration.registrations import assert_same, make_registration


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs" / ".register.jsonl"


def test_finished_pairs_are_found_by_the_next_run(file: Path) -> None:
    journal = Journal(file)
    good = make_registration("caf\udce9\n", seconds=1 / 3)
    bad = make_registration("b", model=None, matrix=np.full((3, 3), np.nan), residual_median_px=float("nan"))
    journal.record("one", good, (1, 2, 30, 40))
    journal.record("two", bad, None)
    for found in (journal, Journal(file)):
        for fingerprint, expected, crop in (("one", good, (1, 2, 30, 40)), ("two", bad, None)):
            finished = found.finished(fingerprint)
            assert finished is not None
            assert_same(finished.registration, expected)
            assert finished.crop == crop
        assert found.finished("three") is None


def test_a_torn_last_line_is_work_to_do_and_harms_no_later_one(file: Path) -> None:
    journal = Journal(file)
    for name in ("one", "two"):
        journal.record(name, make_registration(name), None)
    file.write_bytes(file.read_bytes()[:-40])
    resumed = Journal(file)
    assert resumed.finished("one") is not None
    assert resumed.finished("two") is None
    resumed.record("three", make_registration("three"), None)
    assert Journal(file).finished("three") is not None


def test_records_of_another_shape_are_work_to_do(file: Path) -> None:
    Journal(file).record("one", make_registration(), None)
    line = file.read_text()
    file.write_text(line.replace('"overlap"', '"overlapping"') + "[]\n3\n" + line.replace('"one"', '"two"'))
    found = Journal(file)
    assert found.finished("one") is None
    assert found.finished("two") is not None


def test_the_later_record_counts(file: Path) -> None:
    journal = Journal(file)
    for verdict in ("reject", "accept"):
        journal.record("one", make_registration(verdict=verdict), None)
    found = Journal(file).finished("one")
    assert found is not None
    assert found.registration.verdict == "accept"


def test_a_file_that_cannot_be_used_is_told(file: Path) -> None:
    journal = Journal(file)
    file.mkdir(parents=True)
    with pytest.raises(UserError, match=r"register.jsonl: cannot be written \(Is a directory\)"):
        journal.record("one", make_registration(), None)
    with pytest.raises(UserError, match=r"register.jsonl: cannot be read \(Is a directory\)"):
        Journal(file)
