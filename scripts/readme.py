"""Write the README's file map and tables anew from the code, from `runs/` and from `benchmarks/results/`.

python scripts/readme.py          rewrite README.md
python scripts/readme.py --check  only say whether it is true (exit status 1 if not)
"""

import ast
import json
import re
import sys
from pathlib import Path

from ircolor.evaluation.tables import COLUMNS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SCORES = ROOT / "runs" / "nirscene-test.json"
REGISTRATION = ROOT / "benchmarks" / "results" / "register_nirscene.json"
SHOWN = ("psnr_db", "ssim", "delta_e_2000", "angular_error_deg", "chroma_gain", "colorfulness_ratio")
LABELS = {
    "infrared-copy": "infrared copied to three channels",
    "cubic-curve": "cubic curve per pixel",
    "colornet": "ColorNet alone",
    "snet": "SNet (bundled): ColorNet + EdgeNet",
}
REGISTRATION_LABELS = {
    "sift_ransac": "SIFT, ratio test, RANSAC similarity on intensities",
    "sift_ransac_ecc": "the same, refined by ECC on structure maps",
    "ircolor": "`ircolor register`",
}


def file_map() -> str:
    """The tree of the package; beside each file the first line of its docstring."""
    lines = []
    for folder in sorted({path.parent for path in (ROOT / "src" / "ircolor").rglob("*.py")}):
        depth = len(folder.relative_to(ROOT / "src").parts) - 1
        lines.append(_line(folder / "__init__.py", f"{folder.name}/", depth))
        lines += [
            _line(file, file.name, depth + 1) for file in sorted(folder.glob("*.py")) if file.name != "__init__.py"
        ]
    return "```\n" + "\n".join(lines) + "\n```"


def score_table() -> str:
    """The means of the comparison on nirscene test."""
    comparison = json.loads(SCORES.read_text(encoding="utf-8"))
    columns = [column for column in COLUMNS if column.key in SHOWN]
    rows = ["| | " + " | ".join(column.heading for column in columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, label in LABELS.items():
        mean = comparison["models"][name]["mean"]
        rows.append(f"| {label} | " + " | ".join(column.text(mean) for column in columns) + " |")
    return "\n".join(rows)


def registration_table() -> str:
    """Registration against the obvious alternative, from the benchmark's results."""
    methods = json.loads(REGISTRATION.read_text(encoding="utf-8"))["methods"]
    rows = [
        "| | median px | < 1 px | < 3 px | as well aligned as the truth | accepted, > 10 px off | time |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, label in REGISTRATION_LABELS.items():
        row = methods[name]
        shares = (f"{row[key]:.1%}" for key in ("sound_below_1px", "sound_below_3px", "as_well_aligned_as_truth"))
        cells = [label, f"{row['sound_median_px']:.2f}", *shares, str(row["accepted_though_10px_off"])]
        rows.append("| " + " | ".join([*cells, f"{row['time_ratio']:.2f}"]) + " |")
    return "\n".join(rows)


def updated(readme: str) -> str:
    """The README with all blocks made anew."""
    for name, content in BLOCKS.items():
        block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- end of {name} -->)", re.DOTALL)
        if not block.search(readme):
            raise SystemExit(f"{README}: has no block <!-- {name} --> ... <!-- end of {name} -->")
        readme = block.sub(lambda _: content(), readme)  # noqa: B023  (used at once)
    return readme


BLOCKS = {"files": file_map, "scores": score_table, "registration": registration_table}


def _line(file: Path, name: str, depth: int) -> str:
    documentation = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return f"{'  ' * depth + name:<24}{documentation.splitlines()[0].removesuffix('.')}"


def main() -> None:
    """Check or rewrite."""
    readme = README.read_text(encoding="utf-8")
    new = updated(readme)
    if "--check" in sys.argv[1:]:
        sys.exit(f"{README.name} is out of date; run: python scripts/readme.py" if new != readme else 0)
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
