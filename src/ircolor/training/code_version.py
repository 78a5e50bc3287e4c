"""Which code made a run."""

import subprocess
from pathlib import Path

import ircolor


def describe_code() -> dict[str, str]:
    """Version of the package and, in a checkout, its commit (with "+changes" where files differ from it)."""
    described = {"version": ircolor.__version__}
    here = Path(__file__).parent
    git = ["git", "-C", str(here)]
    try:
        # An installed package may lie within a repository of other code.
        subprocess.run([*git, "ls-files", "--error-unmatch", __file__], capture_output=True, check=True)
        commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        status = subprocess.run(
            [*git, "status", "--porcelain", "--", str(here.parent)],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return described  # installed, or no git here
    return described | {"commit": commit.stdout.strip() + ("+changes" if status.stdout.strip() else "")}
