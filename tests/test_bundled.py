"""What ships: the bundled networks keep what the project promises of them."""

import numpy as np
import psutil
import pytest

from ircolor.colorizer import Colorizer
from ircolor.evaluation.models import model_rows
from ircolor.evaluation.references import infrared_copy
from ircolor.evaluation.score import score_pairs
from ircolor.media.scene import draw_road_scene
from ircolor.metrics import psnr_db, ssim
from ircolor.pairs.protocols import split_pairs
from ircolor.sessions.onnx import RUNS_UNTIL_SHRINKING
from ircolor.weights.catalogue import find_model, list_models
from tests.conftest import noise
from tests.tiny_pairs import DATA, real_data


def test_snet_is_the_network_of_the_paper_in_a_small_file() -> None:
    assert "snet" in [model.name for model in list_models()]
    snet = find_model("snet")
    assert len(snet.data) <= 28_000_000
    assert snet.card.num_parameters == 13_394_307
    assert snet.card.scores.keys() == {"val", "test"}
    assert (snet.card.grid_px, snet.card.halo_px, snet.card.error_halo_px) == (16, 112, 64)


@pytest.mark.slow
def test_snet_in_tiles_equals_snet_on_the_whole_image() -> None:
    infrared, _ = draw_road_scene(395, 553)
    colorizers = [Colorizer("snet", tile=tile) for tile in ("off", 320)]
    for depth_bits, most in ((8, 1), (16, 257)):
        whole, tiled = (each.colorize_detailed(infrared, depth_bits=depth_bits).rgb.astype(int) for each in colorizers)
        assert np.abs(tiled - whole).max() <= most


@real_data
def test_snet_beats_the_infrared_copy_on_real_pairs() -> None:
    colorizer = Colorizer("snet")
    scores = []
    for pair in split_pairs(DATA, "nirscene", "test"):
        infrared, true_rgb = pair.read()
        images = (colorizer(infrared), infrared_copy(pair.stem, infrared))
        scores.append([(psnr_db(image, true_rgb), ssim(image, true_rgb)) for image in images])
    snet, copy = np.mean(scores, axis=0)
    assert snet[0] >= copy[0] + 2
    assert snet[1] > copy[1]
    assert snet[0] == pytest.approx(find_model("snet").card.scores["test"]["psnr_db"], abs=0.05)


def test_fast_is_small_and_tells_what_to_trust() -> None:
    fast = find_model("fast")
    assert len(fast.data) <= 3_100_000
    assert sum(len(model.data) for model in list_models()) <= 30_000_000
    assert fast.gives_trust
    infrared, _ = draw_road_scene(240, 320)
    rgb, error = Colorizer("fast", return_trust=True)(infrared)
    assert rgb.shape == (240, 320, 3)
    assert error.shape == (240, 320)
    assert 1 < error.mean() < 40
    assert np.ptp(error) > 1


@real_data
def test_fast_beats_the_infrared_copy_and_knows_its_errors_on_real_pairs() -> None:
    pairs = split_pairs(DATA, "nirscene", "test")
    found = score_pairs(model_rows(["fast"]) | {"infrared-copy": infrared_copy}, pairs)
    fast, copy = found["fast"], found["infrared-copy"]
    assert fast.mean["psnr_db"] >= copy.mean["psnr_db"] + 2
    assert fast.mean["ssim"] > copy.mean["ssim"]
    assert fast.mean["psnr_db"] == pytest.approx(find_model("fast").card.scores["test"]["psnr_db"], abs=0.05)
    assert fast.trust is not None
    assert fast.trust.spearman > 0.3
    assert fast.trust.trusted_half < 0.9
    assert fast.trust.worst_miscalibration < 0.2


@pytest.mark.slow
def test_what_a_large_image_took_is_given_back() -> None:
    colorizer = Colorizer("snet", threads=1)
    process, small = psutil.Process(), noise(64, 64)
    colorizer(small)
    before = process.memory_info().rss
    colorizer(noise(800, 800))
    grown = process.memory_info().rss - before
    for _ in range(RUNS_UNTIL_SHRINKING):
        colorizer(small)
    assert process.memory_info().rss - before < grown / 4
    assert grown > 100 << 20
