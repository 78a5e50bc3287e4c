"""Whether a transform is to be trusted.

The main witness is the block-wise residual: under a wrong transform each block still finds some best place, but these
places scatter over the whole search window, and few blocks find one that stands out at all. On the 140 pairs of the
registration benchmark, half of the telling blocks or more agree with right transforms, and one in ten or less with
wrong ones.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ircolor.media.images import Image
from ircolor.media.intensity import depth_in_use
from ircolor.registration.candidate import Candidate
from ircolor.registration.resample import shrink
from ircolor.registration.result import Verdict
from ircolor.registration.structure import Map, gradient, to_luma

# Blocks that agree: fewer than the first reject the pair, fewer than the second ask for a look.
MIN_AGREED, SAFE_AGREED = 10, 20
# Images that have room for fewer blocks can hardly bring so many to agree.
SMALL_ROOM = 2 * SAFE_AGREED
# The same of their share in the telling blocks.
MIN_AGREEMENT, SAFE_AGREEMENT = 0.25, 0.5
# And of their share in all blocks of the overlap.
MIN_COVERAGE, SAFE_COVERAGE = 0.03, 0.2
# The best of all transforms between two different scenes may well bring a dozen blocks to agree, but in one corner.
MIN_COVERAGE_OF_FEW = 0.1
# What is safe for a model that bends what lies beyond the evidence.
SAFE_COVERAGE_RICHER = 0.5
SAFE_OVERLAP = 0.3
# Of the long side of the infrared image: displacements of the typical block that spoil training.
MAX_RESIDUAL = 0.003
# On 0..255. Below the first, an image shows nothing to align; below the second little to learn from.
BLANK_SPREAD, FLAT_SPREAD = 1.0, 6.0
DARK_LEVEL, BRIGHT_LEVEL = 12.0, 243.0
# An image has texture where this share of it slopes by so many gray levels a px, at a long side so small that the noise
# of a dark frame is averaged out.
TEXTURE_SHARE, TEXTURE_SLOPE, TEXTURE_PX = 0.25, 4.0, 64
# Two cameras never see quite the same, not even of a gray world.
SAME_CORRELATION = 0.999


@dataclass
class Doubts:
    """What speaks against a pair; the worst of it is the verdict."""

    rejecting: list[str] = field(default_factory=list)
    reviewing: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """Reject, review, or accept where nothing speaks against it."""
        return "reject" if self.rejecting else "review" if self.reviewing else "accept"

    @property
    def reason(self) -> str:
        """All of it in one line, the grave first."""
        return "; ".join(self.rejecting + self.reviewing)

    def weigh(self, value: float, least: float, safe: float, what: str) -> None:
        """Reject below `least`, review below `safe`."""
        if value < least:
            self.rejecting.append(what)
        elif value < safe:
            self.reviewing.append(what)


def doubt_exposure(doubts: Doubts, pixels: Image, name: str, trusted: bool) -> None:
    """Name an image that is blank, nearly so, or far too dark or bright; or that few of its values tell apart.

    Args:
        doubts: gets what is found.
        pixels: (H, W) or (H, W, 3), of any depth, at the size that the pair is aligned at: noise counts less there.
        name: of the image, in the line.
        trusted: the transform is known from elsewhere, so that a blank image does not make it wrong.
    """
    gray = to_luma(pixels, "auto")
    spread, level = float(gray.std()), float(np.median(gray))
    if spread < FLAT_SPREAD and pixels.dtype == np.uint16 and float(to_luma(pixels).std()) >= FLAT_SPREAD:
        low, high = np.percentile(pixels, (1, 99))
        doubts.reviewing.append(
            f"the {name} image uses {high - low + 1:.0f} of its 65536 values; spread them before training on it"
        )
    elif spread < BLANK_SPREAD:
        (doubts.reviewing if trusted else doubts.rejecting).append(f"the {name} image is blank")
    elif level < DARK_LEVEL and spread < FLAT_SPREAD:
        doubts.reviewing.append(f"the {name} image is nearly black")
    elif level > BRIGHT_LEVEL:
        doubts.reviewing.append(f"the {name} image is overexposed")
    elif spread < FLAT_SPREAD:
        doubts.reviewing.append(f"the {name} image has hardly any contrast")


def doubt_depth(doubts: Doubts, rgb: Image) -> None:
    """Name an RGB image (H, W, 3) of 10 to 14 bits: it is read as one of 16, and so as a dark one."""
    if rgb.dtype == np.uint16 and (bits := depth_in_use(int(rgb.max()))) < 16:
        doubts.reviewing.append(
            f"the RGB image uses {bits} of its 16 bits, so it is dark; multiply it by {1 << 16 - bits}"
        )


def doubt_sameness(doubts: Doubts, warped: Map, infrared: Map, valid: NDArray[np.bool_]) -> None:
    """Reject a pair whose infrared image (H, W) is but the luma of the warped RGB image."""
    first, second = warped[valid], infrared[valid]
    shown = len(first) > 0 and min(first.std(), second.std()) > BLANK_SPREAD
    if shown and np.corrcoef(first, second)[0, 1] > SAME_CORRELATION:
        doubts.rejecting.append("the infrared image is a gray copy of the RGB image")


def doubt_trusted(doubts: Doubts, found: Candidate, rgb: Map, infrared: Map) -> None:
    """Weigh what the blocks say of a transform that is known from elsewhere: from a rig, or from points by hand.

    A pair without texture says nothing against it. One with texture of which no blocks match does: under a wrong
    transform, few blocks find any place.

    Args:
        doubts: gets what is found.
        found: the transform.
        rgb: (H, W), luma of the RGB image, on 0..255.
        infrared: (h, w) on 0..255.
    """
    if found.num_telling >= MIN_AGREED:
        doubt_evidence(doubts, found, trusted=True)
    elif _is_textured(rgb) and _is_textured(infrared):
        doubts.reviewing.append(f"both images show texture, but only {found.support} blocks agree")


def doubt_evidence(doubts: Doubts, found: Candidate, trusted: bool = False) -> None:
    """Weigh what the blocks say of a transform.

    Args:
        doubts: gets what is found.
        found: the transform.
        trusted: it is known from elsewhere, so that what lies beyond the evidence is no worse known.
    """
    agree = f"{found.support} of {found.num_telling} blocks agree"
    room = found.residual.num_blocks
    few = f"too small to be sure, with room for {room} blocks" if room < SMALL_ROOM else "little that matches"
    doubts.weigh(found.support, MIN_AGREED, SAFE_AGREED, f"{few}: {agree}")
    doubts.weigh(found.agreement, MIN_AGREEMENT, SAFE_AGREEMENT, f"contradictory: only {agree}")
    safe_coverage = SAFE_COVERAGE if found.model == "similarity" or trusted else SAFE_COVERAGE_RICHER
    min_coverage = MIN_COVERAGE if found.support >= SAFE_AGREED else MIN_COVERAGE_OF_FEW
    doubts.weigh(
        found.coverage, min_coverage, safe_coverage, f"evidence in {100 * found.coverage:.0f} % of the overlap only"
    )
    overlap = float(found.valid.mean())
    doubts.weigh(overlap, 0, SAFE_OVERLAP, f"the RGB image covers {100 * overlap:.0f} % of the infrared image only")
    median_px = float(np.median(found.residual.lengths_px)) if found.num_telling else float("nan")
    if median_px > MAX_RESIDUAL * max(found.valid.shape):
        doubts.reviewing.append(f"a typical displacement of {median_px:.1f} px is left")


def _is_textured(gray: Map) -> bool:
    slope = gradient(shrink(gray, TEXTURE_PX)[0])[2] / 8  # the sum of Sobel's weights
    return bool((slope > TEXTURE_SLOPE).mean() > TEXTURE_SHARE)
