import numpy as np
import pytest

from ircolor.colorized import Strip
from ircolor.media.compose import GAP_PX, side_by_side
from ircolor.media.provenance import Provenance
from ircolor.picture import PictureMaker
from ircolor.plan import Settings
from ircolor.trust import error_picture
from tests.conftest import noise

RGB = np.stack([noise(6, 8, seed) for seed in range(3)], axis=2)
ERRORS = np.linspace(0, 30, 48, dtype=np.float32).reshape(6, 8)
STRIP = Strip(RGB, noise(6, 8), ERRORS)
PROVENANCE = Provenance("snet", "1.0", "ab" * 32, 0.0, 255.0, "auto")


@pytest.mark.parametrize("trust", [None, "fade"])
def test_colours_are_written_as_they_are(trust: str | None) -> None:
    maker = PictureMaker(Settings(trust=trust))
    assert maker.picture(STRIP) is RGB
    assert maker.width(8) == 8
    assert maker.inscription(PROVENANCE) == PROVENANCE


def test_a_map_stands_in_place_of_the_colours() -> None:
    maker = PictureMaker(Settings(trust="map"))
    np.testing.assert_array_equal(maker.picture(STRIP), error_picture(ERRORS))
    assert maker.width(8) == 8
    said = maker.inscription(PROVENANCE).sentence
    assert said.endswith(
        "This picture is not the colours but a map of the error expected of them, CIEDE2000 0 (black) to 30 and above "
        "(pale yellow)."
    )


@pytest.mark.parametrize(("trust", "num_panels"), [(None, 2), ("fade", 2), ("map", 3)])
def test_side_by_side_a_map_is_the_third(trust: str | None, num_panels: int) -> None:
    maker = PictureMaker(Settings(trust=trust, compare=True))
    panels = [STRIP.infrared, RGB, error_picture(ERRORS)][:num_panels]
    picture = maker.picture(STRIP)
    np.testing.assert_array_equal(picture, side_by_side(panels))
    assert maker.width(8) == picture.shape[1] == 8 * num_panels + GAP_PX * (num_panels - 1)
    assert ("The panel on the right" in maker.inscription(PROVENANCE).sentence) == (trust == "map")


def test_strips_make_up_the_picture_and_the_mean() -> None:
    maker = PictureMaker(Settings(trust="map", compare=True))
    strips = [Strip(RGB[rows], STRIP.infrared[rows], ERRORS[rows]) for rows in (slice(0, 1), slice(1, 6))]
    whole = PictureMaker(Settings(trust="map", compare=True)).picture(STRIP)
    np.testing.assert_array_equal(np.concatenate(list(maker.pictures(strips))), whole)
    assert maker.mean_error.delta_e == pytest.approx(15)
