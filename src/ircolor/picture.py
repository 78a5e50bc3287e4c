"""What is written of a result: its colours or a map of which to trust, alone or beside the infrared image."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ircolor.colorized import Strip
from ircolor.media.compose import side_by_side, side_by_side_width
from ircolor.media.images import Image
from ircolor.media.provenance import Provenance
from ircolor.plan import Settings
from ircolor.trust import MAP_END_DELTA_E, MeanError, error_picture


class PictureMaker:
    """Makes what is written of one image or video; threads may share it.

    Attributes:
        mean_error: of the expected errors of all that was made a picture of.
    """

    def __init__(self, settings: Settings) -> None:
        self._compare, self._map = settings.compare, settings.trust == "map"
        self.mean_error = MeanError()

    def picture(self, strip: Strip) -> Image:
        """The picture of a strip, or of a whole image: (h, `width`, 3), of the strip's type."""
        panels = [strip.infrared, strip.rgb] if self._compare else [] if self._map else [strip.rgb]
        if strip.expected_error is not None:
            self.mean_error.add(strip.expected_error)
            if self._map:
                panels.append(error_picture(strip.expected_error, strip.rgb.dtype))
        return side_by_side(panels) if self._compare else panels[0]

    def pictures(self, strips: Iterable[Strip]) -> Iterator[Image]:
        """The pictures of strips, from top to bottom."""
        return map(self.picture, strips)

    def width(self, width: int) -> int:
        """How wide the picture of an image of a width is, in px."""
        return side_by_side_width(width, 2 + self._map) if self._compare else width

    def inscription(self, provenance: Provenance) -> Provenance:
        """What the file says about itself, given what it says where it shows the colours."""
        if not self._map:
            return provenance
        where = "The panel on the right" if self._compare else "This picture"
        said = f"{where} is not the colours but a map of the error expected of them, CIEDE2000"
        return replace(provenance, remark=f"{said} 0 (black) to {MAP_END_DELTA_E:g} and above (pale yellow).")
