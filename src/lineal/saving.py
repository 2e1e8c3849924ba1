"""`save_artifact`, `load_artifact`, `register_artifact` and `ExternalArtifact`: values in and out of a store from anywhere.

Inside a step what they save and load is recorded as further outputs and inputs of the step run. It is no part of what the cache
gives: a step that is not run again saves nothing again.
"""

import os
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

from lineal.artifacts import Item, Saved
from lineal.engine.bar import ReadingBar
from lineal.engine.context import StepContext, current_step, note_loaded
from lineal.engine.externals import record_saved
from lineal.errors import LinealError, UsageError
from lineal.graph.external import External
from lineal.graph.handles import Handle, Handles
from lineal.graph.signature import ARTIFACT_TYPES
from lineal.materializers.registry import instance
from lineal.model.metadata import hold_metadata
from lineal.model.naming import check_name, check_tags, check_version, new_id
from lineal.model.records import NewOutput, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.views import VersionView
from lineal.workspace import Workspace, open_workspace

T = TypeVar("T")

Tags = str | Iterable[str] | None


def save_artifact(
    data: Any,
    name: str,
    version: str | int | None = None,
    artifact_type: str | None = None,
    tags: Tags = None,
    user_metadata: Mapping[str, Any] | None = None,
    materializer: Any = None,
    *,
    extract_metadata: bool = True,
    include_visualizations: bool | None = None,
) -> VersionView:
    """Save a value as a version of an artifact, and give the version. It can be used at once, by everybody.

    Args:
        data: The value.
        name: Name of the artifact.
        version: An explicit version instead of the next number. Saving the same content as the same version again changes nothing.
        artifact_type: Kind of artifact instead of the materializer's: data, model, schema, statistics or service.
        tags: Tags of the version.
        user_metadata: Metadata of the version, beside what the materializer knows.
        materializer: A materializer, class or instance, instead of the one that the type has.
        extract_metadata: Whether the materializer adds what it knows of the value.
        include_visualizations: Whether visualizations are made; as the settings say by default.

    Inside a step the version is a further output of the step run.

    Raises MaterializerError or StorageFull when the value cannot be saved (nothing is kept then, and `value` of the error is the value),
    StoreError, VersionExists when the version exists with other
    content, InvalidName, UsageError.
    """
    if isinstance(data, Handle | Handles | External):
        raise UsageError(f"{data!r} stands for an artifact and is no value; save what its load() gives, or pass it to a step")
    workspace = open_workspace()
    named = _Named(name, version, artifact_type, tags, user_metadata)
    item = Item(f"artifact {named.name!r}", data, None if materializer is None else instance(materializer))

    def save() -> Saved:
        return workspace.artifacts.save([item], metadata=extract_metadata, visualize=include_visualizations)[0]

    try:
        return VersionView(record_saved(save, lambda saved: _keep(named.output(saved, "manual"), workspace)), workspace)
    except LinealError as error:
        error.value = data
        raise


def load_artifact(name_or_id: str | UUID, version: str | int | None = None, type: Any = None) -> Any:
    """Give the value of an artifact version, private to the caller.

    Args:
        name_or_id: Name of the artifact, or the id of a version, or the beginning of an id (8 characters or more). A name wins.
        version: Version of that name; None and "latest" mean the newest.
        type: Type wanted, where a materializer can give several; the stored one by default.

    Inside a step the version is a further input of the step run.

    Raises NotFound (a KeyError) with the closest names, ArtifactMissing or ArtifactCorrupted when its bytes are gone or changed,
    PickleRefused by policy, MaterializerError when the materializer fails.
    """
    workspace = open_workspace()
    wanted = None if version in (None, "latest") else check_version(version)
    record = workspace.metadata.get_version(str(name_or_id), wanted)
    value = workspace.artifacts.load(record, type)
    note_loaded(record, workspace)
    return value


def register_artifact(
    folder_or_file_uri: str | os.PathLike[str],
    name: str,
    version: str | int | None = None,
    artifact_type: str | None = None,
    tags: Tags = None,
    artifact_metadata: Mapping[str, Any] | None = None,
    mode: Literal["reference", "copy"] = "reference",
) -> VersionView:
    """Make a version of a file or folder that exists, and give the version.

    Args:
        folder_or_file_uri: A local path, or a `file://` URL. `~` and variables are not expanded. Links inside a folder are followed.
        name: Name of the artifact.
        version: An explicit version instead of the next number. Registering the same content as the same version again changes nothing.
        artifact_type: Kind of artifact: data (the default), model, schema, statistics or service.
        tags: Tags of the version.
        artifact_metadata: Metadata of the version, beside its name, number of files and bytes.
        mode: "reference" leaves the bytes where they are, and never moves, changes or deletes them; what changes there later is
            noticed when it is loaded. "copy" stores a copy that nothing can change.

    `load()` of the version gives a `pathlib.Path` to a private, writable copy under the original name; `path` the place itself.
    Files that have not changed since they were registered before are not read again. Inside a step the version is a further output
    of the step run.

    Raises PathNotFound when nothing is there, UsageError with a list of what cannot be registered (links that lead outside or to
    nothing, pipes, sockets, devices), DataChanged when files change meanwhile, VersionExists when the version exists with other content.
    """
    if mode not in ("reference", "copy"):
        raise UsageError(f'mode is "reference" or "copy", got {mode!r}')
    workspace = open_workspace()
    named = _Named(name, version, artifact_type, tags, artifact_metadata)
    with ReadingBar(str(folder_or_file_uri), quiet=workspace.settings.quiet) as bar:

        def save() -> Saved:
            return workspace.artifacts.register(folder_or_file_uri, bar, copy=mode == "copy")

        record = record_saved(save, lambda saved: _keep(named.output(saved, "registered"), workspace))
    return VersionView(record, workspace)


def ExternalArtifact(value: T, *, materializer: Any = None) -> T:  # noqa: N802 - it reads as what it makes
    """Give a value to a step as an artifact: `train(ExternalArtifact(frame))`.

    Args:
        value: The value. It may be anything that a step could return.
        materializer: A materializer, class or instance, instead of the one that the type has.

    It is stored when the pipeline runs, by its content: the same content again is a cache hit. The artifact is called
    `{pipeline}::{call}.{argument}`. For type checkers it is the value itself.
    """
    if isinstance(value, Handle | Handles | External | VersionView):
        raise UsageError(f"{value!r} is an artifact already; pass it to the step as it is")
    return cast("T", External(value, None if materializer is None else instance(materializer)))


class _Named:
    """What is said of a version to be made, checked before anything is written."""

    def __init__(
        self, name: str, version: str | int | None, artifact_type: str | None, tags: Tags, metadata: Mapping[str, Any] | None
    ) -> None:
        self.name = check_name(name, "artifact name")
        self._version = None if version is None else check_version(version)
        if artifact_type is not None and artifact_type not in ARTIFACT_TYPES:
            raise UsageError(f"artifact_type of {self.name!r} must be one of {', '.join(ARTIFACT_TYPES)}; got {artifact_type!r}")
        self._artifact_type = artifact_type
        self._tags = () if tags is None else tuple(check_tags(tags))
        self._metadata = hold_metadata(metadata or {}, f"artifact {self.name!r}")

    def output(self, saved: Saved, save_type: str) -> NewOutput:
        """Give the version as it is to be recorded."""
        return NewOutput(
            new_id(), "", self.name, self._version, saved.object, saved.materializer, saved.type, self._artifact_type or saved.data_type,
            save_type, self._tags, {**saved.metadata, **self._metadata}, saved.companion,
            saved.content,
        )  # fmt: skip


def _keep(output: NewOutput, workspace: Workspace) -> VersionRecord:
    context = current_step()
    if context is not None and not context.is_shown:
        workspace.metadata.heartbeat(context.run_id, time.time_ns() // 1000, [_running(context)])
        context.is_shown = True
    record = workspace.metadata.save_version(output, None if context is None else context.step_run_id)
    if context is not None:
        context.saved.append((record.artifact, record.id))
    return _settled(record, output, workspace) if workspace.settings.durability == "run" else record


def _running(context: StepContext) -> StepRunRecord:
    # A version belongs to a step run, which is recorded only when it ends or has been running for a while.
    return StepRunRecord(
        context.step_run_id, context.run_id, context.step_name, context.step, context.position, Status.RUNNING, context.started
    )


def _settled(record: VersionRecord, output: NewOutput, workspace: Workspace) -> VersionRecord:
    # Nobody waits for the end of a run here: what was saved by itself is made durable by itself.
    objects = [output.object] if output.companion is None else [output.object, output.companion.object]
    workspace.artifact_store.sync([each.digest for each in objects if each.boot is not None])
    workspace.metadata.settle([each.digest for each in objects])
    return workspace.metadata.versions_by_id([record.id])[record.id]
