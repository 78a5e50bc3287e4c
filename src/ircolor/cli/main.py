"""The `ircolor` command.

Exit status: 0 when all is done; 1 when some of the inputs failed, each told on standard error; 2 when the command
cannot be done, because it or its input is wrong; 130 when interrupted, by Ctrl-C, SIGTERM or the end of its terminal.

A command is a module here that holds one function of its own name, with typer's annotations, or a group of them as a
typer app of that name; to add one, write it and name it in COMMANDS.
"""

import errno
import os
import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, NoReturn

import typer

import ircolor
from ircolor.cli.messages import say_errors
from ircolor.errors import UserError, brief, reader_has_gone
from ircolor.stop import HANG_UP, let_go_of_closed_terminals, stop_signals

COMMANDS = (
    "colorize",
    "models",
    "demo",
    "evaluate",
    "compare",
    "train",
    "export",
    "register",
    "pairs",
    "benchmark",
    "doctor",
)


def build_app() -> typer.Typer:
    """The command line with all its commands."""
    app = typer.Typer(
        name="ircolor",
        help=ircolor.__doc__.splitlines()[0] if ircolor.__doc__ else None,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in COMMANDS:
        command = getattr(import_module(f"ircolor.cli.{name}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main() -> None:
    """Run the command line; a UserError becomes one line on standard error and exit status 2."""
    # Libraries that mutter about a bad file would repeat, less clearly, what our error says.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    if isinstance(sys.stdout, TextIOWrapper):  # names that it cannot encode are told nevertheless
        sys.stdout.reconfigure(errors="backslashreplace")
    # Who stops a service is to find it as Ctrl-C leaves it: nothing half-written.
    for number in stop_signals():
        signal.signal(number, _interrupt)
    try:
        try:
            build_app()(windows_expand_args=False)  # globs are ours to expand
        finally:
            if sys.stdout:
                sys.stdout.flush()  # what cannot be written is told here, and not by Python at its end
    except UserError as error:
        _fail(str(error))
    except ImportError as error:
        if (error.name or "").startswith(ircolor.__name__):
            raise  # our own fault
        _fail(f"a library cannot be loaded ({brief(error)}); ircolor doctor tells which, and how to mend it")
    except OSError as error:
        if error.filename is not None:
            _fail(f"{error.filename}: {error.strerror}; check the path and its permissions")
        if not (error.errno == errno.ENOSPC or reader_has_gone(error)):
            raise  # not about what the user could mend
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left in the buffer has no place to go
        if error.errno == errno.ENOSPC:
            _fail(f"standard output: {error.strerror}; free some, or send it elsewhere")
        sys.exit(1)  # who reads it has seen enough


def _interrupt(number: int, frame: FrameType | None) -> None:
    if number == HANG_UP:
        let_go_of_closed_terminals()
    signal.default_int_handler(number, frame)


def _fail(problem: str) -> NoReturn:
    say_errors([problem])
    sys.exit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"ircolor {ircolor.__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
