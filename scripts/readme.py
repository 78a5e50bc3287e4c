"""Write the README's file map and score table anew from the code and from `runs/`.

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
SHOWN = ("psnr_db", "ssim", "delta_e_2000", "angular_error_deg", "chroma_gain", "colorfulness_ratio")
LABELS = {
    "infrared-copy": "infrared copied to three channels",
    "cubic-curve": "cubic curve per pixel",
    "colornet": "ColorNet alone",
    "snet": "SNet (bundled): ColorNet + EdgeNet",
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


def updated(readme: str) -> str:
    """The README with both blocks made anew."""
    for name, content in (("files", file_map()), ("scores", score_table())):
        block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- end of {name} -->)", re.DOTALL)
        if not block.search(readme):
            raise SystemExit(f"{README}: has no block <!-- {name} --> ... <!-- end of {name} -->")
        readme = block.sub(lambda _: content, readme)  # noqa: B023  (used at once)
    return readme


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
