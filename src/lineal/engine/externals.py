"""Stores the values from outside that steps are given, before any step of theirs runs."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence

from lineal.artifacts import Artifacts, Item, Saved, boots
from lineal.errors import ArtifactMissing, NotFound
from lineal.graph.plan import ExternalRef
from lineal.metadata_store.base import MetadataStore
from lineal.model.naming import new_id
from lineal.model.records import NewOutput, VersionRecord

ATTEMPTS = 3
"""How often a value is stored again because a prune took what had just been stored."""


def keep_externals(refs: Sequence[ExternalRef], artifacts: Artifacts, metadata: MetadataStore) -> list[str]:
    """Store values, in one barrier, and note in each reference which version it is. Gives the digests that are not durable yet.

    Content that is the newest of its name already makes no new version. Raises MaterializerError when one cannot be saved; then none is
    recorded.
    """
    items = [Item(ref.where, ref.value, ref.materializer) for ref in refs]
    saved = artifacts.save(items)
    for ref, item, each in zip(refs, items, saved, strict=True):
        stored = iter([each])  # first what was stored with the others, and only when that is gone the value again
        ref.version = record_saved(functools.partial(_next, stored, item, artifacts), functools.partial(_record, ref, metadata))
    return boots(saved)


def identify_externals(refs: Sequence[ExternalRef], artifacts: Artifacts, metadata: MetadataStore) -> None:
    """Note in each reference which version its value is, or would be, and store nothing: for a plan. Raises as `keep_externals` does."""
    for ref in refs:
        saved = artifacts.examine(Item(ref.where, ref.value, ref.materializer))
        ref.version = _newest(ref.artifact, saved, metadata) or VersionRecord(
            new_id(),
            ref.artifact,
            "new",
            None,
            saved.object,
            saved.materializer,
            saved.type,
            saved.data_type,
            "external",
            0,
            content=saved.content,
        )


def record_saved(save: Callable[[], Saved], record: Callable[[Saved], VersionRecord]) -> VersionRecord:
    """Store a value, record it, and give the version.

    A prune may take what was stored before it is recorded, when it is the content of another version that goes: then it is stored again.
    """
    for _ in range(ATTEMPTS):
        with contextlib.suppress(ArtifactMissing):
            return record(save())
    return record(save())


def _next(stored: Iterator[Saved], item: Item, artifacts: Artifacts) -> Saved:
    return next(stored, None) or artifacts.save([item])[0]


def _record(ref: ExternalRef, metadata: MetadataStore, saved: Saved) -> VersionRecord:
    return _newest(ref.artifact, saved, metadata) or metadata.save_version(_new(ref.artifact, saved), None)


def _newest(artifact: str, saved: Saved, metadata: MetadataStore) -> VersionRecord | None:
    try:
        newest = metadata.get_version(artifact)
    except NotFound:
        return None
    same = newest.artifact == artifact and newest.identity == saved.identity and newest.materializer == saved.materializer
    return newest if same else None


def _new(artifact: str, saved: Saved) -> NewOutput:
    return NewOutput(
        new_id(), "", artifact, None, saved.object, saved.materializer, saved.type, saved.data_type, "external", (), saved.metadata,
        saved.companion, saved.content,
    )  # fmt: skip
