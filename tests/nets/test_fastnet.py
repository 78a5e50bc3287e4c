import torch

from ircolor.nets import ColorizingNet, FastNet
from ircolor.training.export import count_gflop_224, fold_batch_norm
from tests.contracts.net_contract import ColorizingNetContract


class TestFastNet(ColorizingNetContract):
    name = "fastnet"

    def build(self) -> ColorizingNet:
        return FastNet(width=4)


def test_work_is_a_twenty_fifth_of_colornets() -> None:
    assert count_gflop_224(FastNet().eval()) < 47.2 / 25


def test_no_batch_normalisation_is_left_to_run() -> None:
    net = FastNet(width=4).eval()
    fold_batch_norm(net)
    assert not [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
