"""Write the file map and the tables of README.md and docs/ anew, from the code, `runs/` and `benchmarks/results/`.

python scripts/readme.py          rewrite them
python scripts/readme.py --check  only say whether they are true (exit status 1 if not)
"""

import ast
import json
import re
import sys
from collections.abc import Callable, Container, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from comparison import cost_table, paper_table, systems_table
from ircolor.evaluation.tables import COLUMNS, Column
from markdown_table import table

ROOT = Path(__file__).parents[1]
SCORES = ROOT / "runs" / "nirscene-test.json"
RESULTS = ROOT / "benchmarks" / "results"
SHOWN = ("psnr_db", "ssim", "delta_e_2000", "angular_error_deg", "chroma_gain", "colorfulness_ratio")
SHOWN_OF_TRAININGS = ("psnr_db", "ssim", "delta_e_2000", "chroma_gain", "colorfulness_ratio")
# Of recipes over seeds, in the order of their table.
SEEDS = {
    "snet_paper": "`snet_paper`: 32 of its 400 epochs, the best on val",
    "snet": "`snet`: ColorNet and EdgeNet, the paper's losses",
    "snet_plus": "`snet_plus`",
    "narrow_colornet": "`narrow_colornet`: 16 wide, without hints",
    "fast": "`fast`",
}
# Likewise on vcip2020, by the file of their results.
SEEDS_VCIP2020 = {
    "seeds_snet_paper_vcip2020": "`snet_paper`: 28 of its 400 epochs, the best on these 22",
    "seeds_narrow_colornet_vcip2020": "`narrow_colornet`",
    "seeds_snet_plus_vcip2020": "`snet_plus`",
    "seeds_fast_vcip2020": "`fast`",
    "seeds_vcip": "`vcip`",
    "ensemble_vcip2020": "the mean colours of one `vcip` and one `snet_plus`",
}
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
    columns = _columns(SHOWN)
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
    sizes = _result("model_speed")["sizes"]
    rows = (
        [f"`{name}`", *(f"{found['median_ms'][name]:.1f}" for found in sizes.values())]
        for name in sizes["224x224"]["median_ms"]
    )
    return table(["", *(f"ms at {size}" for size in sizes)], rows)


def seeds_table() -> str:
    """Recipes over seeds on nirscene test, in float32: means, with the standard deviation of a seed."""
    scores = {label: _result(f"seeds_{name}")["splits"]["test"] for name, label in SEEDS.items()}
    return _spreads_table(scores, SHOWN_OF_TRAININGS)


def seeds_vcip2020_table() -> str:
    """The same on vcip2020 val."""
    found = {label: _result(name)["splits"]["val"] for name, label in SEEDS_VCIP2020.items()}
    return _spreads_table({label: scores.get("mean", scores) for label, scores in found.items()}, SHOWN)


def edgenet_table() -> str:
    """ColorNet with and without EdgeNet: means over seeds, with the standard deviation of a seed."""
    shown = {"psnr_db": 2, "ssim": 3, "gradient_error": 2, "chroma_gain": 3}  # with digits
    rows = []
    for protocol, splits in _result("edgenet")["protocols"].items():
        *_, split = splits
        rows.append([f"**{protocol}, {split}**"])
        for form, scores in splits[split].items():
            rows.append([form, *(_spread(scores[key], digits) for key, digits in shown.items())])
    return table(["", "PSNR dB", "SSIM", "gradient error", "chroma gain"], rows)


def ablation_table() -> str:
    """What each switch of `narrow_colornet` is worth on nirscene val: over seeds, then one change at a time."""
    study = _result("ablation")
    columns = _columns(SHOWN_OF_TRAININGS)
    spreads = study["narrow_colornet"]
    rows = [["`narrow_colornet`, three seeds", *(_spread(spreads[column.key], column.digits) for column in columns)]]
    for change, scores in study["changes"].items():
        rows.append([change, *(column.text(scores) for column in columns)])
    return table(["", *(column.heading for column in columns)], rows)


def cross_validation_table(recipe: str) -> str:
    """What changes of a recipe are worth on pictures that its nets had not seen: means over the parts."""
    columns = _columns((*SHOWN_OF_TRAININGS, "angular_error_deg"))
    rows = (
        [change, *(f"{scores[column.key]['mean']:.{column.digits}f}" for column in columns)]
        for change, scores in _result(f"cross_validation_{recipe}")["changes"].items()
    )
    return table([f"`{recipe}`", *(column.heading for column in columns)], rows)


def registration_table() -> str:
    """Registration against the obvious alternative, from the benchmark's results."""
    methods = _result("register_nirscene")["methods"]
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
        for name, kind in _result("steadiness")["kinds"].items()
    )
    return table(["clips of test pairs", "colour jitter, on / off", "RGB jitter, on / off", "PSNR dB, off", "on"], rows)


def speed_table() -> str:
    """What the runtime was measured to do, each row with its script."""
    int8, start, large, video = (_result(name) for name in ("int8_speed", "start_time", "large_image", "video_memory"))
    rows = [
        (
            "int8_speed",
            "`snet` in int8 at 224x224, times as fast as torch in float32",
            f"{int8['speedup_over_torch']:.1f}",
        ),
        *(
            (
                "throughput",
                f"{run['source']} of {run['num_images']} at {run['width']}x{run['height']}: time over that of the bare "
                "network (frames a second over its own)",
                f"{run['time_ratio']:.2f} ({run['rate_ratio']:.2f})",
            )
            for run in _result("throughput")["runs"]
        ),
        *(
            ("large_image", f"peak memory, 10000x10000 px, {run['case'].replace(':', ' to ')}", _gigabytes(run))
            for run in large["runs"]
        ),
        (
            "video_memory",
            f"growth of memory over {video['num_frames']} frames of 640x480, MB in 1000 frames",
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
            for run in _result("live_latency")["runs"]
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
        "seeds": seeds_table,
        "seeds vcip2020": seeds_vcip2020_table,
        "ablation": ablation_table,
        "cross-validation": partial(cross_validation_table, "vcip_scratch"),
    },
}


def _result(benchmark: str) -> Any:
    return json.loads((RESULTS / f"{benchmark}.json").read_text(encoding="utf-8"))


def _columns(keys: Container[str]) -> list[Column]:
    return [column for column in COLUMNS if column.key in keys]


def _spreads_table(recipes: Mapping[str, Any], shown: Container[str]) -> str:
    """A row for each recipe: how many seeds, and what their scores are."""
    columns = _columns(shown)
    rows = []
    for label, scores in recipes.items():
        seeds = str(len(scores["psnr_db"]["seeds"]))
        rows.append([label, seeds, *(_spread(scores[column.key], column.digits) for column in columns)])
    return table(["recipe", "seeds", *(column.heading for column in columns)], rows)


def _spread(scores: Any, digits: int) -> str:
    """A mean over seeds with the standard deviation of a seed, where there are several."""
    spread = "" if scores["std"] is None else f" ± {scores['std']:.{digits}f}"
    return f"{scores['mean']:.{digits}f}{spread}"


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
