"""Feed pairs to training: in memory when they fit, and the same crops in the same order whenever asked again.

All chance is a function of (seed, epoch, pair), never of a generator that runs along: a resumed run draws what
the uninterrupted one would have drawn, with any number of workers.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from ircolor.pairs.augment import Augmentation
from ircolor.pairs.index import Pair, check_pairs

BYTES_PER_PIXEL = 4  # one byte of infrared, three of RGB
Decoded = tuple[NDArray[np.uint8], NDArray[np.uint8]]
EdgeMap = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def load_pairs(
    pairs: Sequence[Pair], budget_bytes: int, on_done: Callable[[Pair], None] = lambda _: None
) -> list[Decoded] | None:
    """Decode all pairs once, checking every one; keep them where they fit the budget.

    Returns:
        The decoded pairs, or None when they need more than `budget_bytes`: they are then read when needed.

    Raises:
        UserError: names every pair that is broken or mismatched.
    """
    kept: list[Decoded] | None = []
    used_bytes = 0
    for infrared, rgb in check_pairs(pairs, on_done):
        used_bytes += infrared.size * BYTES_PER_PIXEL
        if kept is not None:
            kept.append((infrared, rgb))
            if used_bytes > budget_bytes:
                kept = None
    return kept


class PairDataset(Dataset[dict[str, Tensor]]):
    """Training crops, addressed by (epoch, number of the pair).

    Args:
        pairs: what to draw from.
        decoded: their pixels, as `load_pairs` gave them; None to read the files at every visit.
        augmentation: how a crop is drawn.
        edge_map: edges of a true RGB crop, (H, W, 3) uint8 -> (H, W) in [0, 1]; None where no loss needs them.
        seed: of the run.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        decoded: list[Decoded] | None,
        augmentation: Augmentation,
        edge_map: EdgeMap | None,
        seed: int,
    ) -> None:
        self.pairs = pairs
        self.decoded = decoded
        self.augmentation = augmentation
        self.edge_map = edge_map
        self.seed = seed

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, visit: tuple[int, int]) -> dict[str, Tensor]:
        """One crop: infrared (1, H, W) and true_rgb (3, H, W) in [-1, 1]; true_edges (1, H, W) in [0, 1]."""
        epoch, number = visit
        infrared, rgb = self.decoded[number] if self.decoded is not None else self.pairs[number].read()
        rng = np.random.default_rng([self.seed, epoch, number])
        unit, rgb = self.augmentation(infrared, rgb, rng)
        item = {
            "infrared": torch.from_numpy(unit * 2 - 1)[None],
            "true_rgb": torch.from_numpy(np.moveaxis(rgb.astype(np.float32) / 127.5 - 1, -1, 0).copy()),
        }
        if self.edge_map is not None:
            item["true_edges"] = torch.from_numpy(self.edge_map(rgb))[None]
        return item


class VisitSampler(Sampler[list[tuple[int, int]]]):
    """Batches of (epoch, number) from one step to another; every epoch visits the pairs in an order of its own.

    Args:
        num_pairs: pairs to visit an epoch. Fewer than a batch are repeated to fill one.
        batch_size: pairs a step. The last, incomplete batch of an epoch is left out.
        seed: of the run.
        first_step: where to begin; a resumed run begins where its checkpoint ended.
        last_step: where to end (exclusive).
    """

    drop_last = True

    def __init__(self, num_pairs: int, batch_size: int, seed: int, first_step: int, last_step: int) -> None:
        self.num_pairs = num_pairs
        self.batch_size = batch_size
        self.seed = seed
        self.first_step = first_step
        self.last_step = last_step

    def __len__(self) -> int:
        return self.last_step - self.first_step

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yield one batch of visits a step."""
        per_epoch = steps_per_epoch(self.num_pairs, self.batch_size)
        order_epoch, order = -1, np.empty(0, np.int64)
        for step in range(self.first_step, self.last_step):
            epoch, position = divmod(step, per_epoch)
            if epoch != order_epoch:
                permutation = np.random.default_rng([self.seed, epoch]).permutation(self.num_pairs)
                order_epoch, order = epoch, np.resize(permutation, max(self.num_pairs, self.batch_size))
            batch = order[position * self.batch_size : (position + 1) * self.batch_size]
            yield [(epoch, int(number)) for number in batch]


def steps_per_epoch(num_pairs: int, batch_size: int) -> int:
    """Steps in which every pair is visited once, less an incomplete batch; at least one."""
    return max(num_pairs // batch_size, 1)
