"""The tables of the comparison with the systems of the paper, from the reports of `ircolor compare`."""

import json
from pathlib import Path
from statistics import mean
from typing import Any

from ircolor.evaluation.systems_tables import SCORES
from markdown_table import table

COMPARED = Path(__file__).parents[1] / "runs" / "compare"
# Of the comparison, in the order of its tables, with the paper's PSNR.
SYSTEMS = {
    "infrared-copy": ("infrared copied to three channels", "13.89"),
    "true-chroma": ("true chroma on infrared luminance", ""),
    "cubic-curve": ("cubic curve per pixel", ""),
    "snet": ("**SNet**: ColorNet + EdgeNet", "22.53"),
    "colornet": ("ColorNet alone", ""),
    "iizuka": ("Iizuka et al. [1], RGB output", ""),
    "iizuka_chroma": ("Iizuka et al. [1], chroma only, as published", "14.07"),
    "zhang": ("Zhang et al. [11], lightness predicted, too", ""),
    "zhang_chroma": ("Zhang et al. [11], chroma only, as published", "14.03"),
    "johnson": ("Johnson et al. [15]", "14.09"),
    "limmer": ("Limmer and Lensch [12]", ""),
    "suarez": ("Suárez et al. [2]", ""),
    "pix2pix": ("pix2pix (Isola et al. 2017)", ""),
}


def paper_table() -> str:
    """Table 1 of the paper anew, in short: the systems on both protocols."""
    nirscene, paper_like = (_compared(protocol) for protocol in ("nirscene", "paper-like"))
    headings = [
        "",
        "paper: PSNR dB",
        "`nirscene`: PSNR dB",
        "SSIM",
        "CIEDE 2000",
        "chroma gain",
        "`paper-like`: PSNR dB",
        "SSIM",
    ]
    rows = []
    for name, (label, published) in SYSTEMS.items():
        ours, leaky = nirscene[name]["mean"], paper_like[name]["mean"]
        cells = [
            label,
            published,
            _with_error(nirscene[name], "psnr_db"),
            f"{ours['ssim']:.3f}",
            f"{ours['delta_e_2000']:.2f}",
            f"{ours['chroma_gain']:.3f}",
            _with_error(paper_like[name], "psnr_db"),
            f"{leaky['ssim']:.3f}",
        ]
        rows.append(cells)
    return table(headings, rows)


def systems_table(protocol: str) -> str:
    """All scores of the systems on the test images of a protocol, and how far their PSNR lies from SNet's."""
    headings = ["", "PSNR dB", "less SNet's (95 %)", *(column.heading for column in SCORES[1:])]
    rows = []
    for name, system in _compared(protocol).items():
        less = system["minus_snet"].get("psnr_db")
        apart = f"{less['mean']:+.2f} ({less['low']:+.2f} to {less['high']:+.2f})" if less else ""
        cells = [f"`{name}`", _with_error(system, "psnr_db"), apart]
        rows.append([*cells, *(column.text(system["mean"]) for column in SCORES[1:])])
    return table(headings, rows)


def cost_table() -> str:
    """What the systems cost, on nirscene: parameters, work, times, training."""
    headings = [
        "",
        "10^6 parameters",
        "seen at px",
        "GFLOP at 224",
        "ms at 224x224",
        "at 640x480",
        "epochs",
        "minutes",
        "trainings",
    ]
    rows = []
    for name, system in _compared("nirscene").items():
        if "num_parameters" in system:
            cells = [
                f"`{name}`",
                f"{system['num_parameters'] / 1e6:.1f}",
                f"{system['view_px']}",
                f"{system['gflop_224']:.1f}",
                *(f"{milliseconds:.0f}" for milliseconds in system["latency_ms"].values()),
                f"{system['epochs'][0]}",
                f"{mean(system['train_seconds']) / 60:.1f}",
                f"{len(system['seeds'])}",
            ]
            rows.append(cells)
    return table(headings, rows)


def _compared(protocol: str) -> dict[str, Any]:
    """The systems of a comparison on test images, by name."""
    systems: dict[str, Any] = json.loads((COMPARED / f"{protocol}-test.json").read_text(encoding="utf-8"))["systems"]
    return systems


def _with_error(system: Any, key: str) -> str:
    return f"{system['mean'][key]:.2f} ± {system['standard_error'][key]:.2f}"
