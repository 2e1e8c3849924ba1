"""Where the pipeline of a run is defined, and how its parameters are held: what it takes to run it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from lineal.model.records import Json
from lineal.model.values_types import TAG

ENTRY: Final = "entry"
"""Under which name a run's environment holds its entry."""

RESUMES: Final = "resumes"
"""Under which name a run's environment holds the name of the run that it goes on with."""

ARTIFACT: Final = "$artifact"
EXTERNAL: Final = "$external"
_MARKS: Final = frozenset({ARTIFACT, EXTERNAL})


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a pipeline is defined.

    Attributes:
        file: Absolute path of the file; empty in a notebook or at a prompt.
        module: Name of the module; a script counts under its file's name.
        function: Qualified name of the pipeline's function.
        variable: Name of the variable of the module that holds the pipeline; empty when it was in none.
        folder: The working directory.
        options: Options that were given for this run alone, by `with_options`.
        lost: Names of such options that cannot be held.
    """

    file: str
    module: str
    function: str
    variable: str = ""
    folder: str = ""
    options: Mapping[str, Json] = field(default_factory=dict)
    lost: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Give what is recorded: what is empty is left out."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if type(value) is tuple else value for name, value in found.items() if value}

    @staticmethod
    def of(environment: Mapping[str, Json]) -> "Entry | None":
        """Give the entry in a run's environment; None when there is none."""
        held = environment.get(ENTRY)
        if not isinstance(held, dict):
            return None
        known = {each.name for each in fields(Entry)}
        given: dict[str, Any] = {"file": "", "module": "", "function": "", **{name: held[name] for name in held if name in known}}
        return Entry(**{**given, "lost": tuple(given.get("lost", ()))})


def mark_of(node: Json) -> str | None:
    """Tell what a held parameter stands for: ARTIFACT, EXTERNAL, or None for a value."""
    return next(iter(node)) if type(node) is dict and len(node) == 1 and not _MARKS.isdisjoint(node) else None


def unmarked(node: Json) -> Json:
    """Give a value's typed JSON in a form that cannot be taken for a mark: a dictionary of the user's may look like one."""
    return node if mark_of(node) is None else {TAG: "dict", "items": [list(pair) for pair in node.items()]}
