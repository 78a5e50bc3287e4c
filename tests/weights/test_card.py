import json
from typing import Any

import pytest

from ircolor.weights.card import Card
from tests.conftest import make_card


def test_a_card_comes_back_from_json() -> None:
    card = make_card()
    assert Card.from_dict(json.loads(json.dumps(card.to_dict()))) == card


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("name", ""),
        ("name", "n" * 101),
        ("name", "a surrogate \ud800"),
        ("name", "two\nlines"),
        ("data", "d" * 4001),
        ("licence", "\x1b[2J"),
        ("scores", {"test": {"psnr_db": 10**400}}),
        ("scores", {"test": {"psnr_db": -(10**400)}}),
        ("summary", None),
        ("epochs", -1),
        ("epochs", 1.5),
        ("epochs", True),
        ("train_seconds", "long"),
        ("train_seconds", float("nan")),
        ("grid_px", 0),
        ("grid_px", 257),
        ("halo_px", -1),
        ("halo_px", 4097),
        ("error_halo_px", -1),
        ("cast", -0.1),
        ("cast", 0.5),  # without a view
        ("saturation", 4.5),
        ("magenta", -0.1),
        ("detail", 0.5),  # without a view
        ("saturation", float("nan")),
        ("bytes_per_px", 0),
        ("num_parameters", 0),
        ("gflop_224", float("inf")),
        ("intensity", "bright"),
        ("scores", []),
        ("scores", {"test": 3}),
        ("scores", {"test": {"psnr_db": "high"}}),
        ("scores", {"test": {"psnr_db": float("nan")}}),
        ("latency_ms", 19.8),
        ("latency_ms", {"640x480": -1.0}),
        ("latency_ms", {"640x480": "fast"}),
        ("latency_hardware", None),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        make_card(**{field: value})


def test_missing_and_unknown_fields_are_named() -> None:
    fields = make_card().to_dict()
    with pytest.raises(ValueError, match="unknown fields 'colour'"):
        Card.from_dict(fields | {"colour": 1})
    del fields["grid_px"]
    with pytest.raises(ValueError, match="lacks grid_px"):
        Card.from_dict(fields)
    with pytest.raises(ValueError, match="not a JSON object"):
        Card.from_dict([])


def test_files_from_before_times_were_noted_are_read() -> None:
    fields = make_card().to_dict()
    del fields["latency_ms"], fields["latency_hardware"]
    assert Card.from_dict(fields).latency_ms == {}
