"""What all views share: what they need of a workspace, how they compare, and how facts are worded."""

import difflib
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Protocol, TypeVar

from lineal.engine.run import Services
from lineal.errors import MaterializerError, NotFound
from lineal.model import values
from lineal.model.records import Json, RunRecord, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.model.text import duration_text, shown
from lineal.settings import Settings

if TYPE_CHECKING:  # views are handed these and never make one
    from lineal.artifact_store.base import ArtifactStore
    from lineal.artifacts import Artifacts
    from lineal.host import LifeSign
    from lineal.metadata_store.base import MetadataStore

V = TypeVar("V")
Record = TypeVar("Record")
WithId = TypeVar("WithId", bound=VersionRecord | RunRecord | StepRunRecord)


class Scratch(Services, Protocol):
    """A workspace of its own, for what shall leave nothing behind. It reads the objects of the one that it was made from."""

    @property
    def settings(self) -> Settings:
        """Its settings."""
        ...


class Stores(Protocol):
    """What views need of a workspace."""

    @property
    def metadata(self) -> "MetadataStore":
        """Where facts live."""
        ...

    @property
    def artifacts(self) -> "Artifacts":
        """Save and load."""
        ...

    @property
    def artifact_store(self) -> "ArtifactStore":
        """Where bytes live."""
        ...

    @property
    def life(self) -> "LifeSign":
        """Tells which processes live."""
        ...

    def inside(self) -> AbstractContextManager[object]:
        """Make it the workspace that pipelines run in, for what runs inside."""
        ...

    def open_log(self, run_id: str, step_run_id: str) -> BinaryIO | None:
        """Open what a step printed and logged; None when that was nothing."""
        ...

    def scratch(self) -> AbstractContextManager[Scratch]:
        """Make a scratch workspace, which is the open one inside of `with` and gone afterwards."""
        ...


class Named(dict[str, V], Generic[V]):
    """A dict by name whose error for a missing name says which names there are."""

    def __init__(self, what: str, items: Mapping[str, V]) -> None:
        super().__init__(items)
        self._what = what

    def __missing__(self, name: str) -> V:
        near = difflib.get_close_matches(str(name), self, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self) or 'none'}"
        raise NotFound(f"{self._what} {name!r} does not exist; {known}")


class Held(Generic[Record]):
    """A record and the stores that it came from."""

    def __init__(self, record: Record, workspace: Stores) -> None:
        self.record = record
        self.workspace = workspace


class View(Held[WithId]):
    """A record with an id. Views of the same record are equal."""

    @property
    def id(self) -> uuid.UUID:
        """The id."""
        return uuid.UUID(self.record.id)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.record.id == self.record.id

    def __hash__(self) -> int:
        return hash(self.record.id)


def held_values(held: Mapping[str, Json]) -> dict[str, Any]:
    """Give parameters or metadata by name as they were given: typed JSON becomes values again."""
    return {name: _value(node) for name, node in held.items()}


def _value(node: Json) -> Any:
    try:
        return values.from_json(node)
    except MaterializerError:  # its class is not loaded in this process: its content is better than nothing
        return node


def name_text(record: VersionRecord) -> str:
    """Give a version as `name@version`."""
    return f"{shown(record.artifact)}@{shown(record.version)}"


def took_text(record: RunRecord | StepRunRecord) -> str:
    """Give how long it took, empty while that is not known."""
    return "" if record.duration is None else duration_text(record.duration / 1e9)


def state_text(record: RunRecord | StepRunRecord) -> str:
    """Give its state and how long it took."""
    took = "" if record.status is Status.CACHED else took_text(record)
    return f"{record.status}, {took}" if took else record.status.value


def error_line(text: str | None) -> str:
    """Give what an error says on one line; of a traceback, what stands below its last frame."""
    lines = (text or "").strip().splitlines()
    frames = [place for place, line in enumerate(lines) if line.startswith("  ")]
    return " ".join(line.strip() for line in lines[frames[-1] + 1 if frames else 0 :]).strip() or " ".join(lines[-1:]).strip()
