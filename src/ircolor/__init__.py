"""Turn infrared images into natural colour.

The public names are loaded when they are first used: importing the package alone loads no other library.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Since 1.29 the official onnxruntime sends reports of its use to Microsoft, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = ["Colorizer", "UserError", "__version__", "colorize", "list_models"]

if TYPE_CHECKING:
    from ircolor.colorizer import Colorizer
    from ircolor.errors import UserError
    from ircolor.one_image import colorize
    from ircolor.weights.catalogue import list_models

_HOMES = {
    "Colorizer": "ircolor.colorizer",
    "UserError": "ircolor.errors",
    "colorize": "ircolor.one_image",
    "list_models": "ircolor.weights.catalogue",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
