"""The Python front door to what is kept: find, list and load. Everything that it gives is a view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from lineal.errors import NotFound, UsageError
from lineal.model.naming import check_version
from lineal.model.states import Status
from lineal.views import ArtifactView, RunView, StepRunView, VersionView, notice_crash
from lineal.workspace import Workspace, open_workspace

V = TypeVar("V")
Moment = datetime | str
"""A time: an aware datetime, one without a zone or ISO text (`2026-06-01`, `2026-06-01T12:30`) in UTC."""


class Page(list[V], Generic[V]):
    """One page of a list. `total` is the number of all that fit the filters, `offset` the place of this page's first."""

    def __init__(self, items: list[V], total: int, offset: int) -> None:
        super().__init__(items)
        self.total = total
        self.offset = offset


@dataclass(frozen=True, slots=True)
class StackStore:
    """The artifact store of a stack. `path` is its folder, or the URL of a remote one."""

    path: str


@dataclass(frozen=True, slots=True)
class Stack:
    """A choice of artifact store and orchestrator."""

    name: str
    artifact_store: StackStore
    orchestrator: str


class Client:
    """Finds, lists and loads what pipelines left.

    Args:
        workspace: The stores to look in; those of the settings in force by default.
    """

    def __init__(self, workspace: Workspace | None = None) -> None:
        self.workspace = open_workspace() if workspace is None else workspace

    @property
    def active_stack(self) -> Stack:
        """The stack in force."""
        return Stack("default", StackStore(self.workspace.artifact_store.url), self.workspace.settings.orchestrator)

    # -- artifacts

    def get_artifact_version(self, name_or_id: str | UUID, version: str | int | None = None) -> VersionView:
        """Find one version.

        Args:
            name_or_id: Name of the artifact, or the id of a version, or the beginning of an id (8 characters or more). A name wins.
            version: Version of that name; None and "latest" mean the newest.

        Raises NotFound (a KeyError) with the closest names.
        """
        wanted = None if version in (None, "latest") else check_version(version)
        return VersionView(self.workspace.metadata.get_version(str(name_or_id), wanted), self.workspace)

    def list_artifact_versions(
        self,
        name: str | None = None,
        *,
        artifact: str | None = None,
        version: str | int | None = None,
        tags: str | Sequence[str] | None = None,
        type: str | None = None,
        data_type: str | None = None,
        pipeline: str | None = None,
        step: str | None = None,
        run: str | UUID | None = None,
        created_after: Moment | None = None,
        created_before: Moment | None = None,
        sort: str = "-created",
        limit: int = 50,
        offset: int = 0,
        **unknown: Any,
    ) -> Page[VersionView]:
        """List versions, newest first by default.

        Args:
            name: Name of the artifact, `*` in it stands for anything.
            artifact: Exact name of the artifact.
            version: The version.
            tags: Tags of the version; all of them.
            type: Name of the Python type, such as `pandas.DataFrame`.
            data_type: Kind of artifact: data, model, schema, statistics or service.
            pipeline: Name of the pipeline that made it, as `step` and `run` (name or id) are of those that made it.
            created_after: Made then or later; an aware datetime, or ISO text in UTC.
            created_before: Made before then.
            sort: Field to sort by, descending after `-`.
            limit: How many at most, up to 10,000.
            offset: How many to leave out.

        Raises UsageError for an unknown filter or field.
        """
        filters = {
            "name": name, "artifact": artifact, "version": None if version is None else str(version), "tag": tags, "type": type,
            "data_type": data_type, "pipeline": pipeline, "step": step, "run": None if run is None else str(run),
            "created_after": _micros(created_after), "created_before": _micros(created_before),
        }  # fmt: skip
        page = self.workspace.metadata.list_versions(_given(filters, unknown), sort, limit, offset)
        return Page([VersionView(each, self.workspace) for each in page.items], page.total, offset)

    def get_artifact(self, name: str) -> ArtifactView:
        """Find an artifact by name. Raises NotFound with the closest names."""
        page = self.workspace.metadata.list_artifacts({"name": name}, "name", 1, 0) if "*" not in name else None
        if page is None or not page.items:
            near = self.workspace.metadata.get_version(name)  # raises NotFound with the closest names, unless it is the id of a version
            raise NotFound(f"artifact {name!r} does not exist; that is the id of a version of {near.artifact!r}")
        return ArtifactView(page.items[0], self.workspace)

    def list_artifacts(
        self,
        name: str | None = None,
        *,
        tags: str | Sequence[str] | None = None,
        type: str | None = None,
        data_type: str | None = None,
        sort: str = "-updated",
        limit: int = 50,
        offset: int = 0,
        **unknown: Any,
    ) -> Page[ArtifactView]:
        """List artifacts, the last changed first by default. The arguments mean what they do in `list_artifact_versions`."""
        filters = {"name": name, "tag": tags, "type": type, "data_type": data_type}
        page = self.workspace.metadata.list_artifacts(_given(filters, unknown), sort, limit, offset)
        return Page([ArtifactView(each, self.workspace) for each in page.items], page.total, offset)

    # -- runs

    def get_pipeline_run(self, name_or_id: str | UUID) -> RunView:
        """Find a run.

        Args:
            name_or_id: Name of the run (the newest of that name), its id, the beginning of its id (4 characters or more), or "latest", which
                no run can be called, for the newest of all.

        Raises NotFound (a KeyError) with the closest names.
        """
        if name_or_id != "latest":
            return self._run(self.workspace.metadata.get_run(str(name_or_id)))
        newest = self.list_pipeline_runs(limit=1)
        if not newest:
            raise NotFound("there is no run yet")
        return newest[0]

    def list_pipeline_runs(
        self,
        name: str | None = None,
        *,
        pipeline: str | None = None,
        status: Status | str | None = None,
        tags: str | Sequence[str] | None = None,
        created_after: Moment | None = None,
        created_before: Moment | None = None,
        sort: str = "-started",
        limit: int = 50,
        offset: int = 0,
        **unknown: Any,
    ) -> Page[RunView]:
        """List runs, newest first by default.

        Args:
            name: Name of the run, `*` in it stands for anything.
            pipeline: Name of the pipeline.
            status: State, such as `failed`.
            tags: Tags of the run; all of them.
            created_after: Started then or later; an aware datetime, or ISO text in UTC.
            created_before: Started before then.
            sort: Field to sort by, descending after `-`.
            limit: How many at most, up to 10,000.
            offset: How many to leave out.

        Raises UsageError for an unknown filter, field or state.
        """
        filters = {
            "name": name, "pipeline": pipeline, "status": _status(status), "tag": tags,
            "created_after": _micros(created_after), "created_before": _micros(created_before),
        }  # fmt: skip
        checked = _given(filters, unknown)
        self._notice_crashes()
        page = self.workspace.metadata.list_runs(checked, sort, limit, offset)
        return Page([self._run(each) for each in page.items], page.total, offset)

    def get_step_run(self, step_run_id: str | UUID) -> StepRunView:
        """Find a step run by id. Raises NotFound."""
        return StepRunView(self.workspace.metadata.get_step_run(str(step_run_id)), self.workspace)

    def _notice_crashes(self) -> None:
        # Before the question is asked: a filter on the state, and the total, must see what is so now. Few runs ever say running.
        for record in self.workspace.metadata.list_runs({"status": Status.RUNNING.value}, "-started", 1000, 0).items:
            notice_crash(record, self.workspace)

    def _run(self, record: Any) -> RunView:
        return RunView(notice_crash(record, self.workspace), self.workspace)


def _given(filters: Mapping[str, Any], unknown: Mapping[str, Any]) -> dict[str, Any]:
    if unknown:
        known = ", ".join(["tags" if name == "tag" else name for name in filters] + ["sort", "limit", "offset"])
        raise UsageError(f"{next(iter(unknown))!r} is not a filter of this list; there are: {known}")
    return {name: value for name, value in filters.items() if value is not None}


def _status(status: Status | str | None) -> str | None:
    if status is None:
        return None
    try:
        return Status(status).value
    except ValueError:
        raise UsageError(f"{status!r} is not a state of a run; there are: {', '.join(Status)}") from None


def _micros(when: Moment | None) -> int | None:
    if when is None:
        return None
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            raise UsageError(f"{when!r} is not a time; write it as 2026-06-01 or 2026-06-01T12:30:00, in UTC") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
