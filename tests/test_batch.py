"""What is read ahead of its turn; the rest of `ircolor.batch` is tested by what the commands do."""

from pathlib import Path

import numpy as np
import pytest

from ircolor import batch
from ircolor.colorizer import Colorizer
from ircolor.media.encode import write_image
from ircolor.media.images import Infrared, read_infrared
from ircolor.plan import DEFAULT_SETTINGS, plan_jobs
from tests.conftest import noise


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("limit_px", "ahead"), [(600, True), (599, False)])
def test_few_bytes_that_hold_many_pixels_wait_for_their_turn(
    tmp_path: Path,
    tiny_onnx: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    limit_px: int,
    ahead: bool,
) -> None:
    read: list[str] = []

    def note(content: Path | bytes, name: str) -> Infrared:
        read.append(name)
        return read_infrared(content, name)

    monkeypatch.setattr(batch, "read_infrared", note)
    monkeypatch.setattr(batch, "READ_AHEAD_PX", limit_px)
    image = str(tmp_path / f"night{suffix}")
    write_image(Path(image), np.repeat(noise(20, 30)[..., None], 3, axis=2))
    (job,) = plan_jobs([image], str(tmp_path / "out.png")).jobs
    task = batch._Task(job, Colorizer(tiny_onnx), DEFAULT_SETTINGS, None).read()
    assert read == [image] * ahead
    assert task.infer().finish().error is None
    assert read == [image]
