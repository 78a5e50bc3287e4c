"""The contract of a colorizing network, kept by each system of the paper."""

import pytest

from ircolor.baselines import BASELINES
from ircolor.nets.base import ColorizingNet
from tests.contracts.net_contract import ColorizingNetContract


class TestIizuka(ColorizingNetContract):
    name = "iizuka"

    def build(self) -> ColorizingNet:
        return BASELINES[self.name](4)

    @pytest.mark.skip(reason="its global features see the whole picture")
    def test_tiled_equals_whole(self) -> None: ...


class TestIizukaChroma(TestIizuka):
    name = "iizuka_chroma"


class TestZhang(ColorizingNetContract):
    name = "zhang"

    def build(self) -> ColorizingNet:
        return BASELINES[self.name](4)


class TestZhangChroma(TestZhang):
    name = "zhang_chroma"


class TestJohnson(ColorizingNetContract):
    name = "johnson"

    def build(self) -> ColorizingNet:
        return BASELINES[self.name](4)


class TestLimmer(ColorizingNetContract):
    name = "limmer"

    def build(self) -> ColorizingNet:
        return BASELINES[self.name](4)


class TestSuarez(ColorizingNetContract):
    name = "suarez"

    def build(self) -> ColorizingNet:
        return BASELINES[self.name](4)


class TestPix2Pix(ColorizingNetContract):
    name = "pix2pix"

    def build(self) -> ColorizingNet:
        return BASELINES[self.name](4)
