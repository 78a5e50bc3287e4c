import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ircolor.weights import catalogue
from ircolor.weights.seal import seal
from tests.cli.conftest import Done
from tests.conftest import make_card


@pytest.fixture(autouse=True)
def bundle(tiny_sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "snet.onnx").write_bytes(tiny_sealed)
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path)
    monkeypatch.setenv("COLUMNS", "160")


def test_the_table_tells_what_each_is_for(ircolor: Callable[..., Done]) -> None:
    done = ircolor("models")
    assert done.status == 0
    for text in ("tiny 1.0", "for tests", "Apache-2.0", "14.50", "protocol nirscene", "ircolor benchmark"):
        assert text in done.out


def test_times_name_their_machine_and_are_a_dash_where_unknown(
    ircolor: Callable[..., Done], tiny_body: bytes, tmp_path: Path
) -> None:
    assert re.search(r"tiny 1\.0 .* 0\.1 . +- . +- ", ircolor("models").out)
    card = make_card(latency_ms={"224x224": 4.14, "640x480": 19.8}, latency_hardware="an abacus, 2 threads")
    (tmp_path / "snet.onnx").write_bytes(seal(tiny_body, card))
    out = ircolor("models").out
    assert re.search(r"tiny 1\.0 .* 0\.1 . +4\.1 . +19\.8 ", out)
    assert "an abacus, 2 threads" in out


def test_names_stand_on_one_line_at_80_columns(
    ircolor: Callable[..., Done], tiny_body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "snet.onnx").write_bytes(seal(tiny_body, make_card(name="snet_plus")))
    assert "snet_plus 1.0 " in ircolor("models").out


@pytest.mark.parametrize("columns", [80, 120])
def test_no_number_is_cut_off(ircolor: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = ircolor("models").out
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= columns
    (row,) = [line for line in out.splitlines() if "tiny 1.0" in line]
    assert "14.50" in row
    assert "0.500" in row


def test_json_holds_the_cards(ircolor: Callable[..., Done], tiny_sealed: bytes) -> None:
    (card,) = json.loads(ircolor("models", "--json").out)
    assert (card["name"], card["grid_px"], card["file_bytes"]) == ("tiny", 16, len(tiny_sealed))
    assert card["scores"]["test"]["psnr_db"] == 14.5


def test_a_damaged_network_is_told_behind_the_others(ircolor: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "another.onnx").write_bytes(b"")
    done = ircolor("models")
    assert done.status == 1
    assert "tiny 1.0" in done.out
    assert done.err.startswith("error: another: damaged in this installation; reinstall with: pip install")


def test_a_narrow_terminal_breaks_lines_and_loses_no_number(
    ircolor: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = ircolor("models").out
    assert "\u2026" not in out
    assert "14.50" in out
