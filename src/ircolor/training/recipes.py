"""Recipes: a run is a named function that returns its whole configuration. No torch in here.

Everything that decides the outcome of a run stands in its recipe; the command line may override epochs and seed.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from ircolor.pairs.augment import Augmentation


@dataclass(frozen=True)
class EdgeNetConfig:
    """The learned loss: `width` and `variant` as `EdgeNet` takes them, and which edges it learns."""

    width: int = 64
    variant: Literal["text", "figure"] = "text"
    target: Literal["canny", "find_edges"] = "canny"


@dataclass(frozen=True)
class Recipe:
    """All that decides how a network is trained.

    Attributes:
        name: of the recipe.
        summary: one line for people.
        net: a name of `NETS`, one that colorizes.
        width: feature maps of its first block.
        edge_net: the learned loss; None trains on the colour loss alone.
        augmentation: how training crops are drawn.
        batch_size: pairs a step, over all processes together.
        sampling: "pairs" visits every pair once an epoch; "pixels" draws as many, in proportion to their pixels, so
            that a large photograph counts for more than a small crop.
        learning_rate: of Adam, for both networks; the largest where there is a schedule.
        schedule: "constant", or "cosine": a linear rise over the first twentieth of the steps, then a cosine to zero.
        epochs: times that as many crops are drawn as there are training pairs.
        validate_every: epochs from one validation (whole images, PSNR, picture grid) to the next.
        checkpoint_every_s: longest time, in s, that a killed process can lose.
        seed: of the weights and of everything drawn.
    """

    name: str
    summary: str
    net: str = "colornet"
    width: int = 64
    edge_net: EdgeNetConfig | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    batch_size: int = 4
    sampling: Literal["pairs", "pixels"] = "pairs"
    learning_rate: float = 1e-4
    schedule: Literal["constant", "cosine"] = "constant"
    epochs: int = 400
    validate_every: int = 2
    checkpoint_every_s: float = 300
    seed: int = 0

    def learning_rate_at(self, step: int, total_steps: int) -> float:
        """The learning rate of a step, counted from 0; a function of these alone, so that resuming needs no state."""
        if self.schedule == "constant":
            return self.learning_rate
        rise_steps = max(total_steps // 20, 1)
        if step < rise_steps:
            return self.learning_rate * (step + 1) / rise_steps
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise_steps) / (total_steps - rise_steps)))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for run folders, checkpoints and cards."""
        return asdict(self)


def recipe_from_json(values: dict[str, Any]) -> Recipe:
    """The recipe that `Recipe.to_json` wrote.

    Raises:
        TypeError: fields that no recipe of this version has.
    """
    values = dict(values)
    if values.get("edge_net") is not None:
        values["edge_net"] = EdgeNetConfig(**values["edge_net"])
    if "augmentation" in values:
        augmentation = dict(values["augmentation"])
        augmentation["scale"] = tuple(augmentation["scale"])
        values["augmentation"] = Augmentation(**augmentation)
    unknown = values.keys() - {known.name for known in fields(Recipe)}
    if unknown:
        raise TypeError(f"unknown recipe fields: {', '.join(sorted(unknown))}")
    return Recipe(**values)


def snet_paper() -> Recipe:
    """The paper: ColorNet and EdgeNet together, L2 losses 1:1, Adam 1e-4, batch 4, 224 px crops, nothing else."""
    return Recipe(
        "snet_paper", "SNet as in the paper: ColorNet trained together with EdgeNet", edge_net=EdgeNetConfig()
    )


def colornet_paper() -> Recipe:
    """The paper's ablation (Fig. 4): the same without EdgeNet."""
    return Recipe("colornet_paper", "the paper's ablation: ColorNet alone")


def snet_short() -> Recipe:
    """The paper's networks and losses within three quarters of an hour on two CPU cores.

    At the paper's constant 1e-4 the loss still falls steeply after such a budget. A ten times larger rate that ends
    at zero gets further. Drawing by pixels matters: three quarters of the 583 pairs of nirscene are 256 px
    landscapes, and a net that sees them that often turns houses green. Zoom to half shows a crop as much of the scene
    as 320 px.
    """
    return Recipe(
        "snet_short",
        "SNet for a CPU budget: the paper's networks and losses, a faster schedule, flips and zoom",
        edge_net=EdgeNetConfig(),
        augmentation=Augmentation(crop_px=160, flip=True, scale=(0.5, 1.0)),
        batch_size=8,
        sampling="pixels",
        learning_rate=1e-3,
        schedule="cosine",
        epochs=15,
        validate_every=8,
    )


def colornet_short() -> Recipe:
    """`snet_short` without EdgeNet, for the comparison."""
    return replace(
        snet_short(), name="colornet_short", summary="ColorNet alone, otherwise as snet_short", edge_net=None
    )


def smoke() -> Recipe:
    """Both networks at a width of 4 on 32 px crops: seconds, to see that everything runs."""
    return Recipe(
        "smoke",
        "a tiny SNet that trains in seconds, to try an installation",
        width=4,
        edge_net=EdgeNetConfig(width=4),
        augmentation=Augmentation(crop_px=32, flip=True, scale=(0.8, 1.25), infrared_gain=0.2, infrared_contrast=0.2),
        learning_rate=1e-3,
        epochs=2,
        validate_every=1,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    recipe.__name__: recipe for recipe in (snet_paper, colornet_paper, snet_short, colornet_short, smoke)
}
