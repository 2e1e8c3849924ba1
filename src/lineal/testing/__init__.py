"""Contract suites that anyone's store or materializer can inherit."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineal.testing.materializers import MaterializerTests as MaterializerTests

__all__ = ["MaterializerTests"]


def __getattr__(name: str) -> Any:
    if name != "MaterializerTests":
        raise AttributeError(f"module 'lineal.testing' has no attribute {name!r}")
    return import_module("lineal.testing.materializers").MaterializerTests  # loads pytest, which the other suites load as well
