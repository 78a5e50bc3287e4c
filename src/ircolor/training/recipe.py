"""What a recipe is: everything that decides the outcome of a run. No torch in here."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from ircolor.edge_maps import EdgeTarget
from ircolor.errors import UserError
from ircolor.grade import UNGRADED, Grade
from ircolor.pairs.augment import Augmentation
from ircolor.view import View


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
    target: EdgeTarget = "canny"
    shown: Literal["difference", "normalised difference", "prediction"] = "difference"
    scales: int = 1
    pull: float = 1.0
    warm_up: float = 0.0

    def pull_at(self, progress: float) -> float:
        """The pull at a progress from 0, the begin of the training, to 1."""
        return self.pull * min(1.0, progress / self.warm_up) if self.warm_up else self.pull


@dataclass(frozen=True)
class AdversaryConfig:
    """A network that learns to tell true colours from predicted ones, while these learn to pass (Goodfellow et al.).

    Both take their step at once, each with the other as it was before.

    Attributes:
        kind: patch, the 70x70 PatchGAN of Isola et al. 2017; or dcgan, one answer a crop (Radford et al. 2016).
        width: feature maps of its first layer.
        weight: of what the predictions are blamed for, beside the colour loss.
    """

    kind: Literal["patch", "dcgan"] = "patch"
    width: int = 64
    weight: float = 0.01


@dataclass(frozen=True)
class PerceptualConfig:
    """A difference of features, in place of pixels (Johnson et al. 2016); see `training.loss_network`.

    Attributes:
        weight: of the features' squared error over their mean square, beside the colour loss.
        network: that gives the features: own is VGG-16 from a file, or else one that learns from the training pairs;
            efficientnet is EfficientNet-Lite0 with its published weights.
        steps: for which our own learns.
    """

    weight: float = 1.0
    network: Literal["own", "efficientnet"] = "own"
    steps: int = 300


@dataclass(frozen=True)
class ColorLossConfig:
    """What a wrong colour costs; every number is the weight of a term, 0 to leave it out (`training.color_loss`).

    Attributes:
        pixel: squared (the paper); charbonnier, which is about the absolute error; squared_chroma, of CIELAB chroma
            alone; or none.
        ssim: of 1 - SSIM.
        coarse: of the error of means over 16 px.
        chroma: of the CIELAB chroma error of means over 4 px.
        rare_chroma: how much more the chroma error counts where the truth is colourful.
        colorfulness: of the difference in mean chroma between a crop and its truth.
        cast: share of each crop's mean colour that these three see; 0 leaves them the differences within a crop.
        max_shift_px: the truth is shifted by up to so much to fit the prediction; 0 trusts the alignment of the pairs.
    """

    pixel: Literal["squared", "charbonnier", "squared_chroma", "none"] = "squared"
    ssim: float = 0.0
    coarse: float = 0.0
    chroma: float = 0.0
    rare_chroma: float = 0.0
    colorfulness: float = 0.0
    cast: float = 1.0
    max_shift_px: int = 0


@dataclass(frozen=True)
class TrustConfig:
    """How the expected error is learned (`training.trust`).

    Attributes:
        folds: parts of the training scenes; the pictures of each are colorized by a net trained on the others.
        fold_epochs: of these nets, without epochs of hints: they err where the net itself does, if somewhat more.
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
        adversary: a second learned loss, of an adversary.
        perceptual: a loss on features of a network that was trained before.
        hints: weight of how badly the features of a ColorNet tell those of an encoder that was trained on photographs
            (`training.hints`), beside the colour loss; 0 for none.
        hint_epochs: before all others, in which these features alone are learned.
        teacher_share: how much of the target is what teachers say, where a run is given any; the rest is the truth.
        trust: also learn the expected error of each pixel; the colours are the same with and without. None for not.
        view_px: shown a picture, the net sees it shrunk to this shorter side (`ircolor.view`); 0 for as it is.
        grade: of the colours of a whole picture; the loss does not see it.
        augmentation: how training crops are drawn.
        batch_size: pairs a step, over all processes together.
        sampling: "pairs" visits every pair once an epoch; "pixels" draws as many, in proportion to their pixels, so
            that a large photograph counts for more than a small crop.
        half_residual_px: pairs that are misaligned by so much, as their index says, are drawn half as often, and those
            misaligned by more less often still; 0 to draw them all alike.
        learning_rate: of Adam, for both networks; the largest where there is a schedule.
        momentum: of Adam, its first decay rate.
        weight_decay: decoupled, of AdamW; 0 is Adam.
        ema: the weights that count are a mean over the last 1 / (1 - ema) steps or so; 0 takes them as they are.
        schedule: "constant", or "cosine": a linear rise over the first twentieth of the steps, then a cosine to zero;
            the epochs of hints have their own.
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
    adversary: AdversaryConfig | None = None
    perceptual: PerceptualConfig | None = None
    hints: float = 0.0
    hint_epochs: int = 0
    teacher_share: float = 0.5
    trust: TrustConfig | None = None
    view_px: int = 0
    grade: Grade = UNGRADED
    augmentation: Augmentation = field(default_factory=Augmentation)
    batch_size: int = 4
    sampling: Literal["pairs", "pixels"] = "pairs"
    half_residual_px: float = 0.0
    learning_rate: float = 1e-4
    momentum: float = 0.9
    weight_decay: float = 0.0
    ema: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    epochs: int = 400
    validate_every: int = 2
    checkpoint_every_s: float = 300
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise UserError for a recipe that cannot be trained."""
        if self.hint_epochs and not self.hints:
            raise UserError(f"recipe {self.name}: {self.hint_epochs} epochs of hints without hints; give both, or none")

    @property
    def view(self) -> View:
        """How the net is shown pictures, and what becomes of its colours."""
        return View(self.view_px, self.grade)

    def num_steps(self, steps_per_epoch: int) -> int:
        """Of the whole training."""
        return (self.hint_epochs + self.epochs) * steps_per_epoch

    def num_hint_steps(self, total_steps: int) -> int:
        """How many steps of a whole training come before the first that colours."""
        return total_steps * self.hint_epochs // (self.hint_epochs + self.epochs)

    def learning_rate_at(self, step: int, total_steps: int) -> float:
        """The learning rate of a step, counted from 0; a function of these alone, so that resuming needs no state."""
        if self.schedule == "constant":
            return self.learning_rate
        hint_steps = self.num_hint_steps(total_steps)
        if step < hint_steps:
            total_steps = hint_steps
        else:
            step, total_steps = step - hint_steps, total_steps - hint_steps
        rise_steps = max(total_steps // 20, 1)
        if step < rise_steps:
            return self.learning_rate * (step + 1) / rise_steps
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise_steps) / (total_steps - rise_steps)))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for run folders, checkpoints and cards."""
        return asdict(self)


_CONFIGS = {
    "edge_net": EdgeNetConfig,
    "color_loss": ColorLossConfig,
    "adversary": AdversaryConfig,
    "perceptual": PerceptualConfig,
    "trust": TrustConfig,
    "grade": Grade,
}


def recipe_from_json(values: dict[str, Any]) -> Recipe:
    """The recipe that `Recipe.to_json` wrote.

    Raises:
        TypeError: fields that no recipe of this version has.
    """
    values = dict(values)
    for name, config in _CONFIGS.items():
        if values.get(name) is not None:
            values[name] = config(**values[name])
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


def differences(values: dict[str, Any], recipe: Recipe) -> list[str]:
    """In what a recipe differs from that which a run wrote when it began; its name alone where they share none.

    Fields that recipes got since have their defaults.
    """
    try:
        begun = recipe_from_json(values)
    except TypeError:  # of another version
        return ["recipe"]
    if begun.name != recipe.name:
        return ["recipe"]
    decisive = [known.name for known in fields(Recipe) if known.name != "summary"]
    return [name for name in decisive if getattr(begun, name) != getattr(recipe, name)]
