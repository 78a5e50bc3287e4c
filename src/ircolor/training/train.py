"""The training loop, from pairs to checkpoints, top to bottom.

A run folder holds `run.json` (recipe, protocol, pairs, commit), `log.jsonl`, `checkpoints/last.safetensors` and
`best.safetensors`, and `grids/` (infrared, predicted, true, at every validation).

A resumed run ends with the weights of an uninterrupted one, bit for bit, on the same device and thread count:
chance depends on the seed and the step only, and a checkpoint holds weights, batch statistics and
Adam's moments in full precision.
"""

import copy
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console
from torch.utils.data import DataLoader

from ircolor.baselines import Zhang
from ircolor.edge_maps import EDGE_MAPS
from ircolor.errors import UserError
from ircolor.nets import ColorizingNet
from ircolor.pairs.dataset import PairDataset, VisitSampler, load_pairs, steps_per_epoch
from ircolor.pairs.folds import Fold
from ircolor.pairs.index import find_pairs
from ircolor.pairs.protocols import default_protocol, training_pairs
from ircolor.stop import StopSignal, leave_interrupts_to_parent
from ircolor.training.checkpoint import Progress
from ircolor.training.code_version import describe_code
from ircolor.training.device import choose_precision, make_accelerator
from ircolor.training.hints import HINTED_SCALES
from ircolor.training.journal import Journal
from ircolor.training.loss_network import loss_features, loss_network_name
from ircolor.training.losses import total_loss
from ircolor.training.objective import Objective, chroma_weights
from ircolor.training.photo_features import PhotoFeatures
from ircolor.training.recipe import Recipe
from ircolor.training.run_folder import RunFolder, checkpoint_file
from ircolor.training.speed import matmul_gflops
from ircolor.training.teachers import Teachers
from ircolor.training.train_state import TrainState
from ircolor.training.validation import validate

MEMORY_BUDGET_BYTES = 4 << 30
NUM_WORKERS = 4  # only where the pairs do not fit the memory budget


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its progress, and the number of the signal that told it to stop (None: it is complete)."""

    progress: Progress
    signal: int | None


def train(
    recipe: Recipe,
    data: Path,
    protocol: str | None,
    run: Path,
    *,
    resume: bool = False,
    init: Path | None = None,
    fold: Fold | None = None,
    teachers: Sequence[Path] = (),
    budget_s: float | None = None,
    loss_network: Path | None = None,
    compile_nets: bool = False,
    include_val: bool = False,
    memory_budget_bytes: int = MEMORY_BUDGET_BYTES,
    console: Console | None = None,
) -> Outcome:
    """Train a recipe, or go on with a run.

    Args:
        recipe: what to train and how.
        data: folder of pairs.
        protocol: how it is split; see `split_pairs`.
        run: folder of the run; must be new, or hold a run of the same recipe when resuming.
        resume: go on from the last checkpoint. The recipe may have another grade by now, which the run then takes.
        init: run or checkpoint to take the first weights from.
        fold: part of the training pairs that is left out.
        teachers: runs or checkpoints of nets that it learns from besides the truth (`Recipe.teacher_share`).
        budget_s: seconds of training after which the run ends, complete, with what it has learned by then; None for
            no end before the last epoch.
        loss_network: weights of VGG-16, for a recipe with a perceptual loss (`load_vgg16`); None for our own.
        compile_nets: compile the networks; the results differ by roundings.
        include_val: train on the validation pairs, too; nothing is validated then, and the last weights count.
        memory_budget_bytes: pairs are kept decoded in memory up to this size.
        console: where to report.

    Raises:
        UserError: wrong folder, pairs or checkpoint; said before any training.
    """
    precision = choose_precision()
    accelerator = make_accelerator(precision, partly_trained=recipe.hint_epochs > 0)
    console = console or Console(stderr=True, quiet=not accelerator.is_main_process)
    if recipe.batch_size % accelerator.num_processes:
        raise UserError(
            f"recipe {recipe.name}: a batch of {recipe.batch_size} does not divide over {accelerator.num_processes} "
            "processes; launch a number that divides it"
        )
    folder = RunFolder(run)
    folder.require(run=resume)
    if resume and init:
        raise UserError("--resume goes on from the run's own weights; leave --init out")
    protocol = protocol or default_protocol(find_pairs(data))
    to_train, to_validate = training_pairs(data, protocol, include_val)
    if fold:
        to_train = fold.rest(to_train)
    # Pairs: every one is decoded and checked before the first step.
    pairs = [*to_train, *to_validate]
    with console.status(f"reading and checking {len(pairs)} pairs"):
        loaded = load_pairs(pairs, memory_budget_bytes)
    train_pairs, val_pairs = loaded.part(0, len(to_train)), loaded.part(len(to_train), len(pairs))
    edge_map = EDGE_MAPS[recipe.edge_net.target] if recipe.edge_net else None
    dataset = PairDataset(train_pairs, recipe.augmentation, edge_map, recipe.seed)
    per_epoch = steps_per_epoch(len(dataset), recipe.batch_size)
    total_steps = recipe.num_steps(per_epoch)
    hint_steps = recipe.num_hint_steps(total_steps)
    taught = Teachers(teachers, accelerator.device, accelerator.autocast) if teachers else None
    about = {
        **describe_code(),
        "protocol": protocol,
        "data": data.resolve().name,
        "num_train_pairs": len(to_train),
        "num_val_pairs": len(to_validate),
        "pairs_digest": loaded.digest,
        "steps_per_epoch": per_epoch,
        "hardware": precision.hardware,
        **({"init": str(init)} if init else {}),
        **({"budget_s": budget_s} if budget_s is not None else {}),
        **({"teachers": taught.digest} if taught else {}),
        **({"loss_network": loss_network_name(recipe.perceptual, loss_network)} if recipe.perceptual else {}),
    }
    checkpoint = folder.resume(recipe, about) if resume else None
    regraded = checkpoint is not None and checkpoint.recipe.get("grade") != asdict(recipe.grade)
    state = TrainState(recipe, accelerator, checkpoint, checkpoint_file(init) if init else None)
    progress = state.progress
    chances = train_pairs.chances(recipe.sampling == "pixels", recipe.half_residual_px)
    loader = accelerator.prepare(
        DataLoader(
            dataset,
            batch_sampler=VisitSampler(
                len(dataset), recipe.batch_size, recipe.seed, progress.step, total_steps, chances
            ),
            num_workers=NUM_WORKERS if loaded.decoded is None else 0,
            worker_init_fn=leave_interrupts_to_parent,
        )
    )
    if compile_nets:
        state.compile()

    features, chroma = None, None
    if recipe.perceptual:
        with accelerator.main_process_first():
            features = loss_features(recipe, train_pairs, folder, loss_network, accelerator.device, console)
    if isinstance(state.net, Zhang):
        bins = state.net.get_buffer("bins")
        chroma = bins, chroma_weights(train_pairs, bins.cpu()).to(accelerator.device)
    hints = PhotoFeatures(1, HINTED_SCALES, accelerator.device) if recipe.hints else None
    objective = Objective(recipe, state.learned, accelerator.autocast, features, chroma, hints)

    def save(path: Path, *, for_resuming: bool) -> None:
        if not state.is_finite():
            raise UserError(_not_finite(run, "weights are", progress.step))
        if accelerator.is_main_process:
            state.save(path, about, for_resuming=for_resuming)

    def validate_weights(weights: ColorizingNet, step: int) -> bool:
        """Score the weights of a step, and say whether they are the best."""
        epoch = -(-step // per_epoch)  # counted from 1
        grid = folder.grids / f"epoch_{epoch:04d}.png"
        scores = validate(weights, val_pairs, accelerator, grid, view=recipe.view)
        improved = scores["psnr_db"] > progress.best_psnr_db
        if improved:
            progress.best_psnr_db, progress.best_epoch = scores["psnr_db"], epoch
        journal.validation(step, epoch, scores, improved, progress.train_s)
        return improved

    if not resume and accelerator.is_main_process:
        folder.begin(recipe, about)
    if init:
        save(folder.last, for_resuming=True)  # a run killed before its first checkpoint knows where it began
    journal = Journal(
        folder.log,
        progress.step,
        console,
        enabled=accelerator.is_main_process,
        work=objective.work(state.net, total_steps),
        steps_per_epoch=per_epoch,
        batch_size=recipe.batch_size,
        device_gflops=matmul_gflops(accelerator) * accelerator.num_processes,
    )
    spent = budget_s is not None and progress.step > 0 and progress.train_s >= budget_s
    complete = progress.step == total_steps or spent
    with StopSignal() as stop, folder.held(accelerator.is_main_process), journal:
        if not complete:
            journal.sitting(progress.step)
        journal.say(
            f"{precision.hardware}: {precision.reason}\n"
            f"{len(dataset)} training pairs, {'in memory' if loaded.decoded else 'read from disk at every visit'}; "
            f"{f'{train_pairs.num_masks} with a mask; ' if train_pairs.num_masks else ''}"
            f"{f'{len(teachers)} teachers have {recipe.teacher_share:.0%} of the say; ' if teachers else ''}"
            f"{per_epoch} steps an epoch, "
            f"{f'{recipe.hint_epochs} epochs of hints alone, then ' if hint_steps else ''}{recipe.epochs} epochs"
        )
        if regraded and accelerator.is_main_process:
            # Scores so far are of the grade that it had.
            best, progress.best_psnr_db = folder.regrade(recipe.grade), float("-inf")
            if best and to_validate:
                best_net = copy.deepcopy(state.net)
                best.load_net(best_net)
                validate_weights(best_net, best.progress.step)
            new = complete and to_validate and not (best and best.progress.step == progress.step)
            if new and validate_weights(state.final, progress.step):
                save(folder.best, for_resuming=False)
            save(folder.last, for_resuming=True)
        sitting_start_s = last_save_s = time.monotonic()
        sat_before_s = progress.train_s
        for batch in () if complete else loader:
            infrared, colorizes = batch["infrared"], progress.step >= hint_steps
            if taught and colorizes:
                batch["true_rgb"] = taught.blend(infrared, batch["true_rgb"], recipe.teacher_share)
            torch.manual_seed(recipe.seed + progress.step)  # of dropout: the same for a resumed run
            output = state.trained(infrared) if colorizes else state.trained(infrared, colorize=False)
            terms = objective(output, batch, progress.step / total_steps)
            loss = total_loss(*terms.values())
            if not loss.isfinite():  # before the step, so that no checkpoint is poisoned
                raise UserError(_not_finite(run, "loss is", progress.step))
            state.update(loss, recipe.learning_rate_at(progress.step, total_steps))

            progress.train_s = sat_before_s + time.monotonic() - sitting_start_s
            journal.step(progress.step, terms)
            epoch_done, steps_into_epoch = divmod(progress.step, per_epoch)
            if stop.number is not None or (budget_s is not None and progress.train_s >= budget_s):
                accelerator.set_trigger()
            ending = accelerator.check_trigger()  # all processes end after the same step
            spent = ending and budget_s is not None and stop.number is None
            complete = spent or progress.step == total_steps
            due = complete or (steps_into_epoch == 0 and epoch_done % recipe.validate_every == 0)
            to_score = to_validate and colorizes and due and accelerator.is_main_process
            if to_score and validate_weights(state.final, progress.step):
                save(folder.best, for_resuming=False)
            if complete or ending or time.monotonic() - last_save_s > recipe.checkpoint_every_s:
                save(folder.last, for_resuming=True)
                last_save_s = time.monotonic()
            if complete or ending:
                break
        if stop.number is not None:  # also one that came with the last step, or while its weights were validated
            accelerator.set_trigger()
        stopped = accelerator.check_trigger()
    accelerator.wait_for_everyone()
    return Outcome(progress, (stop.number or signal.SIGTERM) if stopped else None)


def _not_finite(run: Path, what: str, step: int) -> str:
    """What to say of a run that has gone astray."""
    return (
        f"{run}: the {what} not finite at step {step}; use the last checkpoint with --init in a new run, with another "
        "--seed or a smaller learning rate in its recipe"
    )
