"""Feed pairs to training: in memory when they fit, and the same crops in the same order whenever asked again.

All chance is a function of the seed and the number of the draw, never of a generator that runs along: a resumed run
draws what the uninterrupted one would have drawn, with any number of workers.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from ircolor.pairs.augment import Augmentation
from ircolor.pairs.index import Decoded, Pair, check_pairs
from ircolor.pairs.protocols import training_pairs

EdgeMap = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True)
class LoadedPairs:
    """Pairs that were read and found sound.

    Attributes:
        pairs: all of them.
        decoded: their pixels; None when they did not fit the memory budget: they are then read when needed.
        num_pixels: of each pair.
    """

    pairs: Sequence[Pair]
    decoded: list[Decoded] | None
    num_pixels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, number: int) -> Decoded:
        """Infrared (H, W) and RGB (H, W, 3), uint8; mask (H, W) bool, or None."""
        return self.pairs[number].read_masked() if self.decoded is None else self.decoded[number]

    @property
    def num_masks(self) -> int:
        """How many of the pairs have a mask."""
        return sum(pair.mask is not None for pair in self.pairs)

    def chances(self, by_pixels: bool, half_residual_px: float) -> NDArray[np.float64] | None:
        """How likely each pair is to be drawn, of 1 in all; None where all are drawn alike.

        Args:
            by_pixels: in proportion to its pixels.
            half_residual_px: half as likely where it is misaligned by so much (`Pair.residual_px`), less still where by
                more; 0 for no matter.

        Raises:
            UserError: an index tells a misalignment that is no number.
        """
        if not (by_pixels or half_residual_px):
            return None
        chances: NDArray[np.float64] = self.num_pixels.astype(np.float64) if by_pixels else np.ones(len(self))
        if half_residual_px:
            residuals_px = np.array([pair.residual_px for pair in self.pairs])
            chances /= 1 + (residuals_px / half_residual_px) ** 2
        return np.asarray(chances / chances.sum())

    @property
    def digest(self) -> str:
        """Tells whether two runs saw the same pairs: by names, sizes and whether masked, not by their pixels."""
        names = "\n".join(
            f"{pair.stem} {size}{' masked' if pair.mask else ''}"
            for pair, size in zip(self.pairs, self.num_pixels, strict=True)
        )
        return hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()[:16]

    def part(self, start: int, end: int) -> "LoadedPairs":
        """Those from one number to another (exclusive)."""
        decoded = None if self.decoded is None else self.decoded[start:end]
        return LoadedPairs(self.pairs[start:end], decoded, self.num_pixels[start:end])


def load_pairs(pairs: Sequence[Pair], budget_bytes: int) -> LoadedPairs:
    """Decode all pairs once, checking every one; keep them in memory if they fit `budget_bytes`.

    Raises:
        UserError: names every pair that is broken or mismatched.
    """
    kept: list[Decoded] | None = []
    num_pixels = []
    used_bytes = 0
    for infrared, rgb, mask in check_pairs(pairs):
        used_bytes += infrared.nbytes + rgb.nbytes + (0 if mask is None else mask.nbytes)
        num_pixels.append(infrared.size)
        if kept is not None:
            kept.append((infrared, rgb, mask))
            if used_bytes > budget_bytes:
                kept = None
    return LoadedPairs(pairs, kept, np.array(num_pixels, np.int64))


def pairs_digest(data: Path, protocol: str) -> str:
    """`LoadedPairs.digest` of all that a folder has to train and to validate on; reads every pair.

    Raises:
        UserError: there are none, or some are broken.
    """
    pairs = [pair for part in training_pairs(data, protocol, include_val=False) for pair in part]
    return load_pairs(pairs, budget_bytes=0).digest


class PairDataset(Dataset[dict[str, Tensor]]):
    """Training crops, addressed by (number of the draw, number of the pair).

    Args:
        pairs: what to draw from.
        augmentation: how a crop is drawn.
        edge_map: edges of a true RGB crop, (H, W, 3) uint8 -> (H, W) in [0, 1]; None where no loss needs them.
        seed: of the run.
    """

    def __init__(
        self,
        pairs: LoadedPairs,
        augmentation: Augmentation,
        edge_map: EdgeMap | None,
        seed: int,
    ) -> None:
        self.pairs = pairs
        self.augmentation = augmentation
        self.edge_map = edge_map
        self.seed = seed
        self.has_masks = pairs.num_masks > 0

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, visit: tuple[int, int]) -> dict[str, Tensor]:
        """One crop: infrared (1, H, W) and true_rgb (3, H, W) in [-1, 1]; true_edges (1, H, W) in [0, 1].

        Where any of the pairs has a mask, also mask (1, H, W) bool, True where a pixel may be used.
        """
        draw, number = visit
        unit, rgb, mask = self.augmentation(*self.pairs[number], np.random.default_rng([self.seed, draw]))
        item = {
            "infrared": torch.from_numpy(unit * 2 - 1)[None],
            "true_rgb": torch.from_numpy(np.moveaxis(rgb.astype(np.float32) / 127.5 - 1, -1, 0).copy()),
        }
        if self.edge_map is not None:
            item["true_edges"] = torch.from_numpy(self.edge_map(rgb))[None]
        if self.has_masks:  # in every item or in none, so that items make batches
            item["mask"] = (
                torch.ones(1, *unit.shape, dtype=torch.bool) if mask is None else torch.from_numpy(mask)[None]
            )
        return item


class VisitSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (draw, number of the pair) from one step to another; each epoch has an order of its own.

    Args:
        num_pairs: draws an epoch. Fewer than a batch are repeated to fill one.
        batch_size: pairs a step. The last, incomplete batch of an epoch is left out.
        seed: of the run.
        first_step: where to begin; a resumed run begins where its checkpoint ended.
        last_step: where to end (exclusive).
        chances: of each pair to be drawn, of 1 in all; None to visit every pair once an epoch.
    """

    drop_last = True  # accelerate reads this and batch_size

    def __init__(
        self,
        num_pairs: int,
        batch_size: int,
        seed: int,
        first_step: int,
        last_step: int,
        chances: NDArray[np.float64] | None = None,
    ) -> None:
        self.num_pairs = num_pairs
        self.batch_size = batch_size
        self.seed = seed
        self.first_step = first_step
        self.last_step = last_step
        self.chances = chances

    def __len__(self) -> int:
        return self.last_step - self.first_step

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yield one batch of visits a step."""
        per_epoch = steps_per_epoch(self.num_pairs, self.batch_size)
        order_epoch, order = -1, np.empty(0, np.int64)
        for step in range(self.first_step, self.last_step):
            epoch, position = divmod(step, per_epoch)
            if epoch != order_epoch:
                order_epoch, order = epoch, self._order(np.random.default_rng([self.seed, epoch]))
            batch = order[position * self.batch_size : (position + 1) * self.batch_size]
            yield [(step * self.batch_size + place, int(number)) for place, number in enumerate(batch)]

    def _order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The pairs of one epoch."""
        num_draws = max(self.num_pairs, self.batch_size)
        if self.chances is not None:
            return rng.choice(self.num_pairs, num_draws, p=self.chances)
        return np.resize(rng.permutation(self.num_pairs), num_draws)


def steps_per_epoch(num_pairs: int, batch_size: int) -> int:
    """Steps in which every pair is visited once, less an incomplete batch; at least one."""
    return max(num_pairs // batch_size, 1)
