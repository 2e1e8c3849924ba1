"""How values become files or bytes and come back: the two shapes, the registry, and one file per library."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineal.materializers.base import BytesMaterializer as BytesMaterializer
    from lineal.materializers.base import Materializer as Materializer
    from lineal.materializers.class_based import BaseMaterializer as BaseMaterializer
    from lineal.materializers.registry import register_materializer as register_materializer

# Loaded on first use: whoever imports a module of this package needs none of the others.
_PLACES = {
    "BaseMaterializer": "lineal.materializers.class_based",
    "BytesMaterializer": "lineal.materializers.base",
    "Materializer": "lineal.materializers.base",
    "register_materializer": "lineal.materializers.registry",
}

__all__ = ["BaseMaterializer", "BytesMaterializer", "Materializer", "register_materializer"]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'lineal.materializers' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(place), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
