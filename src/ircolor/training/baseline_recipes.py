"""Recipes of the comparison: the systems of the paper, each with its own losses, all within one budget."""

from dataclasses import replace
from typing import Any

from ircolor.pairs.augment import Augmentation
from ircolor.training.recipe import AdversaryConfig, ColorLossConfig, EdgeNetConfig, PerceptualConfig, Recipe

# Much of a picture at a time, as its whole is shown later. Small crops save time and lose nothing: scenes are told by
# their layout. Nothing else is changed: brightness and orientation tell what a thing is, and noise is gone where a
# picture is seen small.
CROPS = Augmentation(crop_px=96, flip=True, window=(0.4, 1.0))


def _baseline(name: str, summary: str, width: int, **changes: Any) -> Recipe:
    """One budget and one way to draw crops for all; each with the losses of its publication."""
    return replace(
        Recipe(
            name,
            summary,
            net=name,
            width=width,
            view_px=224,
            augmentation=CROPS,
            batch_size=8,
            sampling="pixels",
            learning_rate=1e-3,
            schedule="cosine",
            epochs=6,
            validate_every=6,
        ),
        **changes,
    )


def snet() -> Recipe:
    """SNet of the paper within the budget of the comparison: ColorNet and EdgeNet, L2 losses 1:1."""
    return _baseline("snet", "SNet of the paper, as trained for the comparison", 64, net="colornet",
                     edge_net=EdgeNetConfig())  # fmt: skip


def colornet() -> Recipe:
    """ColorNet alone within the budget of the comparison."""
    return _baseline("colornet", "ColorNet of the paper alone, as trained for the comparison", 64)


def iizuka() -> Recipe:
    """Reference [1], with RGB output."""
    return _baseline("iizuka", "Iizuka et al. 2016: local and global features, RGB output", 64)


def iizuka_chroma() -> Recipe:
    """Reference [1] as published in that chroma alone is predicted, on the infrared image as luminance."""
    return _baseline("iizuka_chroma", "Iizuka et al. 2016 as published: only chroma is predicted", 64,
                     color_loss=ColorLossConfig("squared_chroma"))  # fmt: skip


def zhang() -> Recipe:
    """Reference [11], with lightness predicted too."""
    return _baseline("zhang", "Zhang et al. 2016: classes of chroma, and lightness", 64, learning_rate=3e-4)


def zhang_chroma() -> Recipe:
    """Reference [11] as published in that chroma alone is predicted, on the infrared image as lightness."""
    return replace(
        zhang(),
        name="zhang_chroma",
        net="zhang_chroma",
        summary="Zhang et al. 2016 as published: only chroma is predicted",
    )


def johnson() -> Recipe:
    """Reference [15]: perceptual loss, with the squared error of pixels beside it."""
    return _baseline(
        "johnson", "Johnson et al. 2016: residual blocks, perceptual loss", 32, perceptual=PerceptualConfig()
    )


def limmer() -> Recipe:
    """Reference [12]."""
    return _baseline("limmer", "Limmer and Lensch 2016: locally normalised pyramid, joint filter", 16)


def suarez() -> Recipe:
    """Reference [2]: three generators and a DCGAN discriminator, on patches."""
    return _baseline(
        "suarez",
        "Suarez et al. 2017: a DCGAN with a generator for each channel",
        32,
        augmentation=Augmentation(crop_px=64, flip=True, window=(0.25, 0.65)),
        adversary=AdversaryConfig("dcgan"),
        learning_rate=2e-4,
        momentum=0.5,
    )


def pix2pix() -> Recipe:
    """Isola et al. 2017: what a practitioner would take today."""
    return _baseline(
        "pix2pix",
        "Isola et al. 2017: U-Net against a 70x70 PatchGAN, L1 x 100",
        64,
        color_loss=ColorLossConfig("charbonnier"),
        adversary=AdversaryConfig("patch", weight=0.03),  # L1 is summed over three channels: 100 to 1
        learning_rate=2e-4,
        momentum=0.5,
    )


COMPARED = (snet, colornet, iizuka, iizuka_chroma, zhang, zhang_chroma, johnson, limmer, suarez, pix2pix)
