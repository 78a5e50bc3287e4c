import copy
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image as PillowImage

import ircolor
from ircolor import list_models
from ircolor.colorizer import Colorizer
from ircolor.errors import UserError
from ircolor.weights.seal import seal
from tests.conftest import gray_png, make_card, noise
from tests.trust_models import error_by_brightness


@pytest.fixture(scope="module")
def colorizer(tiny_onnx: Path) -> Colorizer:
    return Colorizer(tiny_onnx, device="cpu", threads=1)


@given(height=st.integers(1, 70), width=st.integers(1, 70))
@example(height=1, width=1)
@example(height=1, width=4000)
@example(height=4000, width=1)
@settings(max_examples=25, deadline=None)
def test_any_size_keeps_its_size(colorizer: Colorizer, height: int, width: int) -> None:
    rgb = colorizer(noise(height, width))
    assert rgb.shape == (height, width, 3)
    assert rgb.dtype == np.uint8


@given(height=st.integers(1, 300), width=st.integers(1, 300), tile=st.integers(80, 200))
@settings(max_examples=15, deadline=None)
def test_tiled_equals_whole(tiny_onnx: Path, height: int, width: int, tile: int) -> None:
    image = noise(height, width)
    whole = Colorizer(tiny_onnx, tile="off", threads=1)(image)
    tiled = Colorizer(tiny_onnx, tile=tile, threads=1)(image)
    assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_it_is_the_network_on_the_padded_image(colorizer: Colorizer, tiny_body: bytes) -> None:
    import onnxruntime

    image = noise(20, 30)
    padded = np.pad(image, ((0, 12), (0, 2)), mode="reflect").astype(np.float32) / 127.5 - 1
    session = onnxruntime.InferenceSession(tiny_body, providers=["CPUExecutionProvider"])
    expected = session.run(["rgb"], {"infrared": padded[None, None]})[0][0, :, :20, :30]
    difference = colorizer(image).transpose(2, 0, 1) - (expected + 1) * 127.5
    assert np.abs(difference).max() <= 0.51


@pytest.mark.parametrize(
    "same",
    [
        lambda image: image[..., None],
        lambda image: np.repeat(image[..., None], 3, axis=2),
        lambda image: image.astype(np.uint16) * 257,
        lambda image: image / 255,
        lambda image: (image / 255).astype(np.float32),
        lambda image: image[:, ::-1][:, ::-1],
    ],
)
def test_depth_and_layout_do_not_change_the_result(colorizer: Colorizer, same: Any) -> None:
    image = noise(20, 30)
    image[0, 0] = 255
    assert np.abs(colorizer(image).astype(int) - colorizer(same(image))).max() <= 1


def test_a_path_gives_an_array_and_a_pil_image_a_pil_image(colorizer: Colorizer, tmp_path: Path) -> None:
    image = noise(20, 30)
    expected = colorizer(image)
    pillow = PillowImage.fromarray(image)
    pillow.save(tmp_path / "night.png")
    np.testing.assert_array_equal(colorizer(tmp_path / "night.png"), expected)
    np.testing.assert_array_equal(colorizer(str(tmp_path / "night.png")), expected)
    result = colorizer(pillow)
    assert isinstance(result, PillowImage.Image)
    np.testing.assert_array_equal(np.asarray(result), expected)


@pytest.mark.parametrize("mode", ["L", "P", "I", "I;16", "F", "1", "LA", "CMYK"])
def test_pil_modes_that_store_gray_give_gray(colorizer: Colorizer, mode: str) -> None:
    image = PillowImage.fromarray(np.where(noise(20, 30) > 128, 255, 0).astype(np.uint8))
    # PIL's own conversion to I;16 keeps the numbers: 0 to 255, which the auto rule takes for 8 bits.
    converted = image.convert(mode)
    seen = colorizer.colorize_detailed(converted).infrared
    expected = np.asarray(image)
    assert np.abs(seen.astype(int) - expected).max() <= 2


def test_images_of_plugins_of_pil_are_pil_images(colorizer: Colorizer) -> None:
    class Plugin(PillowImage.Image):
        pass

    image = Plugin()
    image.__dict__.update(PillowImage.fromarray(noise(20, 30)).__dict__)
    assert isinstance(colorizer(image), PillowImage.Image)


def test_a_pil_image_that_cannot_be_decoded_is_told(colorizer: Colorizer, tmp_path: Path) -> None:
    PillowImage.fromarray(noise(200, 300)).save(tmp_path / "cut.png")
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with (
        PillowImage.open(tmp_path / "cut.png") as image,
        pytest.raises(UserError, match=r"PIL cannot give its pixels .*is it whole"),
    ):
        colorizer(image)
    with pytest.raises(UserError, match="no pixels"):
        colorizer(PillowImage.new("I", (0, 0)))


def test_a_path_may_be_an_entry_of_a_folder(colorizer: Colorizer, tmp_path: Path) -> None:
    PillowImage.fromarray(noise(20, 30)).save(tmp_path / "night.png")
    (entry,) = os.scandir(tmp_path)
    np.testing.assert_array_equal(colorizer.colorize_detailed(entry).rgb, colorizer(noise(20, 30)))


def test_a_colour_image_is_converted_with_a_warning(colorizer: Colorizer) -> None:
    rgb = np.stack([noise(8, 8, seed) for seed in range(3)], axis=2)
    with pytest.warns(UserWarning, match="it is a colour image; its luma was taken"):
        colorizer(rgb)


def test_the_result_tells_how_it_came_about(tiny_onnx: Path) -> None:
    calls: list[tuple[int, int | None]] = []
    colorizer = Colorizer(tiny_onnx, tile=96, intensity="0:4095")
    image = np.full((200, 100), 4095, np.uint16)
    result = colorizer.colorize_detailed(image, progress=lambda done, total: calls.append((done, total)))
    assert (result.window.low, result.window.high) == (0, 4095)
    assert (result.infrared == 255).all()
    assert result.tiling.reason == "tiles of 96 px, as asked"
    assert calls == [(i + 1, result.tiling.num_tiles) for i in range(result.tiling.num_tiles)]
    assert result.provenance.model_sha256 == colorizer.model.sha256
    assert (result.provenance.model, result.provenance.high) == ("tiny", 4095)


def test_threads_may_share_it(colorizer: Colorizer) -> None:
    images = [noise(40, 40, seed) for seed in range(8)]
    expected = [colorizer(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        for got, want in zip(pool.map(colorizer, images), expected, strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("image", [np.zeros((0, 3)), np.array([[np.nan]]), np.zeros((2, 2), complex), "none.png"])
def test_bad_input_is_told(colorizer: Colorizer, image: NDArray[Any] | str) -> None:
    with pytest.raises(UserError):
        colorizer(image)


def test_a_lack_of_memory_is_told(colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "rint", fail)
    with pytest.raises(UserError, match=r"not enough memory for an image of \(20, 30\)"):
        colorizer(noise(20, 30))


def test_colorize_keeps_the_last_network(tiny_onnx: Path) -> None:
    from ircolor.one_image import _last_colorizer

    image = noise(20, 30)
    first = ircolor.colorize(image, tiny_onnx)
    hits = _last_colorizer.cache_info().hits
    np.testing.assert_array_equal(ircolor.colorize(image, tiny_onnx), first)
    assert _last_colorizer.cache_info().hits == hits + 1


def test_colorize_takes_a_network_that_was_replaced(tiny_onnx: Path, tmp_path: Path) -> None:
    image, model = noise(20, 30), tmp_path / "model.onnx"
    model.write_bytes(tiny_onnx.read_bytes())
    first = ircolor.colorize(image, model)
    model.write_bytes(seal(error_by_brightness(), make_card(grid_px=1, halo_px=0)))
    assert (ircolor.colorize(image, model) != first).any()


def test_the_order_of_bytes_does_not_matter(colorizer: Colorizer) -> None:
    image = noise(20, 30).astype(np.uint16) * 16
    np.testing.assert_array_equal(colorizer(image.astype(">u2")), colorizer(image))


def test_the_public_names_are_these() -> None:
    assert ircolor.__all__ == ["Colorizer", "UserError", "__version__", "colorize", "list_models"]
    assert all(getattr(ircolor, name) for name in ircolor.__all__)
    with pytest.raises(AttributeError, match="no attribute 'colourize'"):
        _ = ircolor.colourize


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, ircolor, ircolor.cli.main; ircolor.cli.main.build_app();"
        "print([name for name in ('numpy', 'cv2', 'onnxruntime', 'torch', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks")
def test_a_fork_beside_a_run_can_colorize(tiny_onnx: Path) -> None:
    program = f"""
import os, threading
import numpy as np
from ircolor import Colorizer
colorizer = Colorizer({str(tiny_onnx)!r}, threads=1)
image = np.zeros((20, 30), np.uint8)
taken = threading.Event()
def take_the_turn():
    with colorizer._network._turns:
        taken.set()
        threading.Event().wait()
threading.Thread(target=take_the_turn, daemon=True).start()
taken.wait()
child = os.fork()
if child == 0:
    os._exit(colorizer(image).shape != (20, 30, 3))
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "0\n", done.stderr


def test_it_is_copied_and_pickled_as_it_was_made(tiny_onnx: Path) -> None:
    made = Colorizer(tiny_onnx, intensity="10:200", threads=1, return_trust=False)
    image = noise(20, 30)
    np.testing.assert_array_equal(copy.deepcopy(made)(image), made(image))
    assert len(pickle.dumps(made)) < 1000


def test_a_model_is_shown_in_few_words() -> None:
    assert len(repr(list_models())) < 10_000


def test_bytes_of_a_file_are_an_image(colorizer: Colorizer) -> None:
    np.testing.assert_array_equal(colorizer(gray_png(20, 30)), colorizer(noise(20, 30)))
    with pytest.raises(UserError, match="the image: not an image"):
        colorizer(b"something else")
    with pytest.raises(UserError, match=r"a\\x00b: no file can be called so"):
        colorizer("a\0b")


def test_threads_that_begin_together_load_a_network_once(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str | Path] = []

    def load(model: str | Path, **options: Any) -> Colorizer:
        loaded.append(model)
        time.sleep(0.1)
        return Colorizer(model, **options)

    monkeypatch.setattr("ircolor.one_image.Colorizer", load)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ircolor.colorize(noise(21, 33), tiny_onnx, threads=1), range(8)))
    assert loaded == [tiny_onnx]


def test_what_was_done_to_an_image_is_told_of_the_line_that_gave_it(tiny_onnx: Path, colorizer: Colorizer) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    with pytest.warns(UserWarning, match="luma") as of_object:
        colorizer(rgb)
    with pytest.warns(UserWarning, match="luma") as of_function:
        ircolor.colorize(rgb, tiny_onnx)
    assert [warning.filename for warning in (*of_object, *of_function)] == [__file__] * 2
