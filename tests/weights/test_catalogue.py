import hashlib
from pathlib import Path

import pytest

from ircolor.errors import UserError
from ircolor.weights import catalogue
from ircolor.weights.catalogue import find_model, list_models


@pytest.fixture
def bundle(tiny_sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the folder of the bundled networks."""
    for name in ("snet.onnx", "thermal.onnx"):
        (tmp_path / name).write_bytes(tiny_sealed)
    monkeypatch.setattr(catalogue, "bundled_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.usefixtures("bundle")
def test_bundled_networks_are_found_by_name(tiny_sealed: bytes) -> None:
    assert [model.name for model in list_models()] == ["snet", "thermal"]
    assert find_model("snet").sha256 == hashlib.sha256(tiny_sealed).hexdigest()


@pytest.mark.usefixtures("bundle")
def test_an_unknown_name_is_told_with_the_nearest_one() -> None:
    with pytest.raises(UserError, match=r"model 'snt': unknown; did you mean snet\? .*: snet, thermal"):
        find_model("snt")


def test_a_file_is_taken_by_its_path(tiny_onnx: Path) -> None:
    assert find_model(tiny_onnx).card.name == "tiny"
    assert find_model(str(tiny_onnx)).name == str(tiny_onnx)


def test_a_missing_file_is_told() -> None:
    with pytest.raises(UserError, match=r"nowhere/net.onnx: cannot be read"):
        find_model("nowhere/net.onnx")


@pytest.mark.usefixtures("bundle")
def test_a_name_that_no_file_can_have_is_told() -> None:
    with pytest.raises(UserError, match=r"model 'a\\x00.onnx': no file has such a name"):
        find_model("a\0.onnx")


def test_a_damaged_file_of_the_package_is_to_be_installed_again(bundle: Path) -> None:
    (bundle / "thermal.onnx").write_bytes(b"")
    (bundle / "folder.onnx").mkdir()
    with pytest.raises(UserError, match=r"^thermal: damaged in this installation; reinstall with: pip install"):
        list_models()


def test_a_file_larger_than_the_memory_is_told(tiny_onnx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_: Path) -> bytes:
        raise MemoryError

    monkeypatch.setattr(Path, "read_bytes", read)
    with pytest.raises(UserError, match=r"tiny.onnx: is larger than the memory that can be had"):
        find_model(tiny_onnx)
