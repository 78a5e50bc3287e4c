"""A training that several processes share."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ircolor.training.checkpoint import load_checkpoint

# What is registered first is called last. A thread of the group that is still there then may abort the process.
# One that has been waited for may be listed for a moment longer.
THREADS_HAVE_ENDED = """
import atexit, os, sys, time
from contextlib import suppress
from pathlib import Path

def threads_of_the_group():
    names = []
    for name in Path("/proc/self/task").glob("*/comm"):
        with suppress(OSError):  # it has ended since
            names.append(name.read_text().strip())
    return [name for name in names if "gloo" in name]

@atexit.register
def require_end():
    deadline_s = time.monotonic() + 10
    while left := threads_of_the_group():
        if time.monotonic() > deadline_s:
            print("threads at the end:", *left, file=sys.stderr, flush=True)
            os._exit(1)
        time.sleep(0.01)
"""


def in_two_processes(code: str) -> None:
    """Run a script as `accelerate launch` does, and require that it ends in peace."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", THREADS_HAVE_ENDED + code]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true"}
    processes = [
        subprocess.Popen(command, env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank}, stderr=subprocess.PIPE)
        for rank in "01"
    ]
    errors = [process.communicate(timeout=300)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors


@pytest.mark.slow
@pytest.mark.parametrize(("hints", "hint_epochs"), [(0.0, 0), (1.0, 0), (1.0, 1)])
def test_two_processes_share_a_run(data: Path, tmp_path: Path, hints: float, hint_epochs: int) -> None:
    in_two_processes(
        "from dataclasses import replace; from pathlib import Path; from ircolor.training.recipes import smoke; "
        "from ircolor.training.train import train; "
        f"recipe = replace(smoke(), hints={hints}, hint_epochs={hint_epochs}); "
        f"train(recipe, Path({str(data)!r}), None, Path({str(tmp_path / 'run')!r}))"
    )
    begun = 2 * hint_epochs
    assert load_checkpoint(tmp_path / "run" / "checkpoints" / "last.safetensors").progress.step == begun + 4
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    # The sitting, a training and, where it colours, a validation record an epoch, of one process only.
    assert steps == [0, *[2] * hint_epochs, *(begun + step for step in (2, 2, 4, 4))]


@pytest.mark.slow
def test_two_processes_learn_trust_too(data: Path, tmp_path: Path) -> None:
    """It takes several trainings, one after the other, in the same processes."""
    in_two_processes(
        "from dataclasses import replace; from pathlib import Path; from ircolor.training.recipes import smoke; "
        "from ircolor.training.recipe import TrustConfig; from ircolor.training.trust import train_with_trust; "
        "recipe = replace(smoke(), epochs=1, trust=TrustConfig(folds=2, fold_epochs=1, steps=2)); "
        f"train_with_trust(recipe, Path({str(data)!r}), None, Path({str(tmp_path / 'run')!r}))"
    )
    assert (tmp_path / "run" / "checkpoints" / "trust.safetensors").exists()
