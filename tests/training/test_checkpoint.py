import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ircolor.errors import UserError
from ircolor.training.checkpoint import HEADER_KEY, Progress, load_checkpoint, save_checkpoint


def write(path: Path, module: nn.Module) -> None:
    save_checkpoint(path, {"name": "x"}, {"protocol": "folder"}, Progress(3, 1.5, 20.0, 1), {"net": module})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    module, other = nn.Linear(3, 2), nn.Linear(3, 2)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, {"name": "x"}, {"protocol": "folder"}, Progress(3, 1.5), {"net": module}, optimizer)
    checkpoint = load_checkpoint(path)
    assert (checkpoint.recipe, checkpoint.about) == ({"name": "x"}, {"protocol": "folder"})
    assert checkpoint.progress == Progress(3, 1.5, float("-inf"), 0)
    checkpoint.load_into("net", other)
    assert torch.equal(other.weight, module.weight)
    other_optimizer = torch.optim.Adam(other.parameters())
    checkpoint.load_optimizer(other_optimizer)
    for net in (module, other):
        net.zero_grad()
        net(torch.full((1, 3), 2.0)).sum().backward()
    optimizer.step()
    other_optimizer.step()
    assert torch.equal(other.weight, module.weight)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not list what is mapped")
def test_a_file_that_was_loaded_is_not_held(tmp_path: Path) -> None:
    """Windows replaces no file that is mapped, and a run that goes on replaces its checkpoint."""
    path = tmp_path / "last.safetensors"
    module = nn.Linear(3, 2)
    write(path, module)
    checkpoint = load_checkpoint(path)
    assert str(path) not in Path("/proc/self/maps").read_text(encoding="utf-8")
    assert torch.equal(checkpoint.tensors["net.weight"], module.weight)


def test_a_half_written_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write(path, nn.Linear(30, 20))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"a\.safetensors: damaged"):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80\x04\x95pickle"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged or not a safetensors file"):
        load_checkpoint(path)


def test_foreign_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(UserError, match="not a checkpoint of ircolor"):
        load_checkpoint(path)


@pytest.mark.parametrize("changed", [{"about": None}, {"recipe": []}, {"progress": 3}])
def test_a_header_of_another_kind_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    path = tmp_path / "a.safetensors"
    header = {"recipe": {}, "about": {}, "progress": {}} | changed
    save_file({"weight": torch.zeros(3)}, path, {HEADER_KEY: json.dumps(header)})
    with pytest.raises(UserError, match="not a checkpoint of ircolor"):
        load_checkpoint(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such checkpoint"):
        load_checkpoint(tmp_path / "absent.safetensors")


def test_a_checkpoint_of_another_net_does_not_load(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write(path, nn.Linear(3, 2))
    with pytest.raises(UserError, match=r"a\.safetensors: holds another network than this Conv2d"):
        load_checkpoint(path).load_into("net", nn.Conv2d(3, 2, 1))


def test_nothing_is_left_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    write(path, nn.Linear(3, 2))
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        write(path, nn.Linear(3, 2))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
