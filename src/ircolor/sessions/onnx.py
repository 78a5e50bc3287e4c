"""Run one network with onnxruntime.

Contract: input `infrared`, float32 (B, 1, H, W) in [-1, 1], H and W multiples of the card's grid; outputs
`rgb`, float32 (B, 3, H, W) in [-1, 1], and of models that know how far their colours can be trusted
`expected_error`, float32 (B, 1, H, W), CIEDE2000. The model comes as bytes, so that it cannot refer to other files
on the disk.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from threading import Lock

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ircolor.errors import UserError, brief
from ircolor.machine import threads_to_use
from ircolor.sessions.outputs import keep_output, output_names
from ircolor.sessions.prediction import Prediction
from ircolor.sessions.providers import Device, available_devices, devices_to_try

_COLOURS, _WITH_TRUST = ["rgb"], ["rgb", "expected_error"]
_NO_FOLDER = "/nonexistent/ircolor-models-hold-their-own-weights"
# What onnxruntime took for a run it keeps for the next, a kilobyte a pixel for some networks.
LARGE_PX, RUNS_UNTIL_SHRINKING = 1 << 19, 8


class OnnxSession:
    """A loaded network; `run` may be called from several threads at once.

    Attributes:
        device: where it runs, a name of `ircolor.sessions.providers.DEVICES`.
        device_reason: why there, in a few words for the user.
        gives_trust: whether the network knows the expected error of its colours.
    """

    def __init__(
        self, model: bytes, name: str, *, device: str = "auto", threads: int | None = None, trust: bool = False
    ) -> None:
        """Load a network.

        Args:
            model: a serialized ONNX model.
            name: what to call it in messages.
            device: auto or a name of `ircolor.sessions.providers.DEVICES`; auto takes the fastest that starts.
            threads: CPU threads for one run, no more than cores may be used; when not given, all cores.
            trust: whether runs give the expected error too; else nothing of it is computed.

        Raises:
            UserError: unknown or unavailable device, a bad number of threads, a model that does not load or does not
                keep the contract, or one that does not know the expected error that is wanted.
        """
        num_threads = threads_to_use(threads)
        candidates = devices_to_try(device)
        self._name = name
        try:
            self.gives_trust = output_names(model) == _WITH_TRUST
        except ValueError as error:
            raise UserError(f"{name}: is no ONNX model, or damaged ({error}); export it again") from error
        if self.gives_trust and not trust:
            model = keep_output(model, "rgb")
        self._session, self.device, reason = _start_first(model, name, candidates, num_threads)
        self.device_reason = reason if device == "auto" else "as asked"
        # DirectML takes one run of a session at a time.
        self._turn = Lock() if self.device == "directml" else nullcontext()
        inputs = [tensor.name for tensor in self._session.get_inputs()]
        outputs = [tensor.name for tensor in self._session.get_outputs()]
        if inputs != ["infrared"] or outputs not in (_COLOURS, _WITH_TRUST):
            raise UserError(
                f"{name}: takes {inputs}, gives {outputs}, not infrared, rgb; export it with ircolor export"
            )
        if trust and not self.gives_trust:
            raise UserError(
                f"{name}: does not tell how far its colours can be trusted; take a model with trust, e.g. fast "
                "(see ircolor models)"
            )
        self._outputs = outputs
        self._runs_until_shrinking = 0

    def run(self, infrared: NDArray[np.float32]) -> Prediction:
        """Predict colours, and their expected error where the session was made with trust.

        Args:
            infrared: (B, 1, H, W) in [-1, 1], H and W multiples of the grid.

        Raises:
            UserError: not enough memory, or a network that cannot take the image, or gives no picture.
        """
        try:
            with self._turn:
                outputs = self._session.run(self._outputs, {"infrared": infrared}, self._options_for(infrared.size))
        except Exception as error:
            if "alloc" not in str(error).lower():
                raise UserError(f"onnxruntime cannot run the network ({brief(error)}); export it again") from error
            height, width = infrared.shape[2:]
            raise UserError(
                f"not enough memory for {height}x{width} pixels at once; free some, or try a smaller --tile"
            ) from error
        for output, values in zip(self._outputs, outputs, strict=True):
            self._check(output, values, infrared.shape)
        return Prediction(*outputs)

    def _options_for(self, num_px: int) -> onnxruntime.RunOptions | None:
        """Those of a run: after a large one, the last of several small ones in a row gives back what that needed."""
        self._runs_until_shrinking = RUNS_UNTIL_SHRINKING if num_px > LARGE_PX else self._runs_until_shrinking - 1
        if self.device != "cpu" or self._runs_until_shrinking != 0:
            return None
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options

    def _check(self, output: str, values: object, shape: tuple[int, ...]) -> None:
        """Raise UserError where the network gave something else than the contract says: it may be anybody's."""
        channels = 3 if output == "rgb" else 1
        wanted = (shape[0], channels, *shape[2:])
        if not isinstance(values, np.ndarray) or values.dtype != np.float32 or values.shape != wanted:
            given = f"{values.dtype} of {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
            raise UserError(f"{self._name}: gives {output} as {given}, not float32 of {wanted}; export it again")
        if not np.isfinite(values).all():
            raise UserError(f"{self._name}: gives {output} that is no number for this image; take another model")


def _start_first(
    model: bytes, name: str, candidates: Sequence[Device], threads: int
) -> tuple[onnxruntime.InferenceSession, str, str]:
    """The session on the first device that starts, the name of that device, and why not one before it."""
    names = ", ".join(candidate.name for candidate in candidates)
    reason = f"the fastest of {names}" if len(candidates) > 1 else "the only device of this onnxruntime"
    if len(candidates) == 1 < len(available_devices()):
        reason = "the only device that auto takes"
    failures: list[str] = []
    for candidate in candidates:
        try:
            return _start(model, candidate, threads), candidate.name, "; ".join(failures) or reason
        except Exception as error:  # the types of onnxruntime have no common base below Exception
            if candidate is not candidates[-1]:
                failures.append(f"{candidate.name} does not start: {brief(error)}")
            elif candidate.name == "cpu":
                raise UserError(f"{name}: onnxruntime cannot load it ({brief(error)}); export it again") from error
            else:
                raise UserError(
                    f"device {candidate.name}: onnxruntime cannot start {candidate.title} ({brief(error)}); "
                    "check its driver and libraries, or use --device cpu"
                ) from error
    raise AssertionError("the last candidate starts or raises")


def _start(model: bytes, device: Device, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised, and said once
    # By itself onnxruntime would take all cores of the machine, also where a container grants but a few of them.
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A planned block would come on top of what the arena holds already: a third more for a tiled image.
    options.enable_mem_pattern = False
    # Within a run threads wait by spinning, a fifth faster for a small network. Between two runs they would take the
    # cores from decoding, encoding and all else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", _NO_FOLDER)
    # Else it would go on with the CPU where the provider fails, now or in a later run, and print so to standard output.
    session = onnxruntime.InferenceSession(model, options, providers=list(device.providers), enable_fallback=0)
    if session.get_providers()[0] != device.providers[0]:  # it takes another without a word where a library is missing
        raise RuntimeError(f"{device.title} is built in, but its libraries or its driver are missing")
    return session
