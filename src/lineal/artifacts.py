"""Save and load: the one module where bytes, facts and materializers meet."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from lineal.artifact_store import tree
from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.external import External, Progress
from lineal.artifact_store.places import place_of
from lineal.errors import (
    FULL,
    ArtifactCorrupted,
    ArtifactMissing,
    DataChanged,
    LinealError,
    LinealWarning,
    MaterializerError,
    NoMaterializer,
    PickleRefused,
    typed,
)
from lineal.files import full_disk, restore
from lineal.materializers import visualized
from lineal.materializers.base import AnyMaterializer, BytesMaterializer, where
from lineal.materializers.paths import PathMaterializer
from lineal.materializers.pickled import Loading, difference_in, loading
from lineal.materializers.plain_view import show_pictures
from lineal.materializers.registry import Registry
from lineal.materializers.visualized import visualizations_of
from lineal.model import digest
from lineal.model.records import Companion, CompanionFile, FileEntry, Json, ObjectRecord, VersionRecord
from lineal.model.scripts import module_of
from lineal.model.text import moment_text
from lineal.model.visualization import Visualization
from lineal.private import private_folder

INLINE_LIMIT = 16 * 1024
"""Bytes up to which the value of a BytesMaterializer lives in its metadata row."""

VERIFY_LIMIT = 64 * 1024 * 1024
"""Bytes up to which a stored object is checked against its digest on every first load of a process; larger ones by size."""


class Item(NamedTuple):
    """A value to save: `where` names it in errors, `materializer` None lets the registry choose."""

    where: str
    value: Any
    materializer: AnyMaterializer | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A value that is sealed in the store and not yet recorded."""

    object: ObjectRecord
    materializer: str
    type: str
    data_type: str
    metadata: Mapping[str, Json] = field(default_factory=dict)
    companion: Companion | None = None
    content: str | None = None

    @property
    def identity(self) -> str:
        """What stands for the value in cache keys, as `VersionRecord.identity`."""
        return self.content or self.object.digest


class Artifacts:
    """Turns values into objects and stored versions into values.

    Args:
        store: Where the bytes go.
        registry: Chooses materializers.
        sync: Whether `save` returns only when the bytes would survive a power cut.
        pickle: "own", "forbid" or "allow": what may be written and read by materializers that can run code.
        visualize: Whether visualizations are made where it is not said.
        trusted: Tells whether somebody decided to trust the bytes with a digest; None where nobody can be asked.
        hashes: Folder in which digests of registered files are remembered; None to read them each time.
    """

    def __init__(
        self, store: ArtifactStore, registry: Registry, *, sync: bool, pickle: str, visualize: bool = True, hashes: Path | None = None,
        trusted: Callable[[str], bool] | None = None,
    ) -> None:  # fmt: skip
        self.store = store
        self.external = External(hashes)
        self.registry = registry
        self.sync = sync
        self.pickle = pickle
        self.trusted = trusted
        self.visualize = visualize

    def choose(self, item: Item, declined: AnyMaterializer | None = None) -> AnyMaterializer:
        """Give the materializer for a value, or the next one after `declined`; raise NoMaterializer when the policy forbids the only one."""
        if declined is None:
            materializer = item.materializer or self.registry.for_value(item.value)
        elif item.materializer is None:
            materializer = self.registry.after(declined, item.value)
        else:
            raise NoMaterializer(
                f"{item.where} is a {type_name(item.value)}, which {declined.id}, the materializer given for it, cannot save"
            )
        return materializer if materializer.safe or self.pickle != "forbid" else self._next_safe(item, materializer)

    def _next_safe(self, item: Item, unsafe: AnyMaterializer) -> AnyMaterializer:
        """Give the first materializer after one that can run code that cannot, as for a figure that is kept as a picture only."""
        found = unsafe
        try:
            while not found.safe and item.materializer is None:
                found = self.registry.after(found, item.value)
        except NoMaterializer:
            found = unsafe
        if found.safe:
            return found
        raise NoMaterializer(
            f"{item.where} is a {type_name(item.value)}, which only {unsafe.id} can save, and the setting pickle = "
            f'"forbid" does not allow it; register a materializer for the type, or set LINEAL_PICKLE=own'
        )

    def save(self, items: Sequence[Item], *, metadata: bool = True, visualize: bool | None = None) -> list[Saved]:
        """Save values as sealed objects, their visualizations beside them, all made durable in one barrier; the same order as `items`.

        Raises MaterializerError when a materializer fails, StorageFull or another StoreError when the store does; then nothing is kept,
        and the value that was not saved hangs on the exception as `value`.
        """
        chosen: list[AnyMaterializer] = []
        written: list[ObjectRecord | Path] = []
        staged: list[Path] = []
        try:
            for item in items:
                where.set(item.where)
                materializer = self.choose(item)
                while len(written) == len(chosen):
                    try:
                        data = materializer.dumps(item.value) if isinstance(materializer, BytesMaterializer) else None
                        if data is not None and len(data) <= INLINE_LIMIT:
                            written.append(inline_object(materializer.filename, data))  # type: ignore[union-attr]
                            continue
                        folder = self.store.stage()
                        staged.append(folder)
                        if data is None:
                            materializer.save(item.value, folder)  # type: ignore[union-attr]
                        else:
                            (folder / materializer.filename).write_bytes(data)  # type: ignore[union-attr]
                        written.append(folder)
                    except NoMaterializer:  # only writing showed that it cannot be held: the next candidate is asked
                        materializer = self.choose(item, materializer)
                chosen.append(materializer)
            shown = self._visualized(items, chosen, staged) if (self.visualize if visualize is None else visualize) else {}
        except BaseException as error:
            full = full_disk(staged[-1], error) if staged else None
            for folder in staged:
                self.store.discard(folder)
            if isinstance(error, LinealError) and full is None:
                error.value = item.value  # the work of the step is not lost with the failed save
                if item.where not in str(error):
                    error.add_note(f"while saving {item.where}")
            if full is None and (isinstance(error, LinealError) or not isinstance(error, Exception)):
                raise
            raise _save_failure(item, materializer, full or error) from error
        finally:
            where.set("")
        try:
            sealed = self._seal(staged, [*written, *(place for place, _ in shown.values())]) if staged else {}
        except LinealError as error:
            error.value = items[0].value if len(items) == 1 else tuple(item.value for item in items)
            raise
        return [
            Saved(
                sealed[place] if isinstance(place, Path) else place,
                materializer.id,
                type_name(item.value),
                materializer.data_type,
                _metadata(item, materializer) if metadata else {},
                _companion(shown[number], sealed) if number in shown else None,
                _content(item, materializer),
            )
            for number, (item, materializer, place) in enumerate(zip(items, chosen, written, strict=True))
        ]

    def examine(self, item: Item) -> Saved:
        """Give what `save` would give for a value, without facts and visualizations, and store nothing. Raises as `save` does."""
        declined: AnyMaterializer | None = None
        where.set(item.where)
        try:
            while True:
                materializer = self.choose(item, declined)
                try:
                    record = self._examined(materializer, item.value)
                    content = _content(item, materializer)
                    return Saved(record, materializer.id, type_name(item.value), materializer.data_type, content=content)
                except NoMaterializer:
                    declined = materializer
                except LinealError:
                    raise
                except Exception as error:
                    raise _save_failure(item, materializer, error) from error
        finally:
            where.set("")

    def _examined(self, materializer: AnyMaterializer, value: Any) -> ObjectRecord:
        if isinstance(materializer, BytesMaterializer):
            return inline_object(materializer.filename, materializer.dumps(value))
        folder = self.store.stage()
        try:
            materializer.save(value, folder)
            entries = tuple(FileEntry(*entry) for entry in tree.take(str(folder))[0])
        finally:
            self.store.discard(folder)
        return ObjectRecord(digest.of_object(entries), sum(entry.size for entry in entries), entries)

    def _seal(self, staged: Sequence[Path], places: Sequence[ObjectRecord | Path]) -> dict[Path, ObjectRecord]:
        """Seal the folders that are somebody's place, in one barrier; those that a materializer declined to fill are discarded."""
        wanted = {place for place in places if isinstance(place, Path)}
        for folder in set(staged) - wanted:
            self.store.discard(folder)
        folders = [folder for folder in staged if folder in wanted]
        return dict(zip(folders, self.store.seal(folders, sync=self.sync), strict=True)) if folders else {}

    def _visualized(self, items: Sequence[Item], chosen: Sequence[AnyMaterializer], staged: list[Path]) -> dict[int, "_Shown"]:
        """Make the visualizations of those values that have any, by place: in a staged folder, or in a row when it is a small one."""
        shown: dict[int, _Shown] = {}
        for number, (item, materializer) in enumerate(zip(items, chosen, strict=True)):
            found = visualizations_of(materializer, item.value, item.where) if materializer.visualizes else ()
            if len(found) == 1 and len(found[0].data) <= INLINE_LIMIT:
                [entry] = files = visualized.named(found)
                shown[number] = inline_object(entry.file, found[0].data), files
            elif found:
                folder = self.store.stage()
                staged.append(folder)
                shown[number] = folder, visualized.write(found, folder)
        return shown

    def visualizations(self, record: VersionRecord, companion: Companion | None) -> list[Visualization]:
        """Give what shows a version: what was made when it was saved, then what is made of its files, without loading it.

        Raises ArtifactMissing or ArtifactCorrupted when the bytes are gone or changed, MaterializerError when they cannot be shown.
        """
        name, found = f"{record.artifact}@{record.version}", []
        if companion is not None:
            whose = f"the visualizations of {name}"
            found = [visualized.read(entry, self._file(companion.object, entry.file, whose)) for entry in companion.files]
        if record.state != "live":
            return found
        try:
            preview = self.registry.by_id(record.materializer).preview
        except NoMaterializer:  # the library is not here: pictures among the files can be shown all the same
            preview = show_pictures
        try:
            return [*found, *preview(record.object.files, lambda path: self._file(record.object, path, name))]
        except LinealError:
            raise
        except Exception as error:  # files that are not what the format says, such as another's
            raise MaterializerError(f"{name} cannot be shown as {record.materializer}: {type(error).__name__}: {error}") from error

    def load(self, record: VersionRecord, type_: Any = None) -> Any:
        """Give the value of a stored version; private to the caller. `type_` is the consumer's annotation, None when there is none.

        Raises ArtifactMissing or ArtifactCorrupted when the bytes are gone or changed, PickleRefused by policy, MaterializerError
        when the materializer fails.
        """
        name = f"{record.artifact}@{record.version}"
        check_live(record)
        try:
            materializer = self.registry.by_id(record.materializer)
            if not materializer.safe:
                self._check_trust(record, name)
            if isinstance(materializer, BytesMaterializer):
                return materializer.loads(self._bytes(record.object, name), type_)
            if record.object.external is not None:
                return restore(self.fetch(record.object))
            if not materializer.safe:
                return self._load_verified_copy(record.object, materializer, type_, name)
            folder = self.store.fetch(record.object, verify=record.object.size <= VERIFY_LIMIT)
            return materializer.load(folder, type_)
        except LinealError as error:
            error.add_note(f"while loading {name}")
            raise
        except Exception as error:
            if isinstance(error, FileNotFoundError) and record.object.inline is None and record.object.external is None:
                self.store.fetch(record.object)  # says so when its bytes went after the first look: pruned, or removed
            raise MaterializerError(f"{name} (a {record.type}) could not be loaded by {record.materializer}: {error}") from error

    def holds(self, record: VersionRecord) -> bool:
        """Tell whether a version's bytes are there and what they should be, so that a cached result may be given.

        Checked by digest up to VERIFY_LIMIT bytes, and at any size when loading them can run code; above it by size.
        """
        if record.state != "live":
            return False
        if record.object.inline is not None:
            return True
        if record.object.external is not None:
            return self.external.holds(record.object)
        return self.store.holds(record.object, verify=record.object.size <= VERIFY_LIMIT or self.can_run_code(record.materializer))

    def unreadable(self, record: VersionRecord) -> str:
        """Say why a version whose bytes are there would be refused by `load` here: another release pickled it; empty when it would not."""
        if record.object.inline is not None or record.object.external is not None or not self.can_run_code(record.materializer):
            return ""
        name = f"{record.artifact}@{record.version}"
        said = difference_in(record.object.files, lambda path: self._file(record.object, path, name))
        return "" if said and self._is_trusted(record.object) else said

    def can_run_code(self, materializer: str) -> bool:
        """Tell whether loading what a materializer stored can run code; also when it is not known here."""
        try:
            return not self.registry.by_id(materializer).safe
        except NoMaterializer:  # what it is stored as is not known in this process
            return True

    def fetch(self, record: ObjectRecord, *, verify: bool = False) -> Path:
        """Give a folder that holds an object's files: the stored one, or a private copy of registered data, which is always verified.

        Raises ArtifactMissing or ArtifactCorrupted.
        """
        if record.external is None:
            return self.store.fetch(record, verify=verify)
        folder = private_folder(record.external)
        try:
            self.external.copy(record, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    def register(self, uri: str | os.PathLike[str], progress: Progress, *, copy: bool) -> Saved:
        """Give what a file or folder is now, as a value to be recorded. Its bytes stay where they are; with `copy` they are stored too.

        Raises PathNotFound, UsageError for what cannot be registered, DataChanged when it changes meanwhile, StorageFull.
        """
        place, name = place_of(uri, self.store.url)
        record = self.external.scan(place, name, progress)
        metadata = {"name": name, "files": len(record.files), "bytes": record.size}
        if copy:
            metadata["source"] = place
            record = self._stored(record)
        return Saved(record, PathMaterializer.id, "pathlib.Path", PathMaterializer.data_type, metadata)

    def _stored(self, record: ObjectRecord) -> ObjectRecord:
        stored = replace(record, external=None)
        if self.sync and self.store.holds(stored, verify=True):
            self.store.sync([record.digest])
            return stored
        folder = self.store.stage()
        try:
            self.external.copy(record, folder)
        except BaseException as error:
            self.store.discard(folder)
            if isinstance(error, ArtifactMissing | ArtifactCorrupted):
                raise DataChanged(f"{record.external} changed while it was copied, so it was not registered: {error}") from error
            raise
        [sealed] = self.store.seal([folder], sync=self.sync)
        return sealed

    def _bytes(self, record: ObjectRecord, name: str) -> bytes:
        [entry] = record.files
        return self._file(record, entry.path, name)

    def _file(self, record: ObjectRecord, path: str, name: str) -> bytes:
        if record.inline is not None:
            return record.inline
        wanted = next((entry.digest for entry in record.files if entry.path == path), None)
        if wanted is None:
            raise ArtifactCorrupted(f"{name} has no file {path}, which its format has; run its step again")
        data = (self.store.fetch(record) / path if record.external is None else self.external.file(record, path)).read_bytes()
        if digest.of_bytes(data) != wanted:
            raise ArtifactCorrupted(f"the bytes of {name} are not those that were saved ({path}); run its step again")
        return data

    def _check_trust(self, record: VersionRecord, name: str) -> None:
        if self.pickle == "allow" or (self.pickle == "own" and record.save_type in OWN_SAVE_TYPES):
            return
        if self.pickle == "own" and self._is_trusted(record.object):
            return
        reason, remedy = 'the setting pickle = "forbid" is in force', "LINEAL_PICKLE=own allows what this workspace made"
        if self.pickle == "own":
            reason, remedy = "no run of this workspace made it", f"if you know who made it, trust these bytes: lineal artifact trust {name}"
        raise PickleRefused(
            f"{name} is stored as {record.materializer}, which can run code when it is loaded, and {reason}; it was not loaded. "
            f"{remedy[0].upper()}{remedy[1:]}. Its files can be had as they are: lineal artifact download {name}"
        )

    def _is_trusted(self, record: ObjectRecord) -> bool:
        return self.trusted is not None and self.trusted(record.digest)

    def _load_verified_copy(self, record: ObjectRecord, materializer: Any, type_: Any, name: str) -> Any:
        # What is checked must be what is loaded: a second open could meet other bytes.
        with tempfile.TemporaryDirectory(prefix="lineal-") as folder:
            source, copy = self.store.fetch(record), Path(folder)
            for entry in record.files:
                data = (source / entry.path).read_bytes()
                if digest.of_bytes(data) != entry.digest:
                    raise ArtifactCorrupted(f"{entry.path} of object {record.digest[:12]} is not what was saved; it was not loaded")
                target = copy / entry.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            token = loading.set(Loading(name, lambda: self._is_trusted(record)))
            try:
                return materializer.load(copy, type_)
            finally:
                loading.reset(token)


_Shown = tuple[ObjectRecord | Path, tuple[CompanionFile, ...]]


def _companion(shown: _Shown, sealed: Mapping[Path, ObjectRecord]) -> Companion:
    place, files = shown
    return Companion(sealed[place] if isinstance(place, Path) else place, files)


def _save_failure(item: Item, materializer: AnyMaterializer, error: BaseException) -> LinealError:
    failure: LinealError
    if isinstance(error, OSError) and error.errno in FULL:  # as `full_disk` gives it
        failure = typed(error, item.where)
    else:
        failure = MaterializerError(f"{item.where}, a {type_name(item.value)}, could not be saved by {materializer.id}: {error}")
    failure.value = item.value
    return failure


OWN_SAVE_TYPES = frozenset({"step", "manual", "external"})


def inline_object(filename: str, data: bytes) -> ObjectRecord:
    """Give the object of a small value that lives in its row: the same digest as if it lay in a file."""
    entry = FileEntry(filename, len(data), digest.of_bytes(data))
    return ObjectRecord(digest.of_object((entry,)), len(data), (entry,), inline=data)


def check_live(record: VersionRecord) -> None:
    """Raise ArtifactMissing when a version's data was pruned, or found to be lost."""
    if record.state != "live":
        name, when = f"{record.artifact}@{record.version}", moment_text(record.pruned)
        what = f"was pruned on {when}" if record.state == "pruned" else f"is lost, as lineal verify found on {when}"
        raise ArtifactMissing(f"the data of {name} {what} UTC; its record is kept. Run its step again to have the data back")


def type_name(value: Any) -> str:
    """Give the name of a value's class for people: `pandas.DataFrame`, `int`. It is never imported from."""
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{module_of(cls)}.{cls.__qualname__}"


def boots(saved: Sequence[Saved]) -> list[str]:
    """Give the digests of objects that are not durable yet: of values and of their visualizations."""
    objects = [each.object for each in saved] + [each.companion.object for each in saved if each.companion is not None]
    return [record.digest for record in objects if record.boot is not None]


def _content(item: Item, materializer: AnyMaterializer) -> str | None:
    """Give the digest of what a materializer says a value's content is; no two formats and no two classes share one."""
    try:
        text = materializer.content_hash(item.value)
        if text is None:
            return None
        if type(text) is not str:
            raise TypeError(f"a content hash is text or None, got {type(text).__qualname__}")
        return digest.of("content/1", materializer.id, type_name(item.value), text)
    except Exception as error:  # the digest of the bytes is right too: at worst a step runs again
        import warnings

        said = f"no content hash for {item.where}, so its bytes count: {materializer.id} raised {type(error).__name__}: {error}"
        warnings.warn(said, LinealWarning, stacklevel=2)
        return None


def _metadata(item: Item, materializer: AnyMaterializer) -> Mapping[str, Json]:
    try:
        return materializer.metadata(item.value)
    except Exception as error:  # facts about a value are a courtesy: the value itself is kept
        import warnings

        warnings.warn(
            f"no metadata for {item.where}: {materializer.id} raised {type(error).__name__}: {error}", LinealWarning, stacklevel=2
        )
        return {}
