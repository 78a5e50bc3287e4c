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
from ircolor.view import seen_size
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


def card_latency(model: bytes, card: Card) -> Card:
    """A card with the times of its network on the CPU of this machine, from infrared at rest to colours of its size.

    Args:
        model: a serialized ONNX model.
        card: of it.
    """
    network = ReadyNetwork(
        Model(card.name, model, card), device="cpu", tile="off", threads=None, lanes=1, trust=False, fade_strength=0
    )
    noise = np.random.default_rng(0)
    contenders = {
        f"{width}x{height}": timed(partial(network.run, noise.random((height, width), np.float32)))
        for height, width in CARD_SIZES
    }
    rounds = run_rounds(contenders, CARD_BUDGET_S)
    return replace(
        card,
        latency_ms={size: round(rounds.median_s(size) * 1e3, 1) for size in contenders},
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
