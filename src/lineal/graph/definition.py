"""What `@pipeline` makes, as far as whoever finds one in a module needs to know."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from lineal.graph.step import Signature
from lineal.model.records import RunRecord


class Definition(ABC):
    """A pipeline: its name, its function, and what that takes."""

    name: str
    function: Callable[..., Any]
    signature: Signature

    @abstractmethod
    def resume(self, run: RunRecord, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Go on with a run that did not succeed: run again with these arguments and options, and give the new run."""
