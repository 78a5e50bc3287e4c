"""The size at which a trained net sees pictures best, found on validation pairs.

Crops show 40 to 100 % of a picture at one size, so that a net knows things at several sizes. Which of them suits it
best at the end differs from net to net: by half a dB and more for those that look far around.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import mean

from ircolor.metrics import psnr_db, usable_pixels
from ircolor.nets import ColorizingNet
from ircolor.pairs.index import Pair
from ircolor.training.colorized import colorized
from ircolor.training.device import choose_precision, make_accelerator
from ircolor.view import View

VIEWS_PX = (96, 128, 160, 224)


def psnr_by_view(
    net: ColorizingNet, pairs: Sequence[Pair], view: View, views_px: Sequence[int] = VIEWS_PX
) -> dict[int, float]:
    """Mean PSNR over whole pictures, in dB, for each shorter side at which the net is shown them (`ircolor.view`).

    Args:
        net: in eval mode.
        pairs: to score; over usable pixels where a pair has a mask.
        view: of its recipe, but for the shorter side.
        views_px: the shorter sides, pixels.

    Raises:
        UserError: a pair cannot be read.
    """
    accelerator = make_accelerator(choose_precision())
    net = net.to(accelerator.device)
    found: dict[int, list[float]] = {view_px: [] for view_px in views_px}
    for pair in pairs:
        infrared, true_rgb, mask = pair.read_masked()
        for view_px, values in found.items():
            pred_rgb = colorized(net, infrared, replace(view, px=view_px), accelerator)
            values.append(psnr_db(usable_pixels(pred_rgb, mask), usable_pixels(true_rgb, mask)))
    return {view_px: round(mean(values), 3) for view_px, values in found.items()}
