"""Look whether all that ircolor needs is there and works; one broken thing does not keep the rest unexamined."""

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import ircolor
from ircolor.errors import REINSTALL, UserError, brief

# For the bundled network on a photograph of a megapixel, and the process itself.
NEEDED_BYTES = 1 << 30
ENCODERS = ("h264", "hevc", "av1", "ffv1")
OPTIONAL = ("torch",)  # for training, and to compare with
_MODULES = {"OpenCV": "cv2", "PyAV": "av"}  # of libraries that are imported by another name
DEVICES_FOLDER = Path("/dev")


@dataclass
class Finding:
    """What was found out about one topic.

    Attributes:
        facts: JSON.
        problems: each with its mend, one line.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def examine() -> dict[str, Finding]:
    """Examine the installation and the machine.

    Returns:
        By topic. A topic whose examination itself fails has that as its problem.
    """
    findings = {}
    for topic, probe in PROBES.items():
        try:
            findings[topic] = probe()
        except Exception as error:  # whatever a broken library raises: to tell it is the purpose
            why = f"{type(error).__name__}: {brief(error)}"
            findings[topic] = Finding(problems=[f"{topic}: cannot be examined ({why}); {REINSTALL}"])
    return findings


def _versions() -> Finding:
    from ircolor.machine import LIBRARIES, versions

    found = versions()
    system = {"system": platform.platform(), "python": platform.python_version(), "ircolor": ircolor.__version__}
    problems = [
        f"{library}: not installed; pip install {LIBRARIES[library][0]}"
        for library, version in found.items()
        if version is None and library not in OPTIONAL
    ]
    for library in (library for library, version in found.items() if version is not None):
        try:
            import_module(_MODULES.get(library, library))
        except Exception as error:  # as above
            mend = f"pip install --force-reinstall {LIBRARIES[library][0]}"
            if sys.platform == "win32" and "DLL load failed" in str(error):
                mend = "install the Microsoft Visual C++ Redistributable"
            problems.append(f"{library}: installed, but cannot be loaded ({brief(error)}); {mend}")
    return Finding({**system, **found}, problems)


def _cores() -> Finding:
    from ircolor.machine import cores, processor

    found = cores()
    return Finding({"processor": processor(), **asdict(found), "usable": found.usable})


def _memory() -> Finding:
    from ircolor.machine import memory

    found = memory()
    problems = []
    free_gb = found.available_bytes / 1e9
    if found.available_bytes < NEEDED_BYTES:
        problems.append(
            f"memory: {free_gb:.1f} GB can be had where a photograph takes {NEEDED_BYTES / 1e9:.1f}; "
            "close other programs, raise the limit of the container, or cut images into parts"
        )
    return Finding(asdict(found), problems)


def _devices() -> Finding:
    from ircolor.sessions.providers import DEVICES, available_devices, devices_to_try

    available = available_devices()
    unavailable = {name: device.get for name, device in DEVICES.items() if name not in available}
    tried = [device.name for device in devices_to_try("auto")]
    return Finding({"available": available, "auto_tries": tried, "unavailable": unavailable})


def _video() -> Finding:
    import io
    from fractions import Fraction

    import av
    import numpy as np

    finding = Finding({"FFmpeg": av.ffmpeg_version_info})
    finding.facts["libraries"] = {
        name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())
    }
    finding.facts["encoders"] = {}
    for name in ENCODERS:
        try:
            finding.facts["encoders"][name] = av.Codec(name, "w").name
        except ValueError:
            finding.facts["encoders"][name] = None
            finding.problems.append(f"video: no encoder for {name}; pip install --force-reinstall av")
    frames = np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8)
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as video:
        stream = video.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 16, 16, "gray"
        for frame in frames:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        video.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as video:
        decoded = [frame.to_ndarray() for frame in video.decode(video=0)]
    finding.facts["decoding"] = "OK" if np.array_equal(decoded, frames) else "wrong"
    if finding.facts["decoding"] != "OK":
        finding.problems.append("video: a lossless video comes back changed; pip install --force-reinstall av")
    return finding


def _models() -> Finding:
    from ircolor.colorizer import Colorizer
    from ircolor.media.scene import draw_road_scene
    from ircolor.sessions.providers import devices_to_try
    from ircolor.weights.catalogue import bundled_names

    infrared, _ = draw_road_scene(48, 64)
    first_choice = devices_to_try("auto")[0].name
    finding = Finding()
    for name in bundled_names():
        try:
            colorizer = Colorizer(name)
            rgb = colorizer(infrared)
        except UserError as error:
            finding.facts[name] = {"status": "damaged"}
            finding.problems.append(f"model {error}")
            continue
        model = colorizer.model
        finding.facts[name] = {
            "status": "OK",
            "version": model.card.version,
            "device": f"{colorizer.device}, {colorizer.device_reason}",
            "sha256": model.sha256,
        }
        if rgb.std(axis=(0, 1)).max() == 0:
            finding.facts[name]["status"] = "wrong"
            finding.problems.append(f"model {name}: paints a scene in one colour; pip install -U onnxruntime")
        if colorizer.device != first_choice:
            mend = "check its driver and libraries, or give --device cpu"
            finding.problems.append(f"model {name}: {colorizer.device_reason}; {mend}")
    if not finding.facts:
        finding.problems.append(f"models: none in this installation; {REINSTALL}")
    return finding


def _cameras() -> Finding:
    if sys.platform != "linux":
        from ircolor.media.connection import listed_cameras

        return Finding({"found": [device.description for device in listed_cameras()]})
    files = sorted(map(str, DEVICES_FOLDER.glob("video*")))
    problems = [
        f"{file}: you may not use this camera; sudo usermod -aG video $USER, and log in again"
        for file in files
        if not os.access(file, os.R_OK | os.W_OK)
    ]
    return Finding({"found": files}, problems)


PROBES: dict[str, Callable[[], Finding]] = {
    "versions": _versions,
    "cores": _cores,
    "memory": _memory,
    "devices": _devices,
    "video": _video,
    "models": _models,
    "cameras": _cameras,
}
