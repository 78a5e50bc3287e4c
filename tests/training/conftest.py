from pathlib import Path

import pytest

from ircolor.nets import ColorizingNet
from tests.nets.test_colornet import TestColorNet as ColorNetContract
from tests.tiny_pairs import write_pairs


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Fifteen tiny pairs; the protocol `folder` trains on the first eleven."""
    return write_pairs(tmp_path / "pairs", [f"frame_{number:02d}" for number in range(15)])


@pytest.fixture(scope="module")
def net() -> ColorizingNet:
    """A small ColorNet, as far from its initial weights as training leaves it."""
    return ColorNetContract().colorizer()
