"""A value from outside as the input of a step: it becomes an artifact when the pipeline runs."""

from typing import Any

from lineal.materializers.base import AnyMaterializer


class External:
    """A value that a pipeline stores, by its content, before its steps run. Made by `lineal.ExternalArtifact`.

    Args:
        value: The value.
        materializer: Saves it; None lets its type choose.
    """

    __slots__ = ("materializer", "value")

    def __init__(self, value: Any, materializer: AnyMaterializer | None = None) -> None:
        self.value = value
        self.materializer = materializer

    def __repr__(self) -> str:
        return f"<external artifact, a {type(self.value).__qualname__}>"
