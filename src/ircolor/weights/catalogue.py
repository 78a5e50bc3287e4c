"""Find a network: one that came with the package, by its name, or a file. Nothing is downloaded."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from ircolor.errors import REINSTALL, UserError, did_you_mean
from ircolor.sessions.outputs import output_names
from ircolor.weights.card import Card
from ircolor.weights.seal import open_sealed


@dataclass(frozen=True)
class Model:
    """A checked model file.

    Attributes:
        name: what the user calls it: a bundled name or the path.
        data: the whole file.
        card: what the file says about the network.
    """

    name: str
    data: bytes = field(repr=False)
    card: Card

    @cached_property
    def sha256(self) -> str:
        """Digest of the file, as `sha256sum` prints it."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def gives_trust(self) -> bool:
        """Whether the network tells the expected error of its colours."""
        return "expected_error" in output_names(self.data)


def list_models() -> tuple[Model, ...]:
    """The networks that came with the package, sorted by their names.

    Raises:
        UserError: a bundled file is damaged.
    """
    return tuple(find_model(name) for name in bundled_names())


def bundled_names() -> list[str]:
    """Names of the networks that came with the package; their files are not looked into."""
    return sorted(_bundled())


def find_model(model: str | Path) -> Model:
    """Read and check a network.

    Args:
        model: a bundled name, or a file (anything with a folder or the suffix .onnx in it).

    Raises:
        UserError: unknown name, unreadable or damaged file.
    """
    name = str(model)
    if "\0" in name:
        raise UserError(f"model {name!r}: no file has such a name; give a FILE.onnx or a bundled one")
    bundled = _bundled()
    file: Traversable | Path
    if name in bundled:
        file = bundled[name]
    elif name.endswith(".onnx") or Path(name).name != name:
        file = Path(name)
    else:
        known = ", ".join(sorted(bundled)) or "none in this installation"
        raise UserError(
            f"model {name!r}: unknown; {did_you_mean(name, bundled)}give a FILE.onnx or a bundled one: {known}"
        )
    try:
        data = file.read_bytes()
        return Model(name, data, open_sealed(data, name))
    except OSError as error:
        raise UserError(f"{name}: cannot be read ({error.strerror}); check the path and its permissions") from error
    except MemoryError as error:
        raise UserError(f"{name}: is larger than the memory that can be had; is it a model?") from error
    except UserError as error:
        if name not in bundled:
            raise
        raise UserError(f"{name}: damaged in this installation; {REINSTALL}") from error


def _bundled() -> dict[str, Traversable]:
    files = bundled_folder().iterdir()
    return {file.name.removesuffix(".onnx"): file for file in files if file.name.endswith(".onnx") and file.is_file()}


def bundled_folder() -> Traversable:
    """Where the files of the package lie."""
    return resources.files("ircolor.weights")
