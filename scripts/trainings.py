"""The tables of trainings, from the results of benchmarks: recipes over seeds, and one change at a time."""

from collections.abc import Container, Mapping
from typing import Any

from markdown_table import table
from results import columns_of, result

SHOWN_OF_TRAININGS = ("psnr_db", "ssim", "delta_e_2000", "chroma_gain", "colorfulness_ratio")
# Of recipes over seeds on nirscene, by the file of their results, in the order of their table.
SEEDS = {
    "seeds_snet_paper": "`snet_paper`: 32 of its 400 epochs, the best on val",
    "seeds_snet": "`snet`: ColorNet and EdgeNet, the paper's losses",
    "seeds_snet_plus": "`snet_plus`",
    "seeds_narrow_colornet": "`narrow_colornet`: 16 wide, without hints",
    "seeds_fast": "`fast`",
}
# Likewise on vcip2020.
SEEDS_VCIP2020 = {
    "seeds_snet_paper_vcip2020": "`snet_paper`: 28 of its 400 epochs, the best on these 22",
    "seeds_narrow_colornet_vcip2020": "`narrow_colornet`",
    "seeds_snet_plus_vcip2020": "`snet_plus`",
    "seeds_fast_vcip2020": "`fast`",
    "seeds_vcip": "`vcip`",
    "ensemble_vcip2020": "the mean colours of one `vcip` and one `snet_plus`",
}


def seeds_table(recipes: Mapping[str, str], split: str, shown: Container[str]) -> str:
    """Recipes over seeds, in float32: means, with the standard deviation of a seed.

    Args:
        recipes: what to call each, by the file of its results.
        split: of the scores.
        shown: keys of the scores.
    """
    columns = columns_of(shown)
    rows = []
    for file, label in recipes.items():
        found = result(file)["splits"][split]
        scores = found.get("mean", found)  # of an ensemble, not of its nets
        seeds = str(len(scores["psnr_db"]["seeds"]))
        rows.append([label, seeds, *(_spread(scores[column.key], column.digits) for column in columns)])
    return table(["recipe", "seeds", *(column.heading for column in columns)], rows)


def edgenet_table() -> str:
    """ColorNet with and without EdgeNet: means over seeds, with the standard deviation of a seed."""
    shown = {"psnr_db": 2, "ssim": 3, "gradient_error": 2, "chroma_gain": 3}  # with digits
    rows = []
    for protocol, splits in result("edgenet")["protocols"].items():
        *_, split = splits
        rows.append([f"**{protocol}, {split}**"])
        for form, scores in splits[split].items():
            rows.append([form, *(_spread(scores[key], digits) for key, digits in shown.items())])
    return table(["", "PSNR dB", "SSIM", "gradient error", "chroma gain"], rows)


def ablation_table() -> str:
    """What each switch of `narrow_colornet` is worth on nirscene val: over seeds, then one change at a time."""
    study = result("ablation")
    columns = columns_of(SHOWN_OF_TRAININGS)
    spreads = study["narrow_colornet"]
    rows = [["`narrow_colornet`, three seeds", *(_spread(spreads[column.key], column.digits) for column in columns)]]
    for change, scores in study["changes"].items():
        rows.append([change, *(column.text(scores) for column in columns)])
    return table(["", *(column.heading for column in columns)], rows)


def cross_validation_table(recipe: str) -> str:
    """What changes of a recipe are worth on pictures that its nets had not seen: means over the parts."""
    columns = columns_of((*SHOWN_OF_TRAININGS, "angular_error_deg"))
    rows = (
        [change, *(f"{scores[column.key]['mean']:.{column.digits}f}" for column in columns)]
        for change, scores in result(f"cross_validation_{recipe}")["changes"].items()
    )
    return table([f"`{recipe}`", *(column.heading for column in columns)], rows)


def _spread(scores: Any, digits: int) -> str:
    """A mean over seeds with the standard deviation of a seed, where there are several."""
    spread = "" if scores["std"] is None else f" ± {scores['std']:.{digits}f}"
    return f"{scores['mean']:.{digits}f}{spread}"
