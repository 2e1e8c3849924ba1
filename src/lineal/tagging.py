"""`add_tags` and `remove_tags`: tags of versions and runs, from a step, a script or a notebook."""

from collections.abc import Iterable

from lineal.engine.context import current_step
from lineal.errors import UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import check_tags, check_version
from lineal.workspace import open_workspace


def add_tags(
    tags: str | Iterable[str],
    *,
    artifact_name: str | None = None,
    artifact_version: str | int | None = None,
    run: str | None = None,
    exclusive: bool = False,
) -> None:
    """Add a tag or several to an artifact version or a run.

    Args:
        tags: The tags: 1 to 255 printable characters each.
        artifact_name: Tag a version of this artifact.
        artifact_version: Which version of `artifact_name`; the newest by default.
        run: Tag this run (name or id).
        exclusive: Take the tags away from all other versions of the artifact at the same moment, so that one version holds `production`.

    Without a target it tags the run that the calling step belongs to. Raises UsageError for a target that does not fit, InvalidName for
    a tag that is none, NotFound for a version or run that does not exist.
    """
    metadata, version_id, run_id = _target(artifact_name, artifact_version, run)
    if version_id is not None:
        metadata.update_version(version_id, add_tags=check_tags(tags), exclusive=exclusive)
    elif exclusive:
        raise UsageError("an exclusive tag is one that one version of an artifact holds: pass artifact_name=")
    else:
        metadata.update_run(run_id, add_tags=check_tags(tags))


def remove_tags(
    tags: str | Iterable[str], *, artifact_name: str | None = None, artifact_version: str | int | None = None, run: str | None = None
) -> None:
    """Take a tag or several away from an artifact version or a run; one that it does not have is fine. The target is that of `add_tags`."""
    metadata, version_id, run_id = _target(artifact_name, artifact_version, run)
    if version_id is not None:
        metadata.update_version(version_id, remove_tags=check_tags(tags))
    else:
        metadata.update_run(run_id, remove_tags=check_tags(tags))


def _target(artifact: str | None, version: str | int | None, run: str | None) -> tuple[MetadataStore, str | None, str]:
    """Give the metadata store and the id of the version, or None and the id of the run."""
    context = current_step()
    if artifact is not None and run is not None:
        raise UsageError("tags go to an artifact version or to a run: pass artifact_name= or run=, not both")
    if artifact is None and version is not None:
        raise UsageError("artifact_version= says which version of artifact_name=, which is missing")
    if artifact is not None and context is not None and version is None and artifact in context.outputs.values():
        raise UsageError(
            f"the version of {artifact!r} that step {context.step_name!r} makes is not there before the step has ended; give its tags "
            "with ArtifactConfig(tags=[...]), or say which earlier version with artifact_version="
        )
    if artifact is None and run is None and context is None:
        raise UsageError("tags need to know what they are for outside of a step: pass artifact_name= or run=")
    metadata = open_workspace().metadata
    if artifact is not None:
        wanted = None if version in (None, "latest") else check_version(version)
        return metadata, metadata.get_version(artifact, wanted).id, ""
    if run is not None:
        return metadata, None, metadata.get_run(run).id
    assert context is not None
    return metadata, None, context.run_id
