"""`ircolor train`: train a recipe on aligned pairs."""

from pathlib import Path
from typing import Annotated

import typer

from ircolor.errors import UserError, did_you_mean

MAX_SEED = 2**32 - 1


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="fast, snet_plus, snet_short, snet_paper, colornet_short, colornet_paper; narrow_colornet (minutes); "
            "vcip, vcip_scratch, paper_like, for these protocols; smoke (seconds); of the comparison: snet, colornet, "
            "iizuka, iizuka_chroma, zhang, zhang_chroma, johnson, limmer, suarez, pix2pix.",
        ),
    ],
    *,
    data: Annotated[Path, typer.Option(help="Folder with index.csv, or with infrared/ and rgb/ of the same stems.")],
    run: Annotated[Path, typer.Option(help="Folder of the run: log, checkpoints, pictures.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="nirscene, vcip2020, paper-like, roadscene or folder; chosen by the data if not given."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of the run.")] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's number.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=MAX_SEED, help="Instead of the recipe's.")] = None,
    init: Annotated[
        Path | None, typer.Option(help="Run, or checkpoint (.safetensors), to take the first weights from.")
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="Run or checkpoint of a trained net to learn from besides the truth; may stand several times."
        ),
    ] = None,
    loss_network: Annotated[
        Path | None,
        typer.Option(help="VGG-16 (.safetensors, torchvision's names) for johnson; without, an encoder of its own."),
    ] = None,
    include_val: Annotated[
        bool,
        typer.Option(
            "--include-val",
            help="Train on the validation pairs, too: for final weights, once all is chosen. The last ones count.",
        ),
    ] = False,
    compile_nets: Annotated[
        bool, typer.Option("--compile", help="Compile the networks: a minute to start, faster steps on a GPU.")
    ] = False,
) -> None:
    """Train a network on aligned infrared-RGB pairs.

    Every pair is read and checked before the first step. Ctrl-C stops after the current step, with a checkpoint;
    --resume then goes on to the same weights as if nothing had happened. Exit status: 0 complete, 130 or 143 stopped.
    fast, snet_plus and snet_short go on to train nets that leave out parts of the pairs, to learn where colours go
    wrong.

    On your own pairs:
    ircolor train fast --data pairs/ --run runs/mine

    The paper's ablation on a named protocol, for a fixed number of epochs:
    ircolor train colornet_paper --data pairs/ --protocol nirscene --epochs 12 --run runs/colornet

    A net that learns from another one, too:
    ircolor train narrow_colornet --data pairs/ --run runs/narrow --teacher runs/plus

    The final weights, once all is chosen, of all pairs but those of test:
    ircolor train fast --data pairs/ --run runs/final --include-val

    Go on after Ctrl-C; a recipe of a constant rate also with more epochs:
    ircolor train snet_paper --data pairs/ --run runs/paper --epochs 800 --resume
    """
    from dataclasses import replace

    from ircolor.training.recipes import RECIPES

    if recipe not in RECIPES:
        raise UserError(f"recipe {recipe!r}: unknown; {did_you_mean(recipe, RECIPES)}there are: {', '.join(RECIPES)}")
    try:
        from accelerate import PartialState

        from ircolor.training.trust import train_with_trust
    except ModuleNotFoundError as error:
        raise UserError(f"training needs {error.name}; install it with: pip install 'ircolor[train]'") from error

    chosen = RECIPES[recipe]()
    if loss_network is not None and (chosen.perceptual is None or chosen.perceptual.network != "own"):
        raise UserError(f"--loss-network: recipe {recipe} does not look through VGG-16; leave it out, or train johnson")
    chosen = replace(chosen, epochs=chosen.epochs if epochs is None else epochs)
    chosen = replace(chosen, seed=chosen.seed if seed is None else seed)
    outcome = train_with_trust(
        chosen,
        data,
        protocol,
        run,
        resume=resume,
        init=init,
        teachers=teacher or (),
        loss_network=loss_network,
        compile_nets=compile_nets,
        include_val=include_val,
    )
    if outcome.signal is not None:
        typer.echo(f"stopped after step {outcome.progress.step}; go on with --resume", err=True)
        raise typer.Exit(128 + outcome.signal)
    if not PartialState().is_main_process:
        return
    progress = outcome.progress
    best = f"best validation PSNR {progress.best_psnr_db:.2f} dB, epoch {progress.best_epoch}"
    typer.echo(
        f"done: {'validation pairs were trained on, the last weights count' if include_val else best}; "
        f"make a model of it with: ircolor export {run} -o MODEL.onnx",
        err=True,
    )
