"""Lineal runs machine-learning and data pipelines and keeps everything that they produce."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineal.client import Client as Client
    from lineal.engine.context import get_step_context as get_step_context
    from lineal.functions import log_metadata as log_metadata
    from lineal.graph.policy import CachePolicy as CachePolicy
    from lineal.graph.step import ArtifactConfig as ArtifactConfig
    from lineal.graph.step import Retry as Retry
    from lineal.pipelines import pipeline as pipeline
    from lineal.pipelines import step as step

__version__ = "0.1.0"

# Public names and where they live: loaded on first use, so that `import lineal` costs next to nothing.
_PLACES = {
    "ArtifactConfig": "lineal.graph.step",
    "CachePolicy": "lineal.graph.policy",
    "Client": "lineal.client",
    "Retry": "lineal.graph.step",
    "get_step_context": "lineal.engine.context",
    "log_metadata": "lineal.functions",
    "pipeline": "lineal.pipelines",
    "step": "lineal.pipelines",
}

__all__ = ["ArtifactConfig", "CachePolicy", "Client", "Retry", "get_step_context", "log_metadata", "pipeline", "step"]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'lineal' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(place), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
