"""The wire format of protobuf, as far as ONNX files need it; no length that is read is trusted."""

from collections.abc import Iterator
from typing import NamedTuple

_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: its number in the message's definition.
        value: of a length-delimited field; else empty.
        whole: the field as it stands in the message.
    """

    number: int
    value: memoryview
    whole: memoryview


def fields(message: bytes | memoryview) -> Iterator[Field]:
    """The fields of a message in their order; nothing is copied.

    Raises:
        ValueError: the bytes are not a protobuf message that ends where the bytes end.
    """
    message = memoryview(message)
    position = 0
    while position < len(message):
        start = position
        tag, position = _read_varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        value = message[:0]
        if wire_type == _VARINT:
            _, position = _read_varint(message, position)
        elif wire_type in (_FIXED64, _FIXED32):
            position += 8 if wire_type == _FIXED64 else 4
        elif wire_type == _LENGTH_DELIMITED:
            length, position = _read_varint(message, position)
            value = message[position : position + length]
            position += length
        else:
            raise ValueError("unknown wire type")
        if number == 0 or position > len(message):
            raise ValueError("a field ends behind the message")
        yield Field(number, value, message[start:position])


def header(number: int, num_bytes: int) -> bytes:
    """What stands before the value of a length-delimited field."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(num_bytes)


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    """The number at a position, and the position behind it."""
    number = 0
    for index, byte in enumerate(message[position : position + 10]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, position + index + 1
    raise ValueError("a number does not end")


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)
