"""From checkpoints to the file that the runtime reads: the model and its card."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from ircolor.errors import UserError, brief
from ircolor.nets import ColorizingNet, ErrorHead, WithExpectedError, combined
from ircolor.nets.efficientnet import WITH_WEIGHTS
from ircolor.pairs.augment import Augmentation
from ircolor.pairs.dataset import pairs_digest
from ircolor.pairs.index import Pair, spread_evenly
from ircolor.pairs.protocols import split_pairs
from ircolor.shrink import seen_size, shrink
from ircolor.training.checkpoint import Checkpoint, load_checkpoint
from ircolor.training.expected_error import calibrate
from ircolor.training.networks import build_net
from ircolor.training.onnx_model import halve_weights, to_onnx
from ircolor.training.quantize import quantize
from ircolor.training.recipe import recipe_from_json
from ircolor.training.run_folder import RunFolder, checkpoint_file, run_folder_of
from ircolor.weights.card import RECIPE_JOINT, Card

NUM_CALIBRATION_PAIRS = 64
CALIBRATION_PX = 224
_TOLD_ON_CARD = {
    "version", "protocol", "data", "num_train_pairs", "num_val_pairs", "pairs_digest", "steps_per_epoch", "hardware"
}  # fmt: skip
LICENCE = (
    "Apache-2.0 for the weights as far as they are ours to license; trained on the pairs named under data, "
    "whose own terms apply (the public NIR sets are for research only)"
)


def export_runs(
    runs: Sequence[Path], name: str, data: Path | None = None, *, int8: bool = False, view_px: int | None = None
) -> tuple[bytes, Card]:
    """Make a model of a run, or of several one that gives their mean colours.

    Args:
        runs: folder of each, whose best checkpoint is taken, or a checkpoint file; that of a run takes the run's
            expected error along where it is learned. Of several, grade and expected error are those of the first: the
            head for the latter looks at colours, whatever net gave them, and knows what that grade makes of them.
        name: what users will call the model.
        data: folder of the runs' pairs; given, the expected error is brought to scale on validation pairs, unless
            a net has seen these.
        int8: quantize, calibrated on training pairs; needs data.
        view_px: at which the nets are shown pictures; None for that of their recipes.

    Returns:
        The serialized ONNX model and its card, which has no scores yet; `seal` makes a file of the two.

    Raises:
        UserError: there is no checkpoint, it is damaged or of another version, there are no pairs or others, or runs
            do not go together.
    """
    files = [checkpoint_file(run) for run in runs]
    for number, file in enumerate(files):
        if file.resolve() in [other.resolve() for other in files[:number]]:
            raise UserError(f"{file}: is given twice; name each run once")
    checkpoints = [_checkpoint_of_run(file) for file in files]
    first = checkpoints[0]
    if data and pairs_digest(data, first.about["protocol"]) != first.about["pairs_digest"]:
        raise UserError(
            f"{data}: its training and validation pairs are not those of {runs[0]}; give the folder of the run"
        )
    net = combined([net_of(checkpoint, str(file)) for file, checkpoint in zip(files, checkpoints, strict=True)])
    _require_alike(dict(zip(runs, checkpoints, strict=True)))
    folder = run_folder_of(runs[0])
    error_head = error_head_of(folder, first) if runs[0].is_dir() or folder.trust.is_file() else None
    try:
        card = describe(checkpoints, net, name, error_head, view_px)
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, RuntimeError) as error:
        raise UserError(
            f"{', '.join(map(str, files))}: what it tells of its run makes no card ({brief(error)}); train it again"
        ) from error
    if error_head and data and _validates(first):
        calibrate(WithExpectedError(net, error_head), split_pairs(data, card.protocol, "val"), card.view)
    model = to_onnx(net, error_head)
    if not int8:
        return halve_weights(model).SerializeToString(), card
    assert data, "int8 is calibrated on training pairs"
    images = calibration_images(split_pairs(data, card.protocol, "train"), card.view_px)
    model = quantize(model, images, net.exact_layers)
    return model.SerializeToString(), replace(card, arithmetic="int8", bytes_per_px=net.bytes_per_px_int8)


def _require_alike(checkpoints: Mapping[Path, Checkpoint]) -> None:
    """Refuse runs of whose colours there is no sense in a mean, or no honest score; their recipes are known ones."""
    (first_run, first), *others = checkpoints.items()
    view_px = recipe_from_json(first.recipe).view_px
    for run, checkpoint in others:
        if any(checkpoint.about[key] != first.about[key] for key in ("protocol", "pairs_digest", "num_val_pairs")):
            raise UserError(f"{run}: did not train on the pairs of {first_run}; give runs of the same pairs")
        other_px = recipe_from_json(checkpoint.recipe).view_px
        if other_px != view_px:
            sizes = [f"at {px} px" if px else "as they are" for px in (other_px, view_px)]
            raise UserError(
                f"{run}: is shown pictures {sizes[0]}, {first_run} {sizes[1]}; give runs that see the same (view_px of "
                "their recipes)"
            )


def unseen_splits(run: Path) -> tuple[str, ...]:
    """Of val and test, those whose pairs a run did not train on: on these it can be scored.

    Raises:
        UserError: there is no checkpoint, or it is damaged.
    """
    return ("val", "test") if _validates(_checkpoint_of_run(checkpoint_file(run))) else ("test",)


def calibration_images(pairs: Sequence[Pair], view_px: int) -> Iterator[NDArray[np.float32]]:
    """Crops from all over the pairs as the net sees them, (1, 1, h, h) in [-1, 1]: of 224 px, or of what it sees."""
    crop = Augmentation(crop_px=min(CALIBRATION_PX, view_px or CALIBRATION_PX))
    for number in spread_evenly(NUM_CALIBRATION_PAIRS, len(pairs)):
        infrared, rgb = pairs[number].read()
        size = seen_size(infrared.shape, view_px)
        infrared, rgb = shrink(infrared, size), shrink(rgb, size)
        unit, _, _ = crop(infrared, rgb, None, np.random.default_rng(number))
        yield unit[None, None] * 2 - 1


def describe(
    checkpoints: Sequence[Checkpoint],
    net: ColorizingNet,
    name: str,
    error_head: ErrorHead | None = None,
    view_px: int | None = None,
) -> Card:
    """The card of a trained network, without scores.

    Args:
        checkpoints: where the network comes from; several of an ensemble.
        net: the network.
        name: what users will call it.
        error_head: that goes with it.
        view_px: at which the net is shown pictures; None for that of its recipe.
    """
    abouts = [checkpoint.about for checkpoint in checkpoints]
    recipes = [recipe_from_json(checkpoint.recipe) for checkpoint in checkpoints]
    about, recipe = abouts[0], recipes[0]
    view_px = recipe.view_px if view_px is None else view_px
    whole = WithExpectedError(net, error_head) if error_head else net
    trained_on = (
        f"{about['num_train_pairs']} training pairs{'' if _validates(checkpoints[0]) else ', those of val included'}"
    )
    hints = f"hints of {WITH_WEIGHTS}" if any(recipe.hints for recipe in recipes) else ""
    others = [other for other in (net.pretrained, hints) if other]
    # The name of a folder may hold what a card may not, such as spaces that are no blanks.
    folder = "".join(letter if letter.isprintable() else "?" for letter in about["data"])
    summaries = [
        recipe.summary + (f"; perceptual loss by {about['loss_network']}" if "loss_network" in about else "")
        for recipe, about in zip(recipes, abouts, strict=True)
    ]
    if len(checkpoints) > 1:
        named = (f"{recipe.name} ({summary})" for recipe, summary in zip(recipes, summaries, strict=True))
        summaries = [f"the mean colours of {len(checkpoints)} nets, {_each_once(named, ' and ')}"]
    return Card(
        name=name,
        version="1.0",
        summary=f"natural colour for near infrared; {summaries[0]}",
        recipe=RECIPE_JOINT.join(recipe.name for recipe in recipes),
        commit=_each_once((about.get("commit", f"ircolor {about['version']}") for about in abouts), ", "),
        data="; ".join([f"{trained_on}, protocol {about['protocol']} of folder {folder}/", *others]),
        licence=LICENCE,
        epochs=sum(-(-checkpoint.progress.step // checkpoint.about["steps_per_epoch"]) for checkpoint in checkpoints),
        train_seconds=round(sum(checkpoint.progress.train_s for checkpoint in checkpoints), 1),
        hardware=_each_once((about["hardware"] for about in abouts), "; "),
        num_parameters=sum(parameter.numel() for parameter in net.parameters()),
        gflop_224=round(count_gflop_224(net, view_px), 2),
        protocol=about["protocol"],
        arithmetic="float32",
        scores={},
        grid_px=whole.grid_px,
        halo_px=net.halo_px,
        error_halo_px=error_head.halo_px if error_head else 0,
        bytes_per_px=net.bytes_per_px,
        intensity="auto",
        view_px=view_px,
        **asdict(recipe.grade),
    )


def _each_once(texts: Iterable[str], joint: str) -> str:
    """Texts in their order, without repeats, as one."""
    return joint.join(dict.fromkeys(texts))


def _checkpoint_of_run(file: Path) -> Checkpoint:
    """A checkpoint that tells all that a card says of its run."""
    checkpoint = load_checkpoint(file)
    untold = _TOLD_ON_CARD - checkpoint.about.keys()
    if untold:
        raise UserError(
            f"{file}: of another version of ircolor, as it lacks {', '.join(sorted(untold))}; train it again"
        )
    return checkpoint


def _validates(checkpoint: Checkpoint) -> bool:
    """Whether the run kept its validation pairs out of its training."""
    return bool(checkpoint.about["num_val_pairs"])


def net_of(checkpoint: Checkpoint, name: str) -> ColorizingNet:
    """The trained network of a checkpoint, on the CPU, in eval mode.

    Raises:
        UserError: its recipe or its weights are of no use.
    """
    try:
        net = build_net(recipe_from_json(checkpoint.recipe))
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{name}: its recipe is of another version of ircolor ({brief(error)}); train it again"
        ) from error
    checkpoint.load_net(net)
    if not all(weights.isfinite().all() for weights in net.state_dict().values()):
        raise UserError(f"{name}: its weights are not finite; take an earlier checkpoint")
    return net.eval()


def error_head_of(folder: RunFolder, checkpoint: Checkpoint) -> ErrorHead | None:
    """The trained head of a run for the expected error; None where its recipe trains none.

    Raises:
        UserError: the run was stopped before it, or it is damaged.
    """
    if recipe_from_json(checkpoint.recipe).trust is None:
        return None
    if not folder.trust.is_file():
        raise UserError(f"{folder.path}: its expected error is not learned yet; go on with ircolor train and --resume")
    head = ErrorHead()
    try:
        load_checkpoint(folder.trust).load_into("error_head", head)
    except UserError as error:
        raise UserError(
            f"{folder.trust}: damaged; ircolor train with --resume learns the expected error anew, in a minute"
        ) from error
    return head.eval()


def count_gflop_224(net: ColorizingNet, view_px: int = 0) -> float:
    """Work for one 224x224 image, seen at `view_px`, in 10^9 floating-point operations (multiply-adds times two)."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        net(torch.zeros(1, 1, *seen_size((224, 224), view_px)))
    return float(counter.get_total_flops()) / 1e9
