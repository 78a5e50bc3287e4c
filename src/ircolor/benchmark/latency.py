"""How long one image takes: through `Colorizer`, by bare onnxruntime on the same file, and by other contenders."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ircolor.benchmark.rounds import Contender, timed
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError, brief
from ircolor.sessions.providers import DEVICES

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
    session = onnxruntime.InferenceSession(colorizer.model.data, options, providers=providers)

    def run(infrared: NDArray[np.float32]) -> None:
        try:
            session.run(None, {"infrared": infrared})
        except Exception as error:  # the types of onnxruntime have no common base below Exception
            height, width = infrared.shape[2:]
            raise UserError(
                f"{width}x{height}: bare onnxruntime fails ({brief(error)}); leave this size out"
            ) from error

    return run


def ready_tensor(height: int, width: int, grid_px: int) -> NDArray[np.float32]:
    """Noise as a network takes it, (1, 1, H, W) in [-1, 1], of a size that is rounded up to the grid."""
    shape = (1, 1, height + -height % grid_px, width + -width % grid_px)
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


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
    ready = ready_tensor(height, width, colorizer.model.card.grid_px)
    contenders = {"ircolor": timed(partial(colorizer, infrared))}
    return contenders | {name: timed(partial(network, ready)) for name, network in networks.items()}
