"""The devices that onnxruntime may run a network on: their names here, which are available, and which is tried first.

onnxruntime itself falls back to the CPU in silence, so a session asks for one provider and looks which it got. Which
providers there are depends on the build of onnxruntime that is installed; one process can have one build.
"""

from dataclasses import dataclass

import onnxruntime

from ircolor.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Device:
    """A device as users name it.

    Attributes:
        name: as --device takes it.
        providers: what onnxruntime calls it, and what is to run the operators that it cannot, before the CPU.
        title: as its makers write it.
        get: how to get an onnxruntime that has it.
    """

    name: str
    providers: tuple[str, ...]
    title: str
    get: str


_GPU_BUILD = "pip install onnxruntime-gpu in place of onnxruntime"
# In the order that auto tries them; TensorRT not, as it builds an engine, for minutes, for each new size of image.
_IN_ORDER = (
    Device("cuda", ("CUDAExecutionProvider",), "CUDA", _GPU_BUILD),
    Device(
        "directml", ("DmlExecutionProvider",), "DirectML", "pip install onnxruntime-directml in place of onnxruntime"
    ),
    Device(
        "openvino",
        ("OpenVINOExecutionProvider",),
        "OpenVINO",
        "pip install onnxruntime-openvino in place of onnxruntime",
    ),
    Device("cpu", ("CPUExecutionProvider",), "CPU", "pip install onnxruntime"),
)
# Not for auto either, until it was measured: networks in int8, for images of any size, run on it in pieces.
_CORE_ML = Device("coreml", ("CoreMLExecutionProvider",), "Core ML", "it comes with onnxruntime on macOS")
_TENSORRT = Device(
    "tensorrt", ("TensorrtExecutionProvider", "CUDAExecutionProvider"), "TensorRT", f"{_GPU_BUILD}, and TensorRT"
)
DEVICES = {device.name: device for device in (*_IN_ORDER, _CORE_ML, _TENSORRT)}


def available_devices() -> list[str]:
    """Names of the devices that this onnxruntime was built for, in the order of DEVICES; one may still not start."""
    built_in = onnxruntime.get_available_providers()
    return [device.name for device in DEVICES.values() if device.providers[0] in built_in]


def devices_to_try(device: str) -> list[Device]:
    """What to try to run a network on, one after the other.

    Args:
        device: auto, or a name of DEVICES.

    Returns:
        For auto all that are available and that it considers, the fastest first; else the one that was asked for.

    Raises:
        UserError: unknown, or not in this onnxruntime.
    """
    available = available_devices()
    if device == "auto":
        return [candidate for candidate in _IN_ORDER if candidate.name in available]
    if device not in DEVICES:
        names = ", ".join(["auto", *DEVICES])
        hint = did_you_mean("cuda" if device == "gpu" else device, DEVICES)
        raise UserError(f"device {device!r}: unknown; {hint}use one of: {names}")
    if device not in available:
        wanted = DEVICES[device]
        raise UserError(
            f"device {device}: this onnxruntime has no {wanted.title}; {wanted.get}, "
            f"or use auto or one of: {', '.join(available)}"
        )
    return [DEVICES[device]]
