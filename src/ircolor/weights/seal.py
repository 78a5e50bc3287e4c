"""A model file that notices its own damage.

The file is `body + tail`. The body is a serialized ONNX ModelProto without metadata; the tail is one metadata
entry, `ircolor_card`, in the encoding of protobuf. Fields of a message may come in any order, so the two
behind each other are again a ModelProto, which onnxruntime and every ONNX tool reads. The entry is the card
as JSON, with the length and the SHA-256 of the body and the SHA-256 of the card itself: a truncated or
changed file is found before it is run. (This guards against accidents and unnoticed edits; whoever edits the
digests too is not found.)
"""

import hashlib
import json
from itertools import islice
from typing import Any

from ircolor.errors import UserError
from ircolor.protobuf import fields, header
from ircolor.weights.card import Card, canonical_json

CARD_KEY = b"ircolor_card"
_GRAPH_FIELD = 7
_METADATA_FIELD = 14
_MAX_CARD_BYTES = 1 << 20
_MAX_FIELDS = 10_000  # of a model; files of ours have ten, beside which a hostile one may have millions


def seal(body: bytes, card: Card) -> bytes:
    """A model file: the network with its card and the digests of both.

    Args:
        body: a serialized ModelProto with no metadata_props.
        card: what the file says about the network.

    Raises:
        ValueError: the body is not such a ModelProto.
    """
    numbers = {field.number for field in fields(body)}
    if _GRAPH_FIELD not in numbers or _METADATA_FIELD in numbers:
        raise ValueError("expected a serialized ONNX model without metadata_props")
    content = card.to_dict() | {"body_bytes": len(body), "body_sha256": hashlib.sha256(body).hexdigest()}
    content["card_sha256"] = hashlib.sha256(canonical_json(content)).hexdigest()
    entry = _entry(1, CARD_KEY) + _entry(2, canonical_json(content))
    return body + _entry(_METADATA_FIELD, entry)


def open_sealed(data: bytes, name: str) -> Card:
    """Check a model file and read its card.

    Args:
        data: the whole file.
        name: what to call it in messages.

    Raises:
        UserError: not an ONNX model, an ONNX model without a card, damaged, truncated or changed.
    """
    try:
        found = list(islice(fields(data), _MAX_FIELDS + 1))
    except ValueError as error:
        raise UserError(f"{name}: not an ONNX model, or truncated; copy or download it again") from error
    if len(found) > _MAX_FIELDS or not any(field.number == _GRAPH_FIELD for field in found):
        raise UserError(f"{name}: not an ONNX model; give one made with ircolor export")
    last = found[-1]
    text = _card_text(last.value) if last.number == _METADATA_FIELD else None
    if text is None:
        raise UserError(f"{name}: an ONNX model without an ircolor card at its end; export it with ircolor export")
    body = memoryview(data)[: -len(last.whole)]
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


def _card_text(entry: memoryview) -> bytes | None:
    """The card's JSON if the metadata entry holds exactly that."""
    if len(entry) > 2 * _MAX_CARD_BYTES:
        return None
    try:
        strings = {field.number: bytes(field.value) for field in fields(entry)}
    except ValueError:
        return None
    text = strings.get(2)
    return text if strings.get(1) == CARD_KEY and text and len(text) <= _MAX_CARD_BYTES else None


def _entry(field: int, content: bytes) -> bytes:
    return header(field, len(content)) + content
