import hashlib
import itertools
import json
from collections.abc import Iterator

import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ircolor.errors import UserError
from ircolor.protobuf import Field
from ircolor.weights.seal import open_sealed, seal
from tests.conftest import make_card, make_tiny_body


def test_onnxruntime_and_onnx_read_a_sealed_file(tiny_body: bytes, tiny_sealed: bytes) -> None:
    session = onnxruntime.InferenceSession(tiny_sealed, providers=["CPUExecutionProvider"])
    text = session.get_modelmeta().custom_metadata_map["ircolor_card"]
    content = json.loads(text)
    assert content["name"] == "tiny"
    assert content["body_bytes"] == len(tiny_body)
    assert content["body_sha256"] == hashlib.sha256(tiny_body).hexdigest()
    model = onnx.load_from_string(tiny_sealed)
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("ircolor_card", text)]


def test_the_card_comes_back(tiny_sealed: bytes) -> None:
    assert open_sealed(tiny_sealed, "tiny.onnx") == make_card()


@pytest.mark.parametrize("where", [0.01, 0.3, 0.5, 0.8, 0.95])
def test_a_flipped_bit_is_told(tiny_sealed: bytes, where: float) -> None:
    damaged = bytearray(tiny_sealed)
    damaged[int(len(damaged) * where)] ^= 4
    with pytest.raises(UserError, match=r"^tiny.onnx: .*(copy or download it again|export it)"):
        open_sealed(bytes(damaged), "tiny.onnx")


def test_changed_weights_and_a_changed_card_are_told_as_tampering(tiny_sealed: bytes) -> None:
    weights = bytearray(tiny_sealed)
    weights[len(weights) // 2] ^= 1
    for changed in (bytes(weights), tiny_sealed.replace(b'"psnr_db":14.5', b'"psnr_db":34.5')):
        assert changed != tiny_sealed
        with pytest.raises(UserError, match=r"tiny.onnx: damaged or tampered with .* download it again"):
            open_sealed(changed, "tiny.onnx")


@given(kept=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_told(kept: float) -> None:
    data = SEALED[: int(len(SEALED) * kept)]
    with pytest.raises(UserError, match=r"^tiny.onnx: "):
        open_sealed(data, "tiny.onnx")


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(UserError, match=r"^\Athing.onnx: [^\n]+\Z"):
        open_sealed(data, "thing.onnx")


@given(tail=st.binary(min_size=1, max_size=60))
def test_nothing_may_follow_the_card(tail: bytes) -> None:
    with pytest.raises(UserError):
        open_sealed(SEALED + tail, "tiny.onnx")


def test_a_foreign_model_is_told_to_be_exported(tiny_body: bytes) -> None:
    with pytest.raises(UserError, match=r"without an ircolor card .* ircolor export"):
        open_sealed(tiny_body, "foreign.onnx")


def test_a_length_that_points_behind_the_file_is_refused() -> None:
    with pytest.raises(UserError, match="not an ONNX model, or truncated"):
        open_sealed(b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "bad.onnx")


def test_a_file_of_millions_of_fields_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would take some 200 bytes of memory, for two of the file."""
    read = itertools.count()

    def endless(_: bytes) -> Iterator[Field]:
        while next(read) < 100_000:
            yield Field(1, memoryview(b""), memoryview(b"\x08\x00"))

    monkeypatch.setattr("ircolor.weights.seal.fields", endless)
    with pytest.raises(UserError, match=r"many.onnx: not an ONNX model"):
        open_sealed(b"\x08\x00", "many.onnx")
    assert next(read) < 20_000


def test_an_unknown_field_of_a_card_stays_on_one_line(tiny_body: bytes) -> None:
    odd = make_card()
    object.__setattr__(odd, "to_dict", lambda: make_card().to_dict() | {"a\nerror: all is lost": 1})
    with pytest.raises(UserError, match=r"the card has unknown fields 'a\\nerror: all is lost'; export"):
        open_sealed(seal(tiny_body, odd), "odd.onnx")


def test_only_a_model_without_metadata_can_be_sealed(tiny_sealed: bytes) -> None:
    for body in (tiny_sealed, b"", b"text"):
        with pytest.raises(ValueError, match=r"without metadata_props|message|number|wire"):
            seal(body, make_card())


SEALED = seal(make_tiny_body(), make_card())
