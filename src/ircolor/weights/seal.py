"""A model file that notices its own damage.

The file is `body + tail`. The body is a serialized ONNX ModelProto without metadata; the tail is one metadata
entry, `ircolor_card`, in the encoding of protobuf. Fields of a message may come in any order, so the two
behind each other are again a ModelProto, which onnxruntime and every ONNX tool reads. The entry is the card
as JSON, with the length and the SHA-256 of the body and the SHA-256 of the card itself: a truncated or
changed file is found before it is run. (This guards against accidents and unnoticed edits; whoever edits the
digests too is not found.)

The parsing here needs no protobuf library and trusts no length that it reads.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from ircolor.errors import UserError
from ircolor.weights.card import Card, canonical_json

CARD_KEY = b"ircolor_card"
_GRAPH_FIELD = 7
_METADATA_FIELD = 14
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5
_MAX_CARD_BYTES = 1 << 20


def seal(body: bytes, card: Card) -> bytes:
    """A model file: the network with its card and the digests of both.

    Args:
        body: a serialized ModelProto with no metadata_props.
        card: what the file says about the network.

    Raises:
        ValueError: the body is not such a ModelProto.
    """
    fields = {number for number, _, _ in _fields(body)}
    if _GRAPH_FIELD not in fields or _METADATA_FIELD in fields:
        raise ValueError("expected a serialized ONNX model without metadata_props")
    content = card.to_dict() | {"body_bytes": len(body), "body_sha256": hashlib.sha256(body).hexdigest()}
    content["card_sha256"] = hashlib.sha256(canonical_json(content)).hexdigest()
    entry = _encode(1, CARD_KEY) + _encode(2, canonical_json(content))
    return body + _encode(_METADATA_FIELD, entry)


def open_sealed(data: bytes, name: str) -> Card:
    """Check a model file and read its card.

    Args:
        data: the whole file.
        name: what to call it in messages.

    Raises:
        UserError: not an ONNX model, an ONNX model without a card, damaged, truncated or changed.
    """
    try:
        fields = list(_fields(data))
    except ValueError as error:
        raise UserError(f"{name}: not an ONNX model, or truncated; copy or download it again") from error
    if not any(number == _GRAPH_FIELD for number, _, _ in fields):
        raise UserError(f"{name}: not an ONNX model; give one made with ircolor export")
    number, start, value = fields[-1]
    text = _card_text(value) if number == _METADATA_FIELD else None
    if text is None:
        raise UserError(f"{name}: an ONNX model without an ircolor card at its end; export it with ircolor export")
    body = memoryview(data)[:start]
    try:
        content: Any = json.loads(text)
        card_sha256 = content.pop("card_sha256")
        whole = (
            card_sha256 == hashlib.sha256(canonical_json(content)).hexdigest()
            and content.pop("body_bytes") == len(body)
            and content.pop("body_sha256") == hashlib.sha256(body).hexdigest()
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise UserError(f"{name}: damaged or tampered with (its SHA-256 is not its card's); copy or download it again")
    try:
        return Card.from_dict(content)
    except ValueError as error:
        raise UserError(f"{name}: {error}; export it again with this version of ircolor") from error


def _card_text(entry: bytes) -> bytes | None:
    """The card's JSON if the metadata entry holds exactly that."""
    try:
        strings = {number: value for number, _, value in _fields(entry)}
    except ValueError:
        return None
    text = strings.get(2)
    return text if strings.get(1) == CARD_KEY and text and len(text) <= _MAX_CARD_BYTES else None


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, start and value of each field; the value is that of a length-delimited field, else empty.

    The value of a large field (the graph) is not copied but left empty as well.

    Raises:
        ValueError: the bytes are not a protobuf message that ends where the bytes end.
    """
    position = 0
    while position < len(message):
        start = position
        tag, position = _read_varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        value = b""
        if wire_type == _VARINT:
            _, position = _read_varint(message, position)
        elif wire_type in (_FIXED64, _FIXED32):
            position += 8 if wire_type == _FIXED64 else 4
        elif wire_type == _LENGTH_DELIMITED:
            length, position = _read_varint(message, position)
            if length <= 2 * _MAX_CARD_BYTES:
                value = message[position : position + length]
            position += length
        else:
            raise ValueError("unknown wire type")
        if number == 0 or position > len(message):
            raise ValueError("a field ends behind the message")
        yield number, start, value


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position behind it."""
    number = 0
    for index, byte in enumerate(message[position : position + 10]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, position + index + 1
    raise ValueError("a number does not end")


def _encode(field: int, value: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
