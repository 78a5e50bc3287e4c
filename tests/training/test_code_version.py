"""What a run says of the code that made it."""

import shutil
import subprocess
from pathlib import Path

import pytest

import ircolor
from ircolor.training import code_version

GIT = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]


@pytest.mark.parametrize("tracked", [True, False])
def test_only_a_checkout_of_the_code_tells_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracked: bool
) -> None:
    """An installed package may lie within the repository of somebody else."""
    file = tmp_path / "site-packages" / "ircolor" / "training" / "code_version.py"
    file.parent.mkdir(parents=True)
    shutil.copy(code_version.__file__, file)
    (tmp_path / "theirs.txt").write_text("their work")
    subprocess.run([*GIT, "init", "-q", tmp_path], check=True)
    subprocess.run([*GIT, "-C", tmp_path, "add", file if tracked else "theirs.txt"], check=True)
    subprocess.run([*GIT, "-C", tmp_path, "commit", "-qm", "Begin"], check=True)
    monkeypatch.setattr(code_version, "__file__", str(file))
    described = code_version.describe_code()
    assert described["version"] == ircolor.__version__
    assert ("commit" in described) == tracked
