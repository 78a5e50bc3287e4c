import json
import os
from pathlib import Path

import psutil
import pytest

from ircolor import machine
from ircolor.machine import Cores, cores, describe_machine, memory, versions


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of control groups in place of the real ones; the process is in none."""
    monkeypatch.setattr(machine, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "_GROUPS_OF_PROCESS", tmp_path / "cgroup")
    (tmp_path / "cgroup").touch()
    return tmp_path


def write(folder: Path, **texts: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


def test_without_control_groups_the_machine_is_the_limit(groups: Path) -> None:
    (groups / "cgroup").unlink()
    assert cores() == Cores(psutil.cpu_count(logical=False), psutil.cpu_count(), len(os.sched_getaffinity(0)), None)
    assert memory().limit_bytes is None
    assert 0 < memory().available_bytes <= memory().total_bytes


def test_the_tightest_group_around_the_process_counts(groups: Path) -> None:
    (groups / "cgroup").write_text("0::/slice/job\n")
    write(groups / "groups" / "slice" / "job", cpu__max="max 100000", memory__max="max")
    used = {"memory__current": "40000", "memory__stat": "anon 1\ninactive_file 10000"}
    write(groups / "groups" / "slice", cpu__max="150000 100000", memory__max="1048576", **used)
    write(groups / "groups", cpu__max="400000 100000", memory__max="2097152", **used)
    assert (cores().limit, memory().limit_bytes) == (1.5, 1 << 20)
    assert memory().available_bytes == (1 << 20) - 30000
    assert cores().usable == 1


def test_groups_of_the_first_version_are_heeded(groups: Path) -> None:
    (groups / "cgroup").write_text("4:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n2:cpuset:/\n")
    # As a container sees them: at the root, not where the path says.
    write(groups / "groups" / "cpu,cpuacct", cpu__cfs_quota_us="50000", cpu__cfs_period_us="100000")
    write(
        groups / "groups" / "memory",
        memory__limit_in_bytes="4096",
        memory__usage_in_bytes="5000",
        memory__stat="cache 1",
    )
    assert (cores().limit, memory().limit_bytes, memory().available_bytes) == (0.5, 4096, 0)
    write(groups / "groups" / "cpu,cpuacct", cpu__cfs_quota_us="-1")
    write(groups / "groups" / "memory", memory__limit_in_bytes=str((1 << 63) - 4096))
    assert (cores().limit, memory().limit_bytes) == (None, None)


@pytest.mark.parametrize(
    ("found", "usable"),
    [
        (Cores(physical=8, logical=16, affinity=16, limit=None), 8),
        (Cores(physical=8, logical=16, affinity=3, limit=None), 3),
        (Cores(physical=8, logical=16, affinity=16, limit=2.5), 2),
        (Cores(physical=None, logical=4, affinity=4, limit=0.5), 1),
    ],
)
def test_usable_cores_are_those_that_do_not_wait_for_each_other(found: Cores, usable: int) -> None:
    assert found.usable == usable


def test_versions_are_found_without_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(versions()[library] for library in ("numpy", "onnxruntime", "OpenCV", "PyAV", "tifffile"))
    monkeypatch.setitem(machine.LIBRARIES, "nothing", ("ircolor-has-no-such-library",))
    assert versions()["nothing"] is None


def test_the_description_is_json() -> None:
    description = json.loads(json.dumps(describe_machine()))
    assert description["cores"]["logical"] == psutil.cpu_count()
    assert description["processor"]
