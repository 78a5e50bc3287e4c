"""What every colorizing network must do. A test class inherits `NetContract` and says how to build the net."""

from abc import ABC, abstractmethod
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ircolor.nets import ColorizingNet
from ircolor.tiles import plan_tiles


class NetContract(ABC):
    """Checks of one network; `build` gives a small one, so that all checks together take seconds.

    Attributes:
        name: of the network in `NETS`.
        channels: of its input and of its output.
    """

    name: str
    channels: tuple[int, int]

    @abstractmethod
    def build(self) -> nn.Module: ...

    def trained(self) -> nn.Module:
        """The net with statistics and weights as far from their initial values as training leaves them."""
        torch.manual_seed(0)
        net = self.build()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.3)  # type: ignore[arg-type]
                nn.init.uniform_(module.running_var, 0.3, 3.0)  # type: ignore[arg-type]
                nn.init.normal_(module.weight, 1.0, 0.3)
                nn.init.normal_(module.bias, std=0.3)
        return net.eval()

    def images(self, batch: int, height: int, width: int) -> Tensor:
        generator = torch.Generator().manual_seed(1)
        return torch.rand(batch, self.channels[0], height, width, generator=generator) * 2 - 1

    @pytest.mark.parametrize("size", [(16, 16), (1, 1), (1, 40), (37, 61), (64, 48)])
    def test_any_size_gives_an_image_of_that_size_within_range(self, size: tuple[int, int]) -> None:
        with torch.inference_mode():
            output = self.trained()(self.images(2, *size))
        assert output.shape == (2, self.channels[1], *size)
        assert output.abs().max() <= 1
        assert output.std() > 0

    def test_gradient_reaches_every_parameter_that_is_trained(self) -> None:
        net = self.build().train()
        (net(self.images(2, 48, 32)) - 0.5).square().mean().backward()
        modules = list(net.modules())
        normalised = {
            id(before.bias)
            for before, after in pairwise(modules)
            if isinstance(after, nn.BatchNorm2d) and isinstance(before, nn.Conv2d | nn.ConvTranspose2d)
        }
        trained = {name: parameter for name, parameter in net.named_parameters() if parameter.requires_grad}
        assert trained
        for name, parameter in trained.items():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            # A bias before batch normalisation has no effect, so no gradient; every other parameter has.
            assert id(parameter) in normalised or parameter.grad.abs().max() > 0, name

    def test_training_mode_uses_the_batch_and_eval_mode_does_not(self) -> None:
        net = self.trained()
        images = self.images(2, 32, 32)
        with torch.inference_mode():
            alone, together = net(images[:1]), net(images)[:1]
            torch.testing.assert_close(alone, together)
            net.train()
            assert (net(images)[:1] - net(images[[0, 0]])[:1]).abs().max() > 1e-4

    def test_saved_and_loaded_net_gives_equal_output(self, tmp_path: Path) -> None:
        net, other = self.trained(), self.build().eval()
        save_file(net.state_dict(), tmp_path / "net.safetensors")
        other.load_state_dict(load_file(tmp_path / "net.safetensors"))
        images = self.images(1, 32, 48)
        with torch.inference_mode():
            assert torch.equal(net(images), other(images))


class ColorizingNetContract(NetContract):
    """Further checks of a network that colorizes: its ONNX form, and tiles."""

    channels = (1, 3)

    @abstractmethod
    def build(self) -> ColorizingNet: ...

    def colorizer(self) -> ColorizingNet:
        net = self.trained()
        assert isinstance(net, ColorizingNet)
        return net

    @pytest.mark.parametrize("grid_cells", [(1, 1), (3, 2), (7, 9)])
    def test_onnx_gives_what_torch_gives(self, grid_cells: tuple[int, int]) -> None:
        net = self.colorizer()
        images = self.images(2, *(cells * net.grid_px for cells in grid_cells))
        with torch.inference_mode():
            expected = net(images).numpy()
        (rgb,) = onnxruntime.InferenceSession(_exported(type(self))).run(None, {"infrared": images.numpy()})
        np.testing.assert_allclose(rgb, expected, atol=1e-4, rtol=0)

    def test_tiled_equals_whole(self) -> None:
        net = self.colorizer().double()
        smallest_tile_px = 2 * net.halo_px + net.grid_px
        # Strips: a square of a net that looks far takes minutes.
        length, breadth = smallest_tile_px + 5 * net.grid_px, 2 * net.grid_px
        for height, width in ((length, breadth), (breadth, length)):
            infrared = self.images(1, height, width).double()
            tiled = torch.zeros(3, height, width, dtype=torch.float64)
            plan = plan_tiles(
                height, width, smallest_tile_px + net.grid_px, grid_px=net.grid_px, halo_px=net.halo_px, bytes_per_px=1
            )
            assert plan.num_tiles > 1
            with torch.inference_mode():
                for row, column in plan:
                    tile = net(infrared[..., row.start : row.end, column.start : column.end])[0]
                    kept = tile[
                        :,
                        row.keep_start - row.start : row.keep_end - row.start,
                        column.keep_start - column.start : column.keep_end - column.start,
                    ]
                    tiled[:, row.keep_start : row.keep_end, column.keep_start : column.keep_end] = kept
                whole = net(infrared)[0]
            assert whole.std() > 0
            torch.testing.assert_close(tiled, whole, atol=1e-12, rtol=0)


@cache
def _exported(contract: type[ColorizingNetContract]) -> bytes:
    from ircolor.training.onnx_model import to_onnx

    return bytes(to_onnx(contract().colorizer()).SerializeToString())
