"""Two cameras bolted together: one transform for all their frames, estimated jointly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ircolor.errors import UserError
from ircolor.registration.consensus import find_consensus
from ircolor.registration.estimate import Estimate, ModelChoice
from ircolor.registration.result import ModelName
from ircolor.registration.transforms import FITS, Warp, apply_matrix

# Noise of right matches between frames, of the spread of the points: shake, parallax, and the frame's own error.
RIG_SIGMA = 0.002
# A frame of which the typical match is further off than this many sigmas contradicts the rig.
OUTLIER_SIGMAS = 4.0
MIN_FRAMES = 2
# No frame counts for more than this, however much texture it has.
MATCHES_PER_FRAME = 100
RICHER_GAIN = 1.1
SEED = 2018


@dataclass(frozen=True, eq=False)
class Rig:
    """What the frames of a rig say together.

    Attributes:
        warp: the transform that they share.
        num_frames: how many frames agree with it; 0 where it is as given, as too few show enough to tell.
        outliers: positions of the frames that have evidence and contradict it.
    """

    warp: Warp
    num_frames: int
    outliers: tuple[int, ...]


def find_rig(estimates: Sequence[Estimate], model: ModelChoice = "auto", given: Warp | None = None) -> Rig:
    """Estimate the transform that frames share from the matches of all of them.

    Args:
        estimates: of single frames; those without evidence may be among them.
        model: what to fit; `auto` takes the simplest that explains the matches of all frames together.
        given: the transform that points by hand say, for frames that show too little.

    Raises:
        UserError: too few frames agree with each other.
    """
    rng = np.random.default_rng(SEED)
    voters = [number for number, one in enumerate(estimates) if one.verdict != "reject" and len(one.matches.rgb)]
    chosen = [rng.permutation(len(estimates[number].matches.rgb))[:MATCHES_PER_FRAME] for number in voters]
    if len(voters) < MIN_FRAMES:
        if given:
            return Rig(given, 0, ())
        few = "leave out --rig, or give more frames" if len(estimates) < MIN_FRAMES else "give frames"
        raise UserError(
            f"the rig: {len(voters)} of {len(estimates)} frames show enough to estimate it, {MIN_FRAMES} are needed; "
            f"{few} of textured scenes by daylight, or points by hand with --points"
        )
    source = np.vstack([estimates[number].matches.rgb[rows] for number, rows in zip(voters, chosen, strict=True)])
    target = np.vstack([estimates[number].matches.infrared[rows] for number, rows in zip(voters, chosen, strict=True)])
    sigma_px = RIG_SIGMA * float(np.ptp(target, axis=0).max())
    models: tuple[ModelName, ...] = tuple(FITS) if model == "auto" else (model,)
    best = None
    for name in models:
        found = find_consensus(source, target, name, sigma_px)
        if found and (best is None or found.weights.sum() > RICHER_GAIN * best[1].weights.sum()):
            best = name, found
    frame_of = np.repeat(voters, [len(rows) for rows in chosen])
    outliers: list[int] = []
    if best:
        errors_px = np.linalg.norm(apply_matrix(best[1].matrix, source) - target, axis=1)
        outliers = [n for n in voters if np.median(errors_px[frame_of == n]) > OUTLIER_SIGMAS * sigma_px]
    if best is None or len(voters) - len(outliers) < max(MIN_FRAMES, len(voters) / 2):
        raise UserError(
            f"the rig: of {len(voters)} frames with evidence, no half share one transform; did the cameras move "
            "against each other? Register the parts of the recording apart, or without --rig"
        )
    return Rig(Warp(best[0], best[1].matrix), len(voters) - len(outliers), tuple(outliers))
