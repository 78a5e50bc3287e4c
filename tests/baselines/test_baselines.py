"""The contract of a colorizing network, kept by each system of the paper."""

import pytest

from ircolor.baselines import BASELINES
from ircolor.nets.base import ColorizingNet
from tests.contracts.net_contract import ColorizingNetContract


class BaselineContract(ColorizingNetContract):
    """The checks that export a network, or run it over large images, are slow ones here: these nets are not bundled."""

    def build(self) -> ColorizingNet:
        return BASELINES[self.name](4)

    @pytest.mark.slow
    @pytest.mark.parametrize("grid_cells", [(1, 1), (3, 2), (7, 9)])
    def test_onnx_gives_what_torch_gives(self, grid_cells: tuple[int, int]) -> None:
        super().test_onnx_gives_what_torch_gives(grid_cells)


class TestIizuka(BaselineContract):
    name = "iizuka"

    @pytest.mark.skip(reason="its global features see the whole picture")
    def test_tiled_equals_whole(self) -> None: ...


class TestIizukaChroma(TestIizuka):
    name = "iizuka_chroma"


class TestZhang(BaselineContract):
    name = "zhang"


class TestZhangChroma(BaselineContract):
    name = "zhang_chroma"


class TestJohnson(BaselineContract):
    name = "johnson"


class TestLimmer(BaselineContract):
    name = "limmer"


class TestSuarez(BaselineContract):
    name = "suarez"


class TestPix2Pix(BaselineContract):
    name = "pix2pix"
