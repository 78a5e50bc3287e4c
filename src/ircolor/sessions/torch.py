"""Run one network with torch, to measure it where onnxruntime is not the fastest: GPUs in half precision.

Same contract as `ircolor.sessions.onnx`, without the expected error: `infrared`, float32 (B, 1, H, W) in [-1, 1], H and
W multiples of the net's grid, to `rgb`, float32 (B, 3, H, W) in [-1, 1]. The network comes built; who has a checkpoint
loads it with `ircolor.training.export.net_of`. Speed does not depend on the weights, so random ones do for measuring.
"""

import copy
from threading import Lock
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ircolor.errors import UserError, brief
from ircolor.sessions.prediction import Prediction

Precision = Literal["float32", "bfloat16", "float16"]
Mode = Literal["eager", "compile", "graph"]
_DTYPES: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_WARM_UP_RUNS = 3  # before a capture: the net is compiled, and libraries choose algorithms and take workspaces


class TorchSession:
    """A network on a device; `run` may be called from several threads, which take turns.

    Attributes:
        device: where it runs, cpu or cuda.
        device_reason: why there, in a few words for the user.
    """

    def __init__(
        self,
        net: nn.Module,
        *,
        device: str = "auto",
        precision: Precision = "float32",
        mode: Mode = "eager",
        channels_last: bool = True,
    ) -> None:
        """Put a network on a device.

        Args:
            net: from (B, 1, H, W) to (B, 3, H, W); copied, not changed.
            device: auto, cpu or cuda.
            precision: of weights and arithmetic; input and output stay float32.
            mode: eager; compile, by torch.compile, anew for each size; or graph: compiled, and captured in a CUDA graph
                for each size, so that no time goes into launching kernels.
            channels_last: whether images lie in memory pixel by pixel, as tensor cores want, or channel by channel.

        Raises:
            UserError: unknown or unavailable device, or graph without CUDA.
        """
        self.device, self.device_reason = _choose_device(device)
        if mode == "graph" and self.device != "cuda":
            raise UserError(f"mode graph: CUDA graphs need CUDA, not {self.device}; use eager or compile")
        self._memory_format = torch.channels_last if channels_last else torch.contiguous_format
        self._dtype = _DTYPES[precision]
        self._mode = mode
        self._net: nn.Module = (
            copy.deepcopy(net).eval().to(self.device, self._dtype, memory_format=self._memory_format)  # type: ignore[call-overload]  # stubs miss it
        )
        if mode != "eager":
            # Not with the CUDA graphs of torch.compile, which belong to the thread that compiled.
            tuned = "max-autotune-no-cudagraphs" if self.device == "cuda" else "default"
            self._net.compile(dynamic=False, mode=tuned)
        self._graphs: dict[torch.Size, _Graph] = {}
        self._turn = Lock()

    def to_device(self, infrared: NDArray[np.float32]) -> Tensor:
        """The images as `predict` takes them: on the device, in its precision and memory layout."""
        images = torch.from_numpy(infrared).to(self.device, self._dtype)
        return images.contiguous(memory_format=self._memory_format)

    @torch.inference_mode()
    def predict(self, infrared: Tensor) -> Tensor:
        """As `run` without the way to the device and back: what a benchmark of the device measures.

        The result may be overwritten by the next call, and on a GPU it is there only after a synchronization.
        """
        if self._mode != "graph":
            rgb: Tensor = self._net(infrared)
            return rgb
        if infrared.shape not in self._graphs:
            self._graphs[infrared.shape] = _Graph(self._net, infrared)
        return self._graphs[infrared.shape].replay(infrared)

    def run(self, infrared: NDArray[np.float32]) -> Prediction:
        """Predict colours.

        Args:
            infrared: (B, 1, H, W) in [-1, 1], H and W multiples of the grid.

        Raises:
            UserError: not enough memory.
        """
        try:
            with self._turn:
                return Prediction(self.predict(self.to_device(infrared)).float().cpu().contiguous().numpy())
        except RuntimeError as error:
            if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
                raise
            height, width = infrared.shape[2:]
            raise UserError(
                f"not enough memory for {height}x{width} pixels at once ({brief(error)}); cut the image into tiles"
            ) from error


class _Graph:
    """A run of the network at one size, captured once and replayed."""

    def __init__(self, net: nn.Module, infrared: Tensor) -> None:
        self._infrared = infrared.clone(memory_format=torch.preserve_format)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it so
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_RUNS):
                net(self._infrared)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=stream):
            self._rgb: Tensor = net(self._infrared)

    def replay(self, infrared: Tensor) -> Tensor:
        self._infrared.copy_(infrared)
        self._graph.replay()
        return self._rgb


def _choose_device(device: str) -> tuple[str, str]:
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda", f"torch found {torch.cuda.get_device_name()}"
        return "cpu", "torch found no GPU"
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("device cuda: torch found no GPU that it can use; install a CUDA build of torch, or use cpu")
    if device not in ("cpu", "cuda"):
        raise UserError(f"device {device!r}: torch runs networks here on cpu or cuda; use one of them, or auto")
    return device, "as asked"
