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
    """The learned loss. The defaults are the paper's; the rest are forms of the idea that were tried.

    Attributes:
        width: as `EdgeNet` takes it.
        variant: likewise.
        target: which edges of the true image it learns.
        shown: what it looks at: the difference map; that, of each pair, over its own root mean square; or the
            prediction.
        scales: at how many sizes, each half of the one before; their losses are averaged.
        pull: what its gradient is multiplied by where it reaches the colorizing net: 1 as in the paper, 0 for none;
            below 0 the net hides from EdgeNet what EdgeNet looks for.
        warm_up: the pull rises linearly from 0 over this share of the training.
    """

    width: int = 64
    variant: Literal["text", "figure"] = "text"
    target: Literal["canny", "find_edges"] = "canny"
    shown: Literal["difference", "normalised difference", "prediction"] = "difference"
    scales: int = 1
    pull: float = 1.0
    warm_up: float = 0.0

    def pull_at(self, progress: float) -> float:
        """The pull at a progress from 0, the begin of the training, to 1."""
        return self.pull * min(1.0, progress / self.warm_up) if self.warm_up else self.pull


@dataclass(frozen=True)
class ColorLossConfig:
    """What a wrong colour costs; every number is the weight of a term, 0 to leave it out (`training.color_loss`).

    Attributes:
        pixel: squared (the paper) or charbonnier, which is about the absolute error.
        ssim: of 1 - SSIM.
        coarse: of the error of means over 16 px.
        chroma: of the CIELAB chroma error of means over 4 px.
        rare_chroma: how much more the chroma error counts where the truth is colourful.
        colorfulness: of the difference in mean chroma between a crop and its truth.
        max_shift_px: the truth is shifted by up to so much to fit the prediction; 0 trusts the alignment of the pairs.
    """

    pixel: Literal["squared", "charbonnier"] = "squared"
    ssim: float = 0.0
    coarse: float = 0.0
    chroma: float = 0.0
    rare_chroma: float = 0.0
    colorfulness: float = 0.0
    max_shift_px: int = 0


@dataclass(frozen=True)
class TrustConfig:
    """How the expected error is learned (`training.trust`).

    Attributes:
        folds: parts of the training scenes; the pictures of each are colorized by a net trained on the others.
        fold_epochs: of these nets.
        fold_width: of these nets; None for that of the net itself. Narrow ones err alike, for a fraction of the time.
        steps: of the head, on the errors of these pictures.
    """

    folds: int = 4
    fold_epochs: int = 6
    fold_width: int | None = None
    steps: int = 400


@dataclass(frozen=True)
class Recipe:
    """All that decides how a network is trained.

    Attributes:
        name: of the recipe.
        summary: one line for people.
        net: a name of `NETS`, one that colorizes.
        width: feature maps of its first block.
        edge_net: the learned loss; None trains on the colour loss alone.
        color_loss: what a wrong colour costs.
        trust: also learn the expected error of each pixel; the colours are the same with and without. None for not.
        view_px: shown a picture, the net sees it shrunk to this shorter side (`ircolor.view`); 0 for as it is.
        augmentation: how training crops are drawn.
        batch_size: pairs a step, over all processes together.
        sampling: "pairs" visits every pair once an epoch; "pixels" draws as many, in proportion to their pixels, so
            that a large photograph counts for more than a small crop.
        learning_rate: of Adam, for both networks; the largest where there is a schedule.
        weight_decay: decoupled, of AdamW; 0 is Adam.
        ema: the weights that count are a mean over the last 1 / (1 - ema) steps or so; 0 takes them as they are.
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
    color_loss: ColorLossConfig = field(default_factory=ColorLossConfig)
    trust: TrustConfig | None = None
    view_px: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)
    batch_size: int = 4
    sampling: Literal["pairs", "pixels"] = "pairs"
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    ema: float = 0.0
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
    if values.get("trust") is not None:
        values["trust"] = TrustConfig(**values["trust"])
    if "color_loss" in values:
        values["color_loss"] = ColorLossConfig(**values["color_loss"])
    if "augmentation" in values:
        augmentation = dict(values["augmentation"])
        for name in ("scale", "window"):
            if augmentation.get(name) is not None:
                augmentation[name] = tuple(augmentation[name])
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


# No shifts: in crops as small as these, pairs are aligned to a fraction of a pixel.
_COLORS = ColorLossConfig("squared", ssim=0.25, chroma=2.0, colorfulness=1.0)
# Much of a picture at a time, as its whole is shown later; and the infrared side as other cameras, lamps and nights
# would show it. Small crops save time and lose nothing: scenes are told by their layout.
_CROPS = Augmentation(
    crop_px=96,
    flip=True,
    window=(0.4, 1.0),
    aspect=1.2,
    rotation_deg=5,
    infrared_gain=0.1,
    infrared_contrast=0.1,
    infrared_gamma=1.15,
    infrared_noise=0.03,
)


def snet_plus() -> Recipe:
    """The paper's ColorNet, trained for colour: see docs/training.md for its switches, the research log for why.

    Few epochs: on a few hundred pairs, brightness is learned by heart from then on.
    """
    return Recipe(
        "snet_plus",
        "the paper's ColorNet with a loss for colour and structure, and crops as other cameras would take them",
        color_loss=_COLORS,
        trust=TrustConfig(fold_width=16),
        view_px=224,
        augmentation=_CROPS,
        batch_size=8,
        sampling="pixels",
        learning_rate=1e-3,
        schedule="cosine",
        epochs=6,
        validate_every=3,
    )


def fast() -> Recipe:
    """`snet_plus` at a quarter of its width and seen smaller: for live video on CPUs and for small devices."""
    return replace(
        snet_plus(),
        name="fast",
        summary="a narrow ColorNet for live video on CPUs and small devices, trained as snet_plus",
        width=16,
        view_px=144,
        epochs=10,
        validate_every=5,
    )


def vcip() -> Recipe:
    """For the 372 pairs of the VCIP 2020 challenge, and for its scores, which hardly see colour."""
    return replace(
        fast(),
        name="vcip",
        summary="for the VCIP 2020 challenge: a narrow ColorNet, without the terms for colour",
        color_loss=replace(_COLORS, chroma=0.0, colorfulness=0.0),
        width=32,
        view_px=224,
        trust=None,
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
    recipe.__name__: recipe
    for recipe in (snet_paper, colornet_paper, snet_short, colornet_short, snet_plus, fast, vcip, smoke)
}
