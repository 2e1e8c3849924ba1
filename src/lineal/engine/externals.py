"""Stores the values from outside that steps are given, before any step of theirs runs."""

from collections.abc import Sequence

from lineal.artifacts import Artifacts, Item, Saved, boots
from lineal.errors import NotFound
from lineal.graph.plan import ExternalRef
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.records import NewOutput, VersionRecord


def keep_externals(refs: Sequence[ExternalRef], artifacts: Artifacts, metadata: MetadataStore) -> list[str]:
    """Store values, in one barrier, and note in each reference which version it is. Gives the digests that are not durable yet.

    Content that is the newest of its name already makes no new version. Raises MaterializerError when one cannot be saved; then none is
    recorded.
    """
    saved = artifacts.save([Item(ref.where, ref.value, ref.materializer) for ref in refs])
    for ref, each in zip(refs, saved, strict=True):
        ref.version = _newest(ref.artifact, each, metadata) or metadata.save_version(_new(ref.artifact, each), None)
    return boots(saved)


def _newest(artifact: str, saved: Saved, metadata: MetadataStore) -> VersionRecord | None:
    try:
        newest = metadata.get_version(artifact)
    except NotFound:
        return None
    same = newest.artifact == artifact and newest.object.digest == saved.object.digest and newest.materializer == saved.materializer
    return newest if same else None


def _new(artifact: str, saved: Saved) -> NewOutput:
    return NewOutput(
        new_id(), "", artifact, None, saved.object, saved.materializer, saved.type, saved.data_type, "external", (), saved.metadata,
        saved.companion,
    )  # fmt: skip
