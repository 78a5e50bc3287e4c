import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ircolor.weights import catalogue
from tests.cli.conftest import Done


@pytest.fixture(autouse=True)
def bundle(tiny_sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "snet.onnx").write_bytes(tiny_sealed)
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path)
    monkeypatch.setenv("COLUMNS", "160")


def test_the_table_tells_what_each_is_for(ircolor: Callable[..., Done]) -> None:
    done = ircolor("models")
    assert done.status == 0
    for text in ("tiny 1.0", "for tests", "Apache-2.0", "PSNR dB 14.50", "protocol nirscene"):
        assert text in done.out


def test_json_holds_the_cards(ircolor: Callable[..., Done], tiny_sealed: bytes) -> None:
    (card,) = json.loads(ircolor("models", "--json").out)
    assert (card["name"], card["grid_px"], card["file_bytes"]) == ("tiny", 16, len(tiny_sealed))
    assert card["scores"]["test"]["psnr_db"] == 14.5
