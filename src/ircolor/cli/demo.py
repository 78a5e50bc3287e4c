"""ircolor demo."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ircolor.cli.messages import say
from ircolor.errors import UserError
from ircolor.weights import DEFAULT_MODEL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ircolor.pairs.index import Pair


def demo(
    image: Annotated[
        Path | None, typer.Argument(metavar="[IMAGE]", help="Infrared image.", show_default="see above")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to.")] = Path("demo"),
    model: Annotated[str, typer.Option(metavar="NAME|FILE.onnx", help="See ircolor models.")] = DEFAULT_MODEL,
) -> None:
    """Colorize one image and write it side by side with its colours.

    Without IMAGE: the first test image of the real pairs in $IRCOLOR_DATA or
    ../shared/data, with its true colours; without those, a synthetic scene.
    A demo of the same image that was there before is replaced.
    """
    from ircolor.colorizer import Colorizer
    from ircolor.media.compose import side_by_side
    from ircolor.media.encode import write_image
    from ircolor.media.images import read_infrared

    stem, infrared, true_rgb, caption = _choose(image)
    colorizer = Colorizer(model)
    result = colorizer.colorize_detailed(read_infrared(infrared) if isinstance(infrared, Path) else infrared)
    panels = [result.infrared, result.rgb]
    captions = [caption, f"colours predicted by {colorizer.model.card.name} {colorizer.model.card.version}"]
    if true_rgb is not None:
        panels.append(true_rgb)
        captions.append("true colours")
    path = output / f"{stem}_demo.png"
    write_image(path, side_by_side(panels, captions), result.provenance)
    for note in result.notes:
        say(f"{stem}: {note}")
    print(path)


def _choose(image: Path | None) -> "tuple[str, Path | NDArray[Any], NDArray[np.uint8] | None, str]":
    """Name, infrared image, true colours where they are known, caption."""
    from ircolor.media.images import read_rgb
    from ircolor.media.scene import draw_road_scene

    if image:
        return image.stem, image, None, "infrared"
    pair = _first_test_pair()
    if pair:
        return pair.stem, pair.infrared, read_rgb(pair.rgb), "infrared"
    drawn, true_rgb = draw_road_scene()
    return "synthetic_scene", drawn, true_rgb, "infrared (synthetic scene)"


def _first_test_pair() -> "Pair | None":
    """The first test pair of the real pairs, if they are there."""
    from ircolor.pairs.index import find_pairs
    from ircolor.pairs.protocols import default_protocol, split_pairs

    folder = Path(os.environ.get("IRCOLOR_DATA", "../shared/data"))
    if not (folder / "index.csv").is_file():
        return None
    try:
        return split_pairs(folder, default_protocol(find_pairs(folder)), "test")[0]
    except UserError as error:
        say(f"no test pair, so a synthetic scene: {error}")
        return None
