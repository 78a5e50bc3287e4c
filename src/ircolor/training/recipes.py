"""Recipes: a run is a named function that returns its whole configuration. No torch in here.

The command line may override epochs and seed.
"""

from collections.abc import Callable
from dataclasses import replace

from ircolor.grade import UNGRADED, Grade
from ircolor.pairs.augment import Augmentation
from ircolor.training.baseline_recipes import COMPARED, CROPS, colornet
from ircolor.training.recipe import ColorLossConfig, EdgeNetConfig, PerceptualConfig, Recipe, TrustConfig


def snet_paper() -> Recipe:
    """The paper: ColorNet and EdgeNet together, L2 losses 1:1, Adam 1e-4, batch 4, 224 px crops, nothing else."""
    return Recipe(
        "snet_paper", "SNet as in the paper: ColorNet trained together with EdgeNet", edge_net=EdgeNetConfig()
    )


def colornet_paper() -> Recipe:
    """The paper's ablation (Fig. 4): the same without EdgeNet."""
    return Recipe("colornet_paper", "the paper's ablation: ColorNet alone")


def snet_short() -> Recipe:
    """The paper's networks and losses within half an hour on a CPU core.

    At the paper's constant 1e-4 the loss still falls steeply after such a budget. A ten times larger rate that ends
    at zero gets further. Drawing by pixels matters: three quarters of the 583 pairs of nirscene are 256 px
    landscapes, and a net that sees them that often turns houses green. Zoom to half shows a crop as much of the scene
    as 320 px.
    """
    return Recipe(
        "snet_short",
        "SNet for a CPU budget: the paper's networks and losses, a faster schedule, flips and zoom",
        edge_net=EdgeNetConfig(),
        trust=TrustConfig(fold_epochs=10, fold_width=16),
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
        snet_short(),
        name="colornet_short",
        summary="ColorNet alone, otherwise as snet_short",
        edge_net=None,
        trust=None,
    )


# Chosen by cross-validation over scenes of the training pairs (docs/research-log.md). No shifts: in crops as small as
# these, pairs are aligned to a fraction of a pixel.
_COLORS = ColorLossConfig("squared", ssim=0.5, chroma=1.0)
# What these add to colourfulness costs nothing in PSNR where a net knows what things are; gray is no better a guess.
# A picture's cast is not for the net to guess: it is balanced afterwards.
_VIVID = replace(_COLORS, chroma=6.0, colorfulness=3.0, cast=0.0)
# The best for pictures of cross-validation; saturation then brings the colour ratio of val to 0.9.
_GRADE = Grade(cast=0.4, detail=0.6, magenta=0.5)


def snet_plus() -> Recipe:
    """The paper's ColorNet, trained for colour with hints of an encoder that knows photographs (docs/training.md)."""
    return replace(
        colornet(),
        name="snet_plus",
        summary="the paper's ColorNet, told by EfficientNet-Lite0 what things are, and a loss for colour",
        color_loss=_VIVID,
        perceptual=PerceptualConfig(weight=1.0, network="efficientnet"),
        hints=3.0,
        hint_epochs=120,  # what photographs are like is not learned by heart, unlike colours
        view_px=128,
        grade=replace(_GRADE, saturation=1.29),
        trust=TrustConfig(fold_epochs=27, fold_width=16),  # of fewer pairs: as many steps as the net itself
        epochs=48,
        validate_every=4,
    )


def fast() -> Recipe:
    """The best colours at the least work: an encoder that knows photographs, and a narrow decoder that is trained.

    Only its decoder learns, 0.28 million weights: it may go through the pairs more often than nets that learn them by
    heart.
    """
    return replace(
        colornet(),
        name="fast",
        summary="EfficientNet-Lite0 looks, a narrow decoder colours: the best colours, and fast enough for live video",
        net="lite_unet",
        width=32,
        color_loss=_VIVID,
        perceptual=PerceptualConfig(weight=3.0, network="efficientnet"),
        view_px=128,
        grade=replace(_GRADE, saturation=1.34),
        augmentation=Augmentation(crop_px=128, flip=True, window=(0.5, 1.0)),
        trust=TrustConfig(fold_epochs=12),
        epochs=24,
        validate_every=8,
    )


def narrow_colornet() -> Recipe:
    """A quarter of the paper's width, without hints: what switches of the loss are tried with, minutes a training.

    Few epochs: on a few hundred pairs, brightness is learned by heart from then on.
    """
    return replace(
        colornet(),
        name="narrow_colornet",
        summary="a ColorNet 16 wide, with a loss for colour and structure",
        width=16,
        color_loss=_COLORS,
        view_px=144,
        validate_every=3,
    )


def vcip() -> Recipe:
    """For the 372 pairs of the VCIP 2020 challenge: `fast` without trust. A perceptual loss costs 0.3 dB there."""
    return replace(
        fast(),
        name="vcip",
        summary="for the VCIP 2020 challenge: EfficientNet-Lite0 looks, a narrow decoder colours",
        perceptual=None,
        grade=Grade(cast=0.4, saturation=1.1, magenta=0.7),
        trust=None,
        seed=1,
    )


def vcip_scratch() -> Recipe:
    """As `vcip`, of the 372 pairs and nothing else: no encoder that has seen photographs.

    The challenge's pictures are small, and shown smaller: crops that show most of one are what the net sees later
    (`benchmarks/cross_validation.py`).
    """
    return replace(
        narrow_colornet(),
        name="vcip_scratch",
        summary="for the VCIP 2020 challenge, of its pairs alone: a narrow ColorNet, without the terms for colour",
        color_loss=replace(_COLORS, chroma=0.0),
        width=32,
        view_px=96,
        augmentation=replace(CROPS, window=(0.8, 1.0)),
        epochs=10,
        validate_every=5,
    )


def paper_like() -> Recipe:
    """For protocol `paper-like`, whose test shows the scenes of training again, as the paper's does.

    What counts there is to know the places by heart: a wide decoder, no mirror images, nearly whole pictures.
    """
    return replace(
        fast(),
        name="paper_like",
        summary="for protocol paper-like alone: fast with a wide decoder, to know its places by heart",
        width=96,
        color_loss=_COLORS,
        perceptual=None,
        view_px=128,
        grade=UNGRADED,
        augmentation=Augmentation(crop_px=128, window=(0.8, 1.0)),
        batch_size=16,
        learning_rate=2e-3,
        trust=None,
        epochs=72,
        validate_every=8,
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
    for recipe in (
        snet_paper,
        colornet_paper,
        snet_short,
        colornet_short,
        snet_plus,
        fast,
        narrow_colornet,
        vcip,
        vcip_scratch,
        paper_like,
        *COMPARED,
        smoke,
    )
}
