"""How long do `import ircolor` and `ircolor --help` take?

Fresh processes; of the import what it takes beyond Python's own start.

    python benchmarks/start_time.py -o benchmarks/results/start_time.json
"""

import subprocess
import sys
import time
from statistics import median

from machine import argument_parser, report

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "import ircolor": [sys.executable, "-c", "import ircolor"],
    "ircolor --help": [sys.executable, "-m", "ircolor", "--help"],
    "ircolor colorize --help": [sys.executable, "-m", "ircolor", "colorize", "--help"],
}


def main() -> None:
    """Measure and report."""
    parser = argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    wanted = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(wanted.rounds):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: median(times) for name, times in seconds.items()}
    result = {
        "question": "seconds that fresh processes take; the import beyond the start of Python",
        "median_s": {name: round(value, 3) for name, value in medians.items()},
        "import_s": round(medians["import ircolor"] - medians["python"], 3),
        "help_s": round(medians["ircolor --help"], 3),
    }
    report(result, wanted.output)


if __name__ == "__main__":
    main()
