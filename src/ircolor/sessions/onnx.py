"""Run one network with onnxruntime.

Contract: input `infrared`, float32 (B, 1, H, W) in [-1, 1], H and W multiples of the card's grid; output
`rgb`, float32 (B, 3, H, W) in [-1, 1]. The model comes as bytes, so that it cannot refer to other files on
the disk.
"""

from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ircolor.errors import UserError, brief

Device = Literal["cpu", "cuda"]
_PROVIDERS: dict[Device, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_NO_FOLDER = "/nonexistent/ircolor-models-hold-their-own-weights"


class OnnxSession:
    """A loaded network; `run` may be called from several threads at once.

    Attributes:
        device: where it runs.
        device_reason: why there, in a few words for the user.
    """

    def __init__(self, model: bytes, name: str, *, device: str = "auto", threads: int | None = None) -> None:
        """Load a network.

        Args:
            model: a serialized ONNX model.
            name: what to call it in messages.
            device: auto, cpu or cuda; auto takes cuda where it works.
            threads: CPU threads for one run; all cores when not given.

        Raises:
            UserError: unknown or unavailable device, a bad number of threads, or a model that does not load
                or does not keep the contract.
        """
        if threads is not None and threads < 1:
            raise UserError(f"threads {threads}: at least 1 is needed; leave it out for all cores")
        self.device, self.device_reason = _choose_device(device)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what fails is raised, and said once
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        # A planned block would come on top of what the arena holds already: a third more for a tiled image.
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", _NO_FOLDER)
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=[_PROVIDERS[self.device]])
        except Exception as error:  # the types of onnxruntime have no common base below Exception
            raise UserError(f"{name}: onnxruntime cannot load it ({brief(error)}); export it again") from error
        if self.device == "cuda" and _PROVIDERS["cuda"] not in self._session.get_providers():
            # onnxruntime falls back to the CPU by itself when libraries of CUDA are missing.
            if device == "cuda":
                raise UserError("device cuda: onnxruntime cannot start CUDA; check the driver, or use --device cpu")
            self.device, self.device_reason = "cpu", "CUDA is built in but does not start"
        inputs = [tensor.name for tensor in self._session.get_inputs()]
        outputs = [tensor.name for tensor in self._session.get_outputs()]
        if inputs != ["infrared"] or outputs != ["rgb"]:
            raise UserError(
                f"{name}: takes {inputs}, gives {outputs}, not infrared, rgb; export it with ircolor export"
            )

    def run(self, infrared: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predict colours.

        Args:
            infrared: (B, 1, H, W) in [-1, 1], H and W multiples of the grid.

        Returns:
            RGB, (B, 3, H, W) in [-1, 1].

        Raises:
            UserError: not enough memory, or a network that cannot take the image.
        """
        try:
            outputs: list[Any] = self._session.run(["rgb"], {"infrared": infrared})
        except Exception as error:
            if "alloc" not in str(error).lower():
                raise UserError(f"onnxruntime cannot run the network ({brief(error)}); export it again") from error
            height, width = infrared.shape[2:]
            raise UserError(f"not enough memory for {height}x{width} pixels at once; try a smaller --tile") from error
        rgb: NDArray[np.float32] = outputs[0]
        return rgb


def _choose_device(device: str) -> tuple[Device, str]:
    built_in = onnxruntime.get_available_providers()
    available = [name for name, provider in _PROVIDERS.items() if provider in built_in]
    if device == "auto":
        if "cuda" in available:
            return "cuda", "this onnxruntime has CUDA"
        return "cpu", "this onnxruntime has no CUDA"
    for name in available:
        if device == name:
            return name, "as asked"
    raise UserError(f"device {device!r}: not available here; use auto or one of: {', '.join(available)}")
