"""Learn how wrong colours are likely to be, from pictures that the net had not seen.

On the pictures that it was trained on, a net errs less, and elsewhere, than on others. So the training pairs are cut
into parts by scene; the pictures of each part are colorized by a net trained on the other parts; and a small head
learns the error of these colours from the infrared image and the colours (cross-fitting; Wolpert 1992, "Stacked
generalization").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor

from ircolor.errors import UserError
from ircolor.nets import ErrorHead
from ircolor.nets.base import reflect_pad_to
from ircolor.pairs.folds import Fold
from ircolor.pairs.index import Pair
from ircolor.pairs.protocols import training_pairs
from ircolor.shrink import shrink
from ircolor.stop import StopSignal
from ircolor.training.checkpoint import load_checkpoint, save_checkpoint
from ircolor.training.colorized import carried, predict, seen
from ircolor.training.expected_error import error_map, expected_error_loss
from ircolor.training.export import net_of
from ircolor.training.recipe import Recipe, TrustConfig
from ircolor.training.run_folder import RunFolder
from ircolor.training.train import Outcome, train
from ircolor.view import View

CROP_PX = 160
BATCH_SIZE = 16
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2


@dataclass(frozen=True)
class Example:
    """A picture that was colorized by a net that had not seen it, at the size that the net was shown.

    Attributes:
        images: (1, 4, h, w): infrared and RGB in [-1, 1]; h and w are multiples of the head's grid.
        error: (1, 1, h, w): CIEDE2000, each the mean over the pixels of the stored picture that it covers.
        usable: (1, 1, h, w) bool.
        num_pixels: of the stored picture.
    """

    images: Tensor
    error: Tensor
    usable: Tensor
    num_pixels: int


def train_with_trust(
    recipe: Recipe,
    data: Path,
    protocol: str | None,
    run: Path,
    *,
    resume: bool = False,
    init: Path | None = None,
    teachers: Sequence[Path] = (),
    loss_network: Path | None = None,
    compile_nets: bool = False,
    include_val: bool = False,
    console: Console | None = None,
) -> Outcome:
    """As `ircolor.training.train.train`, and with `recipe.trust` the head for the expected error after that.

    What is finished is not done again when resuming; the head itself takes a minute. The nets of the parts have no
    teachers, as these have seen the pictures that must be new to them.
    """
    parts = _parts(recipe.trust, data, protocol, include_val) if recipe.trust else []
    outcome = train(
        recipe,
        data,
        protocol,
        run,
        resume=resume,
        init=init,
        teachers=teachers,
        loss_network=loss_network,
        compile_nets=compile_nets,
        include_val=include_val,
        console=console,
    )
    if recipe.trust is None or outcome.signal is not None:
        return outcome
    console = console or Console(stderr=True, quiet=not PartialState().is_main_process)
    folder = RunFolder(run)
    short = replace(
        recipe,
        trust=None,
        width=recipe.trust.fold_width or recipe.width,
        hint_epochs=0,
        epochs=recipe.trust.fold_epochs,
        validate_every=recipe.trust.fold_epochs,
    )
    for fold, _ in parts:
        console.print(f"expected error: net {fold.number + 1} of {fold.of}, to colorize pictures that it has not seen")
        part = folder.fold(fold.number)
        stopped = train(
            short,
            data,
            protocol,
            part.path,
            resume=part.description.exists(),
            fold=fold,
            compile_nets=compile_nets,
            include_val=include_val,
            console=console,
        )
        if stopped.signal is not None:
            return replace(outcome, signal=stopped.signal)
    if not PartialState().is_main_process:
        return outcome
    examples = []
    for fold, pairs in parts:
        last = folder.fold(fold.number).last
        net = net_of(load_checkpoint(last), str(last))
        unseen = track(pairs, f"expected error: pictures of part {fold.number + 1}", console=console)
        examples += [_example(net, pair, recipe.view) for pair in unseen]
    with StopSignal() as stop:
        head = fit_head(examples, recipe.trust.steps, recipe.seed, recipe.sampling == "pixels", console, stop)
    if stop.number is not None:
        return replace(outcome, signal=stop.number)
    about = load_checkpoint(folder.last).about
    save_checkpoint(folder.trust, recipe.to_json(), about, outcome.progress, {"error_head": head})
    return outcome


def _parts(trust: TrustConfig, data: Path, protocol: str | None, include_val: bool) -> list[tuple[Fold, list[Pair]]]:
    """The pairs to train on, cut into parts by scene."""
    pairs, _ = training_pairs(data, protocol, include_val)
    folds = [Fold(number, trust.folds) for number in range(trust.folds)]
    parts = [(fold, fold.part(pairs)) for fold in folds]
    if not all(part for _, part in parts):
        raise UserError(
            f"{data}: trust is learned from {len(parts)} parts by scene, and there are fewer scenes to train on; tell "
            "finer ones in the column scene of the index, or train a recipe without trust, such as narrow_colornet"
        )
    return parts


def fit_head(
    examples: Sequence[Example],
    steps: int,
    seed: int,
    by_pixels: bool,
    console: Console,
    stop: StopSignal | None = None,
) -> ErrorHead:
    """Train a head on examples.

    Args:
        examples: at least one.
        steps: of AdamW, with a cosine schedule.
        seed: of weights and crops.
        by_pixels: draw examples in proportion to the pixels of their pictures.
        console: where progress is shown.
        stop: ends it early.

    Returns:
        The head, in eval mode.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = ErrorHead()
    optimizer = torch.optim.AdamW(head.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    weights = np.array([example.num_pixels if by_pixels else 1 for example in examples], np.float64)
    shortest_px = min(min(example.error.shape[2:]) for example in examples)
    crop_px = min(CROP_PX, shortest_px) // head.grid_px * head.grid_px
    for _ in track(range(steps), "expected error: learning", console=console):
        drawn = rng.choice(len(examples), BATCH_SIZE, p=weights / weights.sum())
        crops = [_crop(examples[number], crop_px, rng) for number in drawn]
        images, error, usable = (torch.cat(parts) for parts in zip(*crops, strict=True))
        loss = expected_error_loss(head(images[:, :1], images[:, 1:]), error, usable)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if stop and stop.number is not None:
            break
    return head.eval()


def _example(net: torch.nn.Module, pair: Pair, view: View) -> Example:
    infrared, true_rgb, mask = pair.read_masked()
    small = seen(infrared, view.px)
    prediction = predict(net, small)
    error = error_map(carried(prediction, small, infrared, view).rgb, true_rgb)
    usable = np.ones(small.shape, np.bool_)
    if mask is not None:
        usable = shrink(mask.astype(np.uint8) * 255, small.shape) == 255
    planes = [small[..., None] * 2 - 1, prediction.rgb * 2 - 1]
    return Example(
        _on_grid(np.concatenate(planes, axis=2)),
        _on_grid(shrink(error, small.shape)[..., None]),
        _on_grid(usable[..., None]),
        infrared.size,
    )


def _on_grid(pixels: NDArray[np.generic]) -> Tensor:
    """(h, w, C) -> (1, C, h, w), reflect-padded to the head's grid."""
    return reflect_pad_to(torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)))[None], ErrorHead.grid_px)


def _crop(example: Example, crop_px: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    top, left = (int(rng.integers(length - crop_px + 1)) for length in example.error.shape[2:])
    parts = (
        planes[..., top : top + crop_px, left : left + crop_px]
        for planes in (example.images, example.error, example.usable)
    )
    mirror = rng.random() < 0.5
    images, error, usable = (planes.flip(-1) if mirror else planes for planes in parts)
    return images, error, usable
