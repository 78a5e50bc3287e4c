"""What this machine is: processor, cores, memory, and the versions of what runs on it.

What a process may use can be less than what the machine has: by its affinity, and by the control groups that
containers and batch systems put it into. Those are asked too.
"""

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from operator import index
from pathlib import Path
from typing import Any

import psutil

import ircolor
from ircolor.errors import UserError

# What we build on, by the name that people know, and the distributions that provide it.
LIBRARIES = {
    "numpy": ("numpy",),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"),
    "OpenCV": ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
    "PyAV": ("av",),
    "tifffile": ("tifffile",),
    "torch": ("torch",),
}
_GROUPS_OF_PROCESS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")
# Limit and use of memory, of version 2 of control groups and of version 1.
_MEMORY_FILES = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))


@dataclass(frozen=True)
class Cores:
    """How many cores there are.

    Attributes:
        physical: of the machine; None where the system does not tell.
        logical: of the machine, hyper-threads counted.
        affinity: logical ones that this process may run on.
        limit: time of so many cores that the control group grants; None without a limit.
    """

    physical: int | None
    logical: int
    affinity: int
    limit: float | None

    @property
    def usable(self) -> int:
        """How many threads a network should run on: more would wait for each other. At least 1."""
        counts = [self.affinity, self.physical or self.logical, self.limit or self.logical]
        return max(1, int(min(counts)))


@dataclass(frozen=True)
class Memory:
    """How much memory there is.

    Attributes:
        total_bytes: of the machine.
        available_bytes: that this process can still take without swapping.
        limit_bytes: what the control group grants; None without a limit.
    """

    total_bytes: int
    available_bytes: int
    limit_bytes: int | None


def cores() -> Cores:
    """The cores of the machine, and of this process."""
    logical = psutil.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    return Cores(psutil.cpu_count(logical=False), logical, affinity, min(_core_limits(), default=None))


def threads_to_use(asked: int | None) -> int:
    """How many threads to run: as many as are asked for, but no more than cores may be used; those would only wait.

    Args:
        asked: None for as many as are of use.

    Raises:
        UserError: below 1.
        TypeError: no whole number.
    """
    if asked is None:
        return cores().usable
    if index(asked) < 1:
        raise UserError(f"threads {asked}: at least 1 is needed; leave it out for all cores")
    return min(asked, cores().affinity)


def memory() -> Memory:
    """The memory of the machine, and of this process."""
    now = psutil.virtual_memory()
    # The first version of control groups writes "no limit" as a huge number.
    limits = [(limit, rest) for limit, rest in _memory_limits() if limit < now.total]
    available_bytes = min([now.available, *(rest for _, rest in limits)])
    return Memory(now.total, available_bytes, min((limit for limit, _ in limits), default=None))


def processor() -> str:
    """The name of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def versions() -> dict[str, str | None]:
    """Version of each library by its name; None where it is not installed. Imports none of them."""
    return {library: _version(distributions) for library, distributions in LIBRARIES.items()}


def describe_machine() -> dict[str, Any]:
    """What stands beside measured numbers in JSON: the machine, how busy it was, and the versions."""
    return {
        "processor": processor(),
        "cores": asdict(cores()),
        "load_average_1min": round(psutil.getloadavg()[0], 2),
        "memory_bytes": memory().total_bytes,
        "system": platform.platform(),
        "python": platform.python_version(),
        "ircolor": ircolor.__version__,
        **{library: version for library, version in versions().items() if version},
    }


def _version(distributions: tuple[str, ...]) -> str | None:
    from importlib import metadata  # takes longer than all else here, and a session asks for the cores only

    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None


def _groups(controller: str) -> Iterator[Path]:
    """Folders of the control groups that this process is in, each with those around it; both versions of them."""
    if not _GROUPS_OF_PROCESS.is_file():
        return
    for line in _GROUPS_OF_PROCESS.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            root = _GROUPS / controllers
            # In a container the path may be that outside of it, and only the root is there.
            folder = root / path.lstrip("/")
            yield from (group for group in (folder, *folder.parents) if group.is_relative_to(root))


def _core_limits() -> Iterator[float]:
    for group in _groups("cpu"):
        if (group / "cpu.max").is_file():
            quota, period = (group / "cpu.max").read_text().split()
        elif (group / "cpu.cfs_quota_us").is_file():
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        else:
            continue
        if quota not in ("max", "-1"):
            yield int(quota) / int(period)


def _memory_limits() -> Iterator[tuple[int, int]]:
    """Each limit that holds for this process, and what is left of it, in bytes."""
    for group in _groups("memory"):
        for limit, use in _MEMORY_FILES:
            try:
                limit_bytes = int((group / limit).read_text())
                used_bytes = int((group / use).read_text())
                stated = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):  # of the other version, or "max": no limit
                continue
            # Pages of files that were read count as used, but are given up when memory is asked for.
            yield limit_bytes, max(0, limit_bytes - used_bytes + int(stated.get("inactive_file", 0)))
