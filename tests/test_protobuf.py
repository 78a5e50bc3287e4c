import pytest
from hypothesis import given
from hypothesis import strategies as st

from ircolor.protobuf import fields, header


@given(st.lists(st.tuples(st.integers(1, 1 << 20), st.binary(max_size=300))))
def test_what_is_written_is_read(pairs: list[tuple[int, bytes]]) -> None:
    message = b"".join(header(number, len(value)) + value for number, value in pairs)
    read = list(fields(message))
    assert [(field.number, bytes(field.value)) for field in read] == pairs
    assert b"".join(field.whole for field in read) == message


def test_numbers_have_a_place_but_no_value() -> None:
    message = b"\x08\x96\x01" + b"\x11" + bytes(8) + b"\x1d" + bytes(4)
    assert [(field.number, len(field.value), len(field.whole)) for field in fields(message)] == [
        (1, 0, 3),
        (2, 0, 9),
        (3, 0, 5),
    ]


@pytest.mark.parametrize("message", [b"\x0a", b"\x0a\x05abc", b"\x08" + b"\xff" * 11, b"\x0b", b"\x00\x01", b"\x11ab"])
def test_what_is_no_message_is_told(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"a field|a number|unknown"):
        list(fields(message))
