"""How long one image takes: through `Colorizer`, by bare onnxruntime on the same file, and by other contenders."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ircolor.benchmark.rounds import Contender, run_rounds, timed
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError, brief
from ircolor.machine import cores, processor
from ircolor.network import Network as ReadyNetwork
from ircolor.sessions.outputs import keep_output
from ircolor.sessions.providers import DEVICES
from ircolor.shrink import seen_size
from ircolor.weights.card import Card
from ircolor.weights.catalogue import Model

CARD_SIZES = ((224, 224), (480, 640))  # heights and widths whose times stand on cards, pixels
CARD_BUDGET_S = 5.0

Network = Callable[[NDArray[np.float32]], object]
"""From infrared, (B, 1, H, W) in [-1, 1], to RGB."""


def bare_network(colorizer: Colorizer, threads: int) -> Network:
    """The network of a colorizer as one runs it who writes the few lines of onnxruntime anew, on the same device.

    Args:
        colorizer: whose file and device are taken.
        threads: CPU threads.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what fails is raised
    providers = list(DEVICES[colorizer.device].providers)
    # Without the head for the expected error, as a colorizer runs it that is not asked for trust.
    session = onnxruntime.InferenceSession(keep_output(colorizer.model.data, "rgb"), options, providers=providers)

    def run(infrared: NDArray[np.float32]) -> None:
        try:
            session.run(None, {"infrared": infrared})
        except Exception as error:  # the types of onnxruntime have no common base below Exception
            height, width = infrared.shape[2:]
            raise UserError(
                f"{width}x{height}: bare onnxruntime fails ({brief(error)}); leave this size out"
            ) from error

    return run


def ready_tensor(height: int, width: int, grid_px: int, view_px: int = 0) -> NDArray[np.float32]:
    """Noise as a network takes it, (1, 1, h, w) in [-1, 1]: of the size that it is shown, rounded up to its grid."""
    seen = seen_size((height, width), view_px)
    shape = (1, 1, *(length + -length % grid_px for length in seen))
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def latencies_ms(
    models: Mapping[str, Model], progress: Callable[[float], None] | None = None
) -> dict[str, dict[str, float]]:
    """Median times of networks on the CPU of this machine, in ms, from infrared at rest to colours of its size.

    The networks take turns, so that what else the machine does weighs on all alike.

    Args:
        models: by any name.
        progress: called again and again with the share of the work that is done, 0 to 1.

    Returns:
        By name, and for each name by size, e.g. "640x480".
    """
    contenders: dict[str, dict[str, Contender]] = {}
    noise = np.random.default_rng(0)
    for name, model in models.items():
        network = ReadyNetwork(model, device="cpu", tile="off", threads=None, lanes=1, trust=False, fade_strength=0)
        contenders[name] = {
            f"{width}x{height}": timed(partial(network.run, noise.random((height, width), np.float32)))
            for height, width in CARD_SIZES
        }
    turns = {f"{name} {size}": run for name, sizes in contenders.items() for size, run in sizes.items()}
    rounds = run_rounds(turns, CARD_BUDGET_S * len(models), progress=progress)
    return {
        name: {size: round(rounds.median_s(f"{name} {size}") * 1e3, 1) for size in sizes}
        for name, sizes in contenders.items()
    }


def card_latency(model: bytes, card: Card) -> Card:
    """A card with the times of its network, see `latencies_ms`.

    Args:
        model: a serialized ONNX model.
        card: of it.
    """
    return replace(
        card,
        latency_ms=latencies_ms({card.name: Model(card.name, model, card)})[card.name],
        latency_hardware=f"{processor()}, {cores().usable} threads, {card.arithmetic}",
    )


def latency_contenders(
    colorizer: Colorizer, networks: Mapping[str, Network], height: int, width: int
) -> dict[str, Contender]:
    """The contenders for one image.

    Args:
        colorizer: does everything, from an uint8 array to an RGB array; called "ircolor".
        networks: by name; each gets a tensor that is ready.
        height: of the image, pixels.
        width: of the image, pixels.
    """
    infrared = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)
    card = colorizer.model.card
    ready = ready_tensor(height, width, card.grid_px, card.view_px)
    contenders = {"ircolor": timed(partial(colorizer, infrared))}
    return contenders | {name: timed(partial(network, ready)) for name, network in networks.items()}
