"""The Python front door to what is kept: find, list, load, tag, delete and prune. What it finds are views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from lineal.backups import BackupReport, back_up
from lineal.doctor import Check, Places, examine
from lineal.engine.bar import ReadingBar
from lineal.errors import InUse, NotFound, UsageError
from lineal.model.lists import created_in, given, state
from lineal.model.metadata import hold_metadata
from lineal.model.moments import Moment
from lineal.model.naming import check_tags, check_version
from lineal.model.states import Status
from lineal.pruning import PRUNE, PruneReport, Selection, check_here, delete_versions, preview, prune
from lineal.verifying import GRACE, VerifyReport, verify_home
from lineal.views import ArtifactView, Named, PipelineView, RunView, StepRunView, VersionView, notice_crash
from lineal.views.base import name_text
from lineal.workspace import Workspace, open_workspace

V = TypeVar("V")


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
        metadata: str | Sequence[str] | None = None,
        created: str | None = None,
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
            metadata: A question about the metadata, such as "accuracy > 0.9 and split == 'test'"; of several, all must hold.
            created: When it was made: a day "2026-01-01", a span "2026-01-01..2026-02-01" without its end, or ">2026-01-01", in UTC.
            created_after: Made then or later; an aware datetime, or ISO text in UTC.
            created_before: Made before then.
            sort: Field to sort by, descending after `-`.
            limit: How many at most, up to 10,000.
            offset: How many to leave out.

        Raises UsageError for an unknown filter or field.
        """
        filters = {
            "name": name, "artifact": artifact, "version": None if version is None else str(version), "tag": tags, "type": type,
            "data_type": data_type, "pipeline": pipeline, "step": step, "run": None if run is None else str(run), "metadata": metadata,
            **created_in(created, created_after, created_before),
        }  # fmt: skip
        page = self.workspace.metadata.list_versions(given(filters, unknown), sort, limit, offset)
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
        page = self.workspace.metadata.list_artifacts(given(filters, unknown), sort, limit, offset)
        return Page([ArtifactView(each, self.workspace) for each in page.items], page.total, offset)

    def update_artifact(self, name: str, *, add_tags: str | Sequence[str] = (), remove_tags: str | Sequence[str] = ()) -> ArtifactView:
        """Change the tags of an artifact itself, and give it. Raises NotFound, InvalidName for a tag that is none."""
        add, remove = check_tags(add_tags), check_tags(remove_tags)
        return self.get_artifact(name).add_tags(add).remove_tags(remove)

    def update_artifact_version(
        self,
        name_or_id: str | UUID,
        version: str | int | None = None,
        *,
        add_tags: str | Sequence[str] = (),
        remove_tags: str | Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        pinned: bool | None = None,
    ) -> VersionView:
        """Change tags, metadata or pin of one version in one transaction, and give it.

        Args:
            name_or_id: As in `get_artifact_version`, also for `version`.
            version: Version of that name; the newest by default.
            add_tags: Tags that it gets.
            remove_tags: Tags that it loses.
            metadata: Facts that are added to its own; a key that is there is replaced.
            pinned: Whether it can neither be deleted nor pruned; None leaves that as it is.

        Raises NotFound, InvalidName for a tag that is none, UsageError for metadata that cannot be held.
        """
        found = self.get_artifact_version(name_or_id, version)
        found.record = self.workspace.metadata.update_version(
            found.record.id, add_tags=check_tags(add_tags), remove_tags=check_tags(remove_tags), pinned=pinned,
            metadata=None if metadata is None else hold_metadata(metadata, name_text(found.record)),
        )  # fmt: skip
        return found

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

    def resume_pipeline_run(self, name_or_id: str | UUID) -> RunView:
        """Go on with a run that failed, was cancelled or crashed, and give the new run; see `RunView.resume`."""
        return self.get_pipeline_run(name_or_id).resume()

    def list_pipeline_runs(
        self,
        name: str | None = None,
        *,
        pipeline: str | None = None,
        status: Status | str | None = None,
        tags: str | Sequence[str] | None = None,
        metadata: str | Sequence[str] | None = None,
        created: str | None = None,
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
            metadata: A question about the metadata; see `list_artifact_versions`.
            created: When it started; see `list_artifact_versions`.
            created_after: Started then or later; an aware datetime, or ISO text in UTC.
            created_before: Started before then.
            sort: Field to sort by, descending after `-`.
            limit: How many at most, up to 10,000.
            offset: How many to leave out.

        Raises UsageError for an unknown filter, field or state.
        """
        filters = {
            "name": name, "pipeline": pipeline, "status": state(status), "tag": tags, "metadata": metadata,
            **created_in(created, created_after, created_before),
        }  # fmt: skip
        checked = given(filters, unknown)
        self._notice_crashes()
        page = self.workspace.metadata.list_runs(checked, sort, limit, offset)
        return Page([self._run(each) for each in page.items], page.total, offset)

    def update_pipeline_run(
        self,
        name_or_id: str | UUID,
        *,
        add_tags: str | Sequence[str] = (),
        remove_tags: str | Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> RunView:
        """Change tags or metadata of a run in one transaction, and give it. The arguments mean what they do for versions and runs."""
        found = self.get_pipeline_run(name_or_id)
        held = None if metadata is None else hold_metadata(metadata, f"run {found.name!r}")
        add, remove = check_tags(add_tags), check_tags(remove_tags)
        found.record = self.workspace.metadata.update_run(found.record.id, add_tags=add, remove_tags=remove, metadata=held)
        return found

    def get_step_run(self, step_run_id: str | UUID) -> StepRunView:
        """Find a step run by id. Raises NotFound."""
        return StepRunView(self.workspace.metadata.get_step_run(str(step_run_id)), self.workspace)

    def list_step_runs(
        self,
        name: str | None = None,
        *,
        step: str | None = None,
        status: Status | str | None = None,
        pipeline: str | None = None,
        run: str | UUID | None = None,
        metadata: str | Sequence[str] | None = None,
        created: str | None = None,
        created_after: Moment | None = None,
        created_before: Moment | None = None,
        sort: str = "-created",
        limit: int = 50,
        offset: int = 0,
        **unknown: Any,
    ) -> Page[StepRunView]:
        """List step runs of all pipelines, newest first by default.

        `name` is that of the call (`train_2`, `*` stands for anything), `step` that of the step (`train`), `run` the name or id of their
        run; `created` is when they started. The other arguments mean what they do in `list_pipeline_runs`.
        """
        filters = {
            "name": name, "step": step, "status": state(status), "pipeline": pipeline, "run": None if run is None else str(run),
            "metadata": metadata, **created_in(created, created_after, created_before),
        }  # fmt: skip
        checked = given(filters, unknown)
        self._notice_crashes()
        page = self.workspace.metadata.find_step_runs(checked, sort, limit, offset)
        return Page([StepRunView(each, self.workspace) for each in page.items], page.total, offset)

    # -- pipelines

    def get_pipeline(self, name: str) -> PipelineView:
        """Find a pipeline that was run by its name. Raises NotFound with the closest one."""
        return Named("pipeline", {each.name: each for each in self.list_pipelines()})[name]

    def list_pipelines(self) -> list[PipelineView]:
        """Give all pipelines that were run, the one that ran last first."""
        self._notice_crashes()
        return [PipelineView(each, self.workspace) for each in self.workspace.metadata.list_pipelines()]

    def delete_pipeline(self, name: str) -> int:
        """Delete all runs of a pipeline, and give the number of versions that nothing refers to any more; see `delete_pipeline_run`.

        Raises InUse, before anything is deleted, while one of them goes on; NotFound.
        """
        pipeline, freed = self.get_pipeline(name), 0
        if pipeline.record.running:
            raise InUse(
                f"pipeline {name!r} cannot be deleted while {pipeline.record.running} of its runs go on; wait for them, or stop them"
            )
        while runs := self.list_pipeline_runs(pipeline=name, limit=1000):
            freed += sum(self.delete_pipeline_run(each) for each in runs)
        return freed

    # -- deleting

    def delete_artifact_version(self, name_or_id: str | UUID | VersionView, version: str | int | None = None) -> None:
        """Delete one version with its data. Its number is not given again.

        Args:
            name_or_id: The version itself, or what `get_artifact_version` takes; a name needs a `version` here, at least "latest".
            version: Version of that name.

        Raises InUse, naming the runs, when a run made or used it, or when it is pinned; NotFound; UsageError for a name alone.
        """
        found = name_or_id if isinstance(name_or_id, VersionView) else self.get_artifact_version(name_or_id, version)
        if version is None and not isinstance(name_or_id, VersionView) and found.name == str(name_or_id):
            raise UsageError(
                f"{found.name!r} is the name of an artifact: say which version goes (the newest is {found.version!r}), or delete all of "
                "them with delete_artifact()"
            )
        self._delete([found.record.id])

    def delete_artifact(self, name: str) -> int:
        """Delete all versions of an artifact with their data, or none, and give their number. Numbers are not given again.

        Raises InUse, naming the runs, when a run made or used one of them, or one is pinned; NotFound.
        """
        ids = self.workspace.metadata.version_ids(name)
        if not ids:
            self.get_artifact(name)  # raises with the closest names
        self._delete(ids)
        return len(ids)

    def delete_pipeline_run(self, name_or_id: str | UUID | RunView) -> int:
        """Delete a run with its step runs and logs, and give the number of versions that nothing refers to any more.

        These stay, without the run that made them, until they are deleted or pruned; what other runs reused or used goes on as before.
        Raises InUse while the run goes on, NotFound.
        """
        found = name_or_id.refresh() if isinstance(name_or_id, RunView) else self.get_pipeline_run(name_or_id)
        record = notice_crash(found.record, self.workspace)
        with self.workspace.metadata.room():
            freed = self.workspace.metadata.delete_run(record.id)
        self.workspace.delete_logs(record.id)
        return freed

    def prune_artifacts(
        self,
        name: str | Sequence[str] | None = None,
        *,
        only_artifact: bool = False,
        only_metadata: bool = False,
        ignore_errors: bool = False,
        dry_run: bool = False,
        older_than: timedelta | None = None,
        keep_last: int | None = None,
        force: bool = False,
    ) -> PruneReport:
        """Delete the versions that no run and no pin refers to, with their data, and say what went and what that freed.

        Args:
            name: Only artifacts of that name, or of one of several; `*` stands for anything.
            only_artifact: Delete the data and keep the records, which then say that and when the data was pruned.
            only_metadata: Delete the records and leave the data where it is; values small enough to live in their record go with it.
            ignore_errors: Go on when data cannot be removed; the report lists the errors.
            dry_run: Change nothing, and say what would go.
            older_than: Only versions that were made longer ago than that.
            keep_last: Keep the newest so many versions of each artifact.
            force: Also when more than 1 GiB and more than half of all data would go.

        Registered data is never deleted, only its record. Raises UsageError for both `only_artifact` and `only_metadata`, and where the
        facts are behind a server, which prunes by itself; Conflict while another prune is at work, StoreMismatch when the artifact store is not there or another one, StoreError for data that cannot be
        removed.
        """
        if only_artifact and only_metadata:
            raise UsageError("only_artifact and only_metadata exclude each other; leave both out to delete records and data")
        names = None if name is None else (name,) if isinstance(name, str) else tuple(name)
        what: Literal["all", "artifact", "metadata"] = "artifact" if only_artifact else "metadata" if only_metadata else "all"
        selection = Selection(what, names, older_than, keep_last or 0)
        workspace = self.workspace
        metadata = workspace.metadata
        if not dry_run:
            check_here(metadata, PRUNE)
        with metadata.room():
            self._notice_crashes()  # what a dead run was given is free
            if dry_run:
                return preview(metadata, selection)
            return prune(metadata, workspace.artifact_store, self._lock, selection, ignore_errors=ignore_errors, force=force)

    # -- looking after it

    def verify(self, *, read_data: bool = False, repair: bool = False, older_than: timedelta = GRACE) -> VerifyReport:
        """Compare every record with the bytes and the bytes with the records, and say what is lost, who made it and how to get it back.

        Args:
            read_data: Read all bytes and compare digests; otherwise files are looked for and their sizes compared.
            repair: Mark versions whose bytes are gone as lost, put what is no whole object into the store's folder `quarantine`, bring back
                what is whole there, and sweep what nobody finishes. Nothing is deleted and nothing is run.
            older_than: What was written more recently and has no record yet, as what a run is writing now, is left alone by `repair`.

        May run beside runs. The home remembers when it was, and what was found, for the dashboard. The report's `ok` tells whether all is well. Raises StoreMismatch when the artifact store is not there or
        another one.
        """
        workspace = self.workspace
        if repair:
            check_here(workspace.metadata, "verify --repair")
        with ReadingBar("the store", quiet=workspace.settings.quiet, units="objects") as bar:
            return verify_home(
                workspace.metadata,
                workspace.artifact_store,
                workspace.settings.home,
                bar,
                read_data=read_data,
                repair=repair,
                grace=older_than,
            )[0]

    def backup(self, path: str | Path) -> BackupReport:
        """Copy the database, all artifacts and the logs, as they are at one moment, into a folder. Runs may go on.

        Args:
            path: A folder that is new or empty, or that holds an earlier backup: then only what is new is copied.

        The copy is a home: with `LINEAL_HOME` set to it everything can be found, loaded and verified. Each object is compared with its digest
        while it is copied; the report lists what could not be copied. Registered data stays where it is. Raises UsageError or StoreMismatch
        for a folder that holds something else, Conflict while a prune or another backup is at work, StorageFull.
        """
        workspace = self.workspace
        check_here(workspace.metadata, "backup")
        with ReadingBar("the backup", quiet=workspace.settings.quiet, units="objects") as bar:
            return back_up(workspace.metadata, workspace.artifact_store, workspace.log_folders, self._lock, Path(path).expanduser(), bar)

    def doctor(self) -> list[Check]:
        """Look whether this machine and the stores can do what Lineal relies on: versions, file systems, space, permissions, durability.

        Tests the stores with scratch data, which is gone afterwards. What is wrong is a `Check` in the state "problem", and no exception.
        """
        workspace = self.workspace
        return examine(
            Places(
                workspace.settings.home, workspace.database, workspace.store_folder, workspace.settings.durability,
                lambda: workspace.metadata, lambda: workspace.artifact_store,
            )
        )  # fmt: skip

    def _delete(self, ids: Sequence[str]) -> None:
        delete_versions(self.workspace.metadata, self.workspace.artifact_store, self._lock, ids)

    @property
    def _lock(self) -> Path:
        """The file that keeps prunes and backups apart."""
        return self.workspace.prune_lock

    def _notice_crashes(self) -> None:
        # Before the question is asked: a filter on the state, and the total, must see what is so now. Few runs ever say running.
        for record in self.workspace.metadata.list_runs({"status": Status.RUNNING.value}, "-started", 1000, 0).items:
            notice_crash(record, self.workspace)

    def _run(self, record: Any) -> RunView:
        return RunView(notice_crash(record, self.workspace), self.workspace)
