import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import ircolor as package
from ircolor.cli.main import COMMANDS
from tests.cli.conftest import Done, run_process

Run = Callable[..., Done]


def test_help_names_all_commands(ircolor: Run) -> None:
    done = ircolor("--help")
    assert done.status == 0
    assert all(command in done.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(ircolor: Run, command: str) -> None:
    assert ircolor(command, "--help").status == 0


def test_the_version_is_that_of_the_package(ircolor: Run) -> None:
    assert ircolor("--version") == Done(0, f"ircolor {package.__version__}\n", "")


def test_an_unknown_option_is_wrong_use(ircolor: Run) -> None:
    assert ircolor("colorize", "--colour").status == 2


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['ircolor', '--help']\n"
        "from ircolor.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'torch', 'tifffile'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_standard_output_that_is_full_is_one_line() -> None:
    done = subprocess.run(
        f"{sys.executable} -m ircolor --version > /dev/full", shell=True, stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 2
    assert done.stderr.decode() == "error: standard output: No space left on device; free some, or send it elsewhere\n"


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m ircolor --version | true", shell=True, stderr=subprocess.PIPE, check=False
    )
    assert done.stderr == b""


def test_python_m_ircolor_is_the_command() -> None:
    assert run_process("--version").stdout.decode() == f"ircolor {package.__version__}\n"
