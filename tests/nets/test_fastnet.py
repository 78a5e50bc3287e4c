import torch

from ircolor.nets import ColorizingNet, ErrorHead, FastNet, WithExpectedError
from ircolor.training.export import count_gflop_224, fold_batch_norm
from tests.contracts.net_contract import ColorizingNetContract


class TestFastNet(ColorizingNetContract):
    name = "fastnet"

    def build(self) -> ColorizingNet:
        return FastNet(width=4)


def test_work_is_a_thirtieth_of_colornets() -> None:
    assert count_gflop_224(FastNet().eval()) < 47.2 / 30


def test_no_batch_normalisation_is_left_to_run() -> None:
    net = FastNet(width=4).eval()
    fold_batch_norm(net)
    assert not [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def test_features_are_what_the_head_for_the_expected_error_takes() -> None:
    net = FastNet(width=4)
    rgb, error = WithExpectedError(net, ErrorHead(net.feature_channels))(torch.zeros(2, 1, 50, 70))
    assert rgb.shape == (2, 3, 50, 70)
    assert error.shape == (2, 1, 50, 70)
    assert error.min() > 0
