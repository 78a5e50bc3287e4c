"""What all benchmarks do alike: take `-o FILE`, and write what they found beside the machine that they found it on."""

import argparse
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ircolor.atomic import write_atomic
from ircolor.machine import describe_machine

MACHINE = describe_machine()  # now: later the load would be that of the benchmark itself


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser that shows the docstring of the script and knows `-o FILE`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    return parser


def report(result: dict[str, Any], output: Path | None, *, unprinted: Collection[str] = (), **details: object) -> None:
    """Print a result and write it to a file.

    Args:
        result: JSON.
        output: the file; None only prints.
        unprinted: keys that go into the file only.
        details: what else is to be known of the machine, e.g. how many processes worked.
    """
    result = {**result, "machine": {**details, **MACHINE}}
    print(json.dumps({key: value for key, value in result.items() if key not in unprinted}, indent=2))
    if output:
        write_atomic(output, (json.dumps(result, indent=2) + "\n").encode())
