import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_file_map_and_scores_are_those_of_the_repository() -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "readme.py", "--check"], check=True)
