"""Write the file map and the tables of README.md and docs/ anew, from the code, `runs/` and `benchmarks/results/`.

python scripts/readme.py          rewrite them
python scripts/readme.py --check  only say whether they are true (exit status 1 if not)
"""

import ast
import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from comparison import cost_table, paper_table, systems_table
from markdown_table import table
from results import SHOWN, columns_of, result
from trainings import (
    SEEDS,
    SEEDS_VCIP2020,
    SHOWN_OF_TRAININGS,
    ablation_table,
    cross_validation_table,
    edgenet_table,
    seeds_table,
)

ROOT = Path(__file__).parents[1]
SCORES = ROOT / "runs" / "nirscene-test.json"
LABELS = {
    "infrared-copy": "infrared copied to three channels",
    "cubic-curve": "cubic curve per pixel",
    "colornet": "ColorNet alone",
    "snet": "`snet` (bundled): ColorNet + EdgeNet",
    "snet_plus": "`snet_plus` (bundled): ColorNet, trained for colour with hints, seen at 128 px",
    "fast": "`fast` (bundled, default): EfficientNet-Lite0 with a narrow decoder, seen at 128 px",
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
    columns = columns_of(SHOWN)
    means = {label: comparison["models"][name]["mean"] for name, label in LABELS.items()}
    rows = ([label, *(column.text(mean) for column in columns)] for label, mean in means.items())
    return table(["", *(column.heading for column in columns)], rows)


def trust_table() -> str:
    """How well models with trust tell how wrong their colours are, on nirscene test."""
    models = json.loads(SCORES.read_text(encoding="utf-8"))["models"]
    rows = (
        [
            f"`{name}`",
            f"{trust['spearman']:.2f}",
            f"{trust['trusted_half']:.2f}",
            f"{trust['worst_miscalibration']:.0%}",
        ]
        for name, model in models.items()
        if (trust := model.get("trust"))
    )
    return table(["", "rank correlation", "error of the trusted half", "worst bin off by"], rows)


def model_speed_table() -> str:
    """Milliseconds of the bundled networks for one image, from one run."""
    sizes = result("model_speed")["sizes"]
    rows = (
        [f"`{name}`", *(f"{found['median_ms'][name]:.1f}" for found in sizes.values())]
        for name in sizes["224x224"]["median_ms"]
    )
    return table(["", *(f"ms at {size}" for size in sizes)], rows)


def registration_table() -> str:
    """Registration against the obvious alternative, from the benchmark's results."""
    methods = result("register_nirscene")["methods"]
    rows = []
    for name, label in REGISTRATION_LABELS.items():
        row = methods[name]
        shares = (f"{row[key]:.1%}" for key in ("sound_below_1px", "sound_below_3px", "as_well_aligned_as_truth"))
        accepted = str(row["accepted_though_10px_off"])
        rows.append([label, f"{row['sound_median_px']:.2f}", *shares, accepted, f"{row['time_ratio']:.2f}"])
    return table(
        ["", "median px", "< 1 px", "< 3 px", "as well aligned as the truth", "accepted, > 10 px off", "time"], rows
    )


def steadiness_table() -> str:
    """Jitter and truth of the colours of videos, with the filter and without."""
    rows = (
        [
            name,
            *(f"{kind[key]['ratio']:.2f}" for key in ("color_jitter", "rgb_jitter")),
            *(f"{kind['psnr_db'][at]:.2f}" for at in ("off", "on")),
        ]
        for name, kind in result("steadiness")["kinds"].items()
    )
    return table(
        [
            f"clips of test pairs, by `{result('steadiness')['model']}`",
            "colour jitter, on / off",
            "RGB jitter, on / off",
            "PSNR dB, off",
            "on",
        ],
        rows,
    )


def speed_table() -> str:
    """What the runtime was measured to do, each row with its script."""
    int8, start, large, video = (result(name) for name in ("int8_speed", "start_time", "large_image", "video_memory"))
    rows = [
        (
            "int8_speed",
            "`snet` in int8 at 224x224, times as fast as torch in float32",
            f"{int8['speedup_over_torch']:.1f}",
        ),
        *(
            (
                "throughput",
                f"{run['source']} of {run['num_images']} at {run['width']}x{run['height']} by `{model}`: images a "
                "second (time over that of the bare network)",
                f"{run['images_per_s']:.1f} ({run['time_ratio']:.2f})",
            )
            for model in ("fast", "snet")
            for run in result(f"throughput_{model}")["runs"]
        ),
        *(
            (
                "large_image",
                f"peak memory, 10000x10000 px, {run['case'].replace(':', ' to ')}, by `{large['model']}`",
                _gigabytes(run),
            )
            for run in large["runs"]
        ),
        (
            "video_memory",
            f"growth of memory over {video['num_frames']} frames of 640x480, MB in 1000 frames, by a small network",
            f"{video['slope_mb_per_1000_frames']:.2f}",
        ),
        ("start_time", "`import ircolor`", f"{start['import_s']:.2f} s"),
        ("start_time", "`ircolor --help`", f"{start['help_s']:.2f} s"),
        *(
            (
                "live_latency",
                f"live 640x480 by {run['scheme']}, from glass until the consumer ({run['work']}) is done, median",
                f"{run['done']['median_ms']:.0f} ms",
            )
            for run in result("live_latency")["runs"]
        ),
    ]
    lines = [f"| {what} | {value} | `{script}.py` |" for script, what, value in rows]
    return "\n".join(["| | | benchmarks/ |", "|---|---:|---|", *lines])


def updated(text: str, page: Path) -> str:
    """A page with all its blocks made anew."""
    for name, content in PAGES[page].items():
        block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- end of {name} -->)", re.DOTALL)
        if not block.search(text):
            raise SystemExit(f"{page}: has no block <!-- {name} --> ... <!-- end of {name} -->")
        text = block.sub(lambda _: content(), text)  # noqa: B023  (used at once)
    return text


PAGES: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "README.md": {
        "files": file_map,
        "scores": score_table,
        "trust": trust_table,
        "table 1": paper_table,
        "registration": registration_table,
    },
    ROOT / "docs" / "comparison.md": {
        "nirscene": partial(systems_table, "nirscene"),
        "paper-like": partial(systems_table, "paper-like"),
        "cost": cost_table,
    },
    ROOT / "docs" / "runtime.md": {
        "steadiness": steadiness_table,
        "model speed": model_speed_table,
        "speed": speed_table,
    },
    ROOT / "docs" / "training.md": {
        "edgenet": edgenet_table,
        "seeds": partial(seeds_table, SEEDS, "test", SHOWN_OF_TRAININGS),
        "seeds vcip2020": partial(seeds_table, SEEDS_VCIP2020, "val", SHOWN),
        "ablation": ablation_table,
        "cross-validation": partial(cross_validation_table, "vcip_scratch"),
    },
}


def _gigabytes(run: Any) -> str:
    return f"{run['peak_rss_bytes'] / 1e9:.2f} GB"


def _line(file: Path, name: str, depth: int) -> str:
    documentation = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return f"{'  ' * depth + name:<24}{documentation.splitlines()[0].removesuffix('.')}"


def main() -> None:
    """Check or rewrite."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        new = updated(text, page)
        if "--check" not in sys.argv[1:]:
            page.write_text(new, encoding="utf-8")
        elif new != text:
            sys.exit(f"{page.name} is out of date; run: python scripts/readme.py")


if __name__ == "__main__":
    main()
