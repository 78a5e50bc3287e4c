"""The card of a network: what it is for, where it comes from, how good it is, and how to run it."""

import dataclasses
import json
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, get_origin

from ircolor.errors import UserError
from ircolor.grade import UNGRADED, Grade
from ircolor.media.intensity import IntensityRule
from ircolor.view import View

ARITHMETICS = ("float32", "int8")
RECIPE_JOINT = " + "
_GRADE = tuple(field.name for field in dataclasses.fields(Grade))
MAX_NAME_LENGTH, MAX_TEXT_LENGTH = 100, 4000
_RANGES: Mapping[str, tuple[float, float]] = types.MappingProxyType(
    {
        "epochs": (0, 10**9),
        "train_seconds": (0, 10**10),
        "num_parameters": (1, 10**12),
        "gflop_224": (0, 10**9),
        "grid_px": (1, 256),
        "halo_px": (0, 4096),
        "error_halo_px": (0, 4096),
        "bytes_per_px": (1, 1 << 20),
        "view_px": (0, 1 << 16),
        "cast": (0, 2),
        "saturation": (0, 4),
        "detail": (0, 2),
        "magenta": (0, 2),
    }
)

_YOUNGER = {"latency_ms", "latency_hardware", "view_px", "error_halo_px", *_GRADE}  # than the first files


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a user and the Colorizer must know of a network; stored as JSON in its file.

    Attributes:
        name: as the user calls it, e.g. snet.
        version: of the weights, e.g. 1.0.
        summary: what it is for, one sentence.
        recipe: name of the training recipe; of an ensemble those of its networks, joined by RECIPE_JOINT.
        commit: of the code that trained it.
        data: what it was trained on.
        licence: of the weights, and what the data's licence means for them.
        epochs: passes over the training pairs, at least 0; of an ensemble those of all its networks.
        train_seconds: wall time of the training; likewise.
        hardware: what it was trained on.
        num_parameters: at least 1.
        gflop_224: multiply-adds times two, for one 224x224 image, in units of 10^9.
        arithmetic: float32 or int8.
        protocol: of the scores; empty when there are none.
        scores: split -> metric -> value, e.g. {"test": {"psnr_db": 17.4}}.
        grid_px: height and width of the network's input are multiples of it, 1 to 256.
        halo_px: how far outside a pixel the network looks, so that tiles have no seams; 0 to 4096.
        bytes_per_px: peak memory of a run over its number of pixels, on the CPU.
        intensity: the intensity rule of the training, as --intensity takes it.
        latency_ms: median time of a run by the size of the image, e.g. {"640x480": 19.8}; empty where not measured.
        latency_hardware: what ran it, e.g. "AMD EPYC, 2 threads, int8": times belong to a machine.
        view_px: the network is shown pictures shrunk to a shorter side of this (`ircolor.view`); 0 for as they are.
        cast: share of a picture's mean chroma that is kept (`ircolor.grade`), 0 to 2; 1 without view_px.
        saturation: what differences from that mean are multiplied by, 0 to 4; likewise.
        detail: what their fine part is multiplied by besides, 0 to 2; likewise.
        magenta: what the magenta part of the resulting colours is multiplied by, 0 to 2; likewise.
        error_halo_px: how much farther than `halo_px` it looks where its expected error is wanted; 0 to 4096.
    """

    name: str
    version: str
    summary: str
    recipe: str
    commit: str
    data: str
    licence: str
    epochs: int
    train_seconds: float
    hardware: str
    num_parameters: int
    gflop_224: float
    arithmetic: str
    protocol: str
    scores: Mapping[str, Mapping[str, float]]
    grid_px: int
    halo_px: int
    bytes_per_px: int
    intensity: str
    latency_ms: Mapping[str, float] = dataclasses.field(default_factory=dict)
    latency_hardware: str = ""
    view_px: int = 0
    cast: float = 1.0
    saturation: float = 1.0
    detail: float = 1.0
    magenta: float = 1.0
    error_halo_px: int = 0

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            ValueError: a field has the wrong type or lies outside its range; the message names it.
        """
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "latency_ms":
                _check_metrics(field.name, value, low=0)
            elif get_origin(field.type) is Mapping:
                _check_scores(value)
            elif field.type is str:
                _check_text(field.name, value)
            else:
                _check_number(field.name, value, whole=field.type is int)
        if self.arithmetic not in ARITHMETICS:
            raise ValueError(f"arithmetic must be one of {', '.join(ARITHMETICS)}, not {self.arithmetic!r}")
        if not self.view_px and self.view.grade != UNGRADED:
            raise ValueError(f"{', '.join(_GRADE)} are of whole pictures, which a network without view_px does not see")
        if not self.name:
            raise ValueError("name must not be empty")
        try:
            IntensityRule.parse(self.intensity)
        except UserError as error:
            raise ValueError(str(error)) from error

    @property
    def view(self) -> View:
        """How it is shown pictures, and what becomes of its colours."""
        return View(self.view_px, Grade(*(getattr(self, name) for name in _GRADE)))

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON takes them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Any) -> Self:
        """The card of a decoded JSON object.

        Raises:
            ValueError: it is no object, lacks a field that the first files had, has an unknown one, or one is wrong.
        """
        if not isinstance(fields, dict):
            raise ValueError("the card is not a JSON object")
        known = {field.name for field in dataclasses.fields(cls)}
        if missing := sorted(known - _YOUNGER - fields.keys()):
            raise ValueError(f"the card lacks {', '.join(missing)}")
        if unknown := sorted(fields.keys() - known):
            raise ValueError(f"the card has unknown fields {', '.join(map(repr, unknown))}")
        return cls(**fields)


def canonical_json(fields: Mapping[str, Any]) -> bytes:
    """The one spelling of a JSON object that digests are taken of."""
    return json.dumps(fields, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def _check_text(name: str, value: object) -> None:
    """It goes into messages and into the metadata of images: one line, encodable, and no book."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, not {value!r}")
    if len(value) > (limit := MAX_NAME_LENGTH if name == "name" else MAX_TEXT_LENGTH):
        raise ValueError(f"{name} must have at most {limit} characters, not {len(value)}")
    if not value.isprintable():
        raise ValueError(f"{name} must be printable text on one line, not {value!r}")


def _check_number(name: str, value: object, whole: bool) -> None:
    low, high = _RANGES[name]
    allowed = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed) or not low <= value <= high:
        raise ValueError(
            f"{name} must be {'a whole number' if whole else 'a number'} from {low} to {high}, not {value!r}"
        )


def _check_scores(scores: object) -> None:
    if not isinstance(scores, Mapping):
        raise ValueError("scores must map a split to its metrics")
    for split, metrics in scores.items():
        if not isinstance(split, str):
            raise ValueError(f"scores of {split!r} must be those of a split's name")
        _check_metrics(f"scores of {split!r}", metrics)


def _check_metrics(name: str, metrics: object, low: float = -sys.float_info.max) -> None:
    if not isinstance(metrics, Mapping):
        raise ValueError(f"{name} must map names to numbers")
    for metric, value in metrics.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(metric, str) or not number or not low <= value <= sys.float_info.max:
            raise ValueError(f"{name}: {metric!r} must be a finite number, not {value!r}")
