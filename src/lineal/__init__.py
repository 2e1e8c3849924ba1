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
    from lineal.materializers.base import BytesMaterializer as BytesMaterializer
    from lineal.materializers.base import Materializer as Materializer
    from lineal.materializers.registry import register_materializer as register_materializer
    from lineal.pipelines import get_pipeline_context as get_pipeline_context
    from lineal.pipelines import pipeline as pipeline
    from lineal.pipelines import step as step
    from lineal.saving import ExternalArtifact as ExternalArtifact
    from lineal.saving import load_artifact as load_artifact
    from lineal.saving import register_artifact as register_artifact
    from lineal.saving import save_artifact as save_artifact
    from lineal.server.showing import show as show
    from lineal.tagging import add_tags as add_tags
    from lineal.tagging import remove_tags as remove_tags

__version__ = "0.1.0"

# Public names and where they live: loaded on first use, so that `import lineal` costs next to nothing.
_PLACES = {
    "ArtifactConfig": "lineal.graph.step",
    "BytesMaterializer": "lineal.materializers.base",
    "CachePolicy": "lineal.graph.policy",
    "Client": "lineal.client",
    "ExternalArtifact": "lineal.saving",
    "Materializer": "lineal.materializers.base",
    "Retry": "lineal.graph.step",
    "add_tags": "lineal.tagging",
    "get_pipeline_context": "lineal.pipelines",
    "get_step_context": "lineal.engine.context",
    "load_artifact": "lineal.saving",
    "log_metadata": "lineal.functions",
    "pipeline": "lineal.pipelines",
    "register_artifact": "lineal.saving",
    "register_materializer": "lineal.materializers.registry",
    "remove_tags": "lineal.tagging",
    "save_artifact": "lineal.saving",
    "show": "lineal.server.showing",
    "step": "lineal.pipelines",
}

__all__ = [
    "ArtifactConfig",
    "BytesMaterializer",
    "CachePolicy",
    "Client",
    "ExternalArtifact",
    "Materializer",
    "Retry",
    "add_tags",
    "get_pipeline_context",
    "get_step_context",
    "load_artifact",
    "log_metadata",
    "pipeline",
    "register_artifact",
    "register_materializer",
    "remove_tags",
    "save_artifact",
    "show",
    "step",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'lineal' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(place), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
