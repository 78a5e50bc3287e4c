from pathlib import Path

import pytest

from tests.tiny_pairs import write_pairs


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Fifteen tiny pairs; the protocol `folder` trains on the first eleven."""
    return write_pairs(tmp_path / "pairs", [f"frame_{number:02d}" for number in range(15)])
