"""`add_tags` and `remove_tags`: tags of artifacts, versions and runs, from a step, a script or a notebook."""

from collections.abc import Iterable, Sequence

from lineal.engine.context import current_step
from lineal.errors import UsageError
from lineal.model.naming import check_tags, check_version
from lineal.workspace import open_workspace


def add_tags(
    tags: str | Iterable[str],
    *,
    artifact: str | None = None,
    artifact_name: str | None = None,
    artifact_version: str | int | None = None,
    run: str | None = None,
    exclusive: bool = False,
) -> None:
    """Add a tag or several to an artifact, one of its versions, or a run.

    Args:
        tags: The tags: 1 to 255 printable characters each.
        artifact: Tag the artifact of that name itself.
        artifact_name: Tag a version of this artifact.
        artifact_version: Which version of `artifact_name`; the newest by default.
        run: Tag this run (name or id).
        exclusive: Take the tags away from all other versions of the artifact at the same moment, so that one version holds `production`.

    Without a target it tags the run that the calling step belongs to. Raises UsageError for a target that does not fit, InvalidName for
    a tag that is none, NotFound for an artifact, version or run that does not exist.
    """
    if exclusive and (artifact_name is None or artifact is not None):
        raise UsageError("an exclusive tag is one that one version of an artifact holds: pass artifact_name=")
    _change(artifact, artifact_name, artifact_version, run, add=check_tags(tags), exclusive=exclusive)


def remove_tags(
    tags: str | Iterable[str],
    *,
    artifact: str | None = None,
    artifact_name: str | None = None,
    artifact_version: str | int | None = None,
    run: str | None = None,
) -> None:
    """Take a tag or several away from an artifact, version or run; one that it does not have is fine. The target is that of `add_tags`."""
    _change(artifact, artifact_name, artifact_version, run, remove=check_tags(tags))


def _change(
    artifact: str | None,
    name: str | None,
    version: str | int | None,
    run: str | None,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    exclusive: bool = False,
) -> None:
    context = current_step()
    if sum(each is not None for each in (artifact, name, run)) > 1:
        raise UsageError("tags go to an artifact, to one of its versions or to a run: pass one of artifact=, artifact_name= and run=")
    if name is None and version is not None:
        raise UsageError("artifact_version= says which version of artifact_name=, which is missing")
    if name is not None and context is not None and version is None and name in context.outputs.values():
        raise UsageError(
            f"the version of {name!r} that step {context.step_name!r} makes is not there before the step has ended; give its tags "
            "with ArtifactConfig(tags=[...]), or say which earlier version with artifact_version="
        )
    if context is None and (artifact, name, run) == (None, None, None):
        raise UsageError("tags need to know what they are for outside of a step: pass artifact=, artifact_name= or run=")
    metadata = open_workspace().metadata
    if artifact is not None:
        metadata.update_artifact(artifact, add_tags=add, remove_tags=remove)
    elif name is not None:
        wanted = None if version in (None, "latest") else check_version(version)
        found = metadata.get_version(name, wanted).id
        metadata.update_version(found, add_tags=add, remove_tags=remove, exclusive=exclusive)
    elif run is not None:
        metadata.update_run(metadata.get_run(run).id, add_tags=add, remove_tags=remove)
    else:
        assert context is not None
        metadata.update_run(context.run_id, add_tags=add, remove_tags=remove)
