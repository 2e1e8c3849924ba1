"""What a version is and holds, without where it leads: its facts, its value, its files."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from lineal.artifacts import check_live
from lineal.engine.context import note_loaded
from lineal.errors import ArtifactMissing, NotFound, UsageError
from lineal.files import FOLDERS, make_empty_folders
from lineal.host import in_notebook
from lineal.materializers.paths import PathMaterializer
from lineal.model.records import FileEntry, Json, VersionRecord
from lineal.model.text import moment, moment_text, shown, size_text
from lineal.model.visualization import Visualization
from lineal.private import PrivateScope
from lineal.views import html, picture, printed, shapes
from lineal.views.base import View, held_values, name_text
from lineal.views.files import copy_out


class VersionFacts(View[VersionRecord]):
    """The facts and the value of one version of an artifact."""

    @property
    def name(self) -> str:
        """The artifact's name."""
        return self.record.artifact

    @property
    def version(self) -> str:
        """The version: a number as text, or the name that it was given."""
        return self.record.version

    @property
    def uri(self) -> str:
        """Where its bytes are: a folder or URL in the artifact store, or `inline:DIGEST` for a small value in the metadata store."""
        held = self.record.object
        if held.external is not None:
            return held.external
        if held.inline is not None:
            return f"inline:{held.digest}"
        return f"{self.workspace.artifact_store.url}/objects/{held.digest[:2]}/{held.digest}"

    @property
    def digest(self) -> str:
        """Digest of its content: equal content, equal digest."""
        return self.record.object.digest

    @property
    def size(self) -> int:
        """Size of its files in bytes."""
        return self.record.object.size

    @property
    def files(self) -> list[FileEntry]:
        """Its files: path, size in bytes and digest of each."""
        return list(self.record.object.files)

    @property
    def type(self) -> str:
        """Name of the value's Python type, for people: `pandas.DataFrame`."""
        return self.record.type

    @property
    def data_type(self) -> str:
        """Kind of artifact: data, model, schema, statistics or service."""
        return self.record.data_type

    @property
    def materializer(self) -> str:
        """Id of the materializer that saved it and loads it."""
        return self.record.materializer

    @property
    def save_type(self) -> str:
        """How it came to be: step, manual, external, registered."""
        return self.record.save_type

    @property
    def created(self) -> datetime:
        """When it was made, in UTC."""
        return moment(self.record.created)

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self.record.tags)

    @property
    def metadata(self) -> dict[str, Any]:
        """Facts about the value, by name, with datetimes and other values as they were logged."""
        return held_values(self.record.metadata)

    @property
    def pinned(self) -> bool:
        """Whether it can neither be deleted nor pruned."""
        return self.record.pinned

    @property
    def pruned(self) -> datetime | None:
        """When its data was pruned, or found to be lost, in UTC; None for a version whose data is there."""
        return None if self.record.pruned is None else moment(self.record.pruned)

    # -- the value

    def load(self, type: Any = None) -> Any:
        """Give the value, private to the caller. Costs no query.

        Args:
            type: Type wanted, where a materializer can give several; the stored one by default.

        Raises ArtifactMissing or ArtifactCorrupted when its bytes are gone or changed, PickleRefused by policy, MaterializerError when
        the materializer fails. Inside a step the version is recorded as a further input, as it is by `path` and `download`.
        """
        with self._as_it_is_now():
            value = self.workspace.artifacts.load(self.record, type)
        note_loaded(self.record, self.workspace)
        return value

    @contextmanager
    def _as_it_is_now(self) -> Iterator[None]:
        """Say of bytes that are gone what became of them since this view was made, if that is known."""
        try:
            yield
        except ArtifactMissing as error:
            try:
                now = self.workspace.metadata.get_version(self.record.id)
            except NotFound:
                raise ArtifactMissing(f"{name_text(self.record)} was deleted since it was looked up") from error
            check_live(now)
            raise

    @cached_property
    def data(self) -> Any:
        """The value, loaded at first use and kept by this view; `load()` gives a fresh one each time."""
        return self.load()

    @property
    def path(self) -> Path:
        """Where its files are, in place, read-only, for other programs to read.

        The folder of its files, or the file if there is just one at its top. For a file or folder that was saved or registered, that file
        or folder under its own name; for one that was registered where it lies, that place.

        Raises UsageError for a value that is small enough to have no file, ArtifactMissing or ArtifactCorrupted as `load` does.
        """
        held = self.record.object
        if held.inline is not None:
            raise UsageError(
                f"{name_text(self.record)} is small and kept in the metadata store, without a file; use load(), or download(folder)"
            )
        check_live(self.record)
        note_loaded(self.record, self.workspace)
        if held.external is not None:
            self.workspace.artifacts.external.check(held)
            return Path(held.external)
        with self._as_it_is_now():
            folder = self.workspace.artifact_store.fetch(held)
        tops = {entry.path.partition("/")[0] for entry in held.files} - {FOLDERS}
        if len(tops) == 1 and (self.record.materializer == PathMaterializer.id or held.files[0].path in tops):
            return folder / tops.pop()
        return folder

    def download(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Copy its files into a folder, which is made with its parents when it does not exist, and give the folder.

        Args:
            folder: Where to. It must be new or empty, unless `overwrite`.
            overwrite: Replace files of the same names; other files in the folder stay as they are.

        Raises UsageError when the folder holds something, ArtifactMissing or ArtifactCorrupted as `load` does.
        """
        check_live(self.record)
        note_loaded(self.record, self.workspace)
        with PrivateScope(), self._as_it_is_now():
            copied = copy_out(self.record.object, self.workspace.artifacts, Path(folder), overwrite=overwrite)
        if self.record.materializer == PathMaterializer.id:
            make_empty_folders(copied)
        return copied

    # -- shown

    @cached_property
    def visualizations(self) -> list[Visualization]:
        """What was made to show the value when it was saved: kind, content and title of each. One query, at first use.

        Raises ArtifactMissing or ArtifactCorrupted when their bytes are gone or changed.
        """
        return self.workspace.artifacts.visualizations(self.record, self.workspace.metadata.visualizations(self.record.id))

    def visualize(self, title: str | None = None) -> None:
        """Show its visualizations: in a notebook below the cell, elsewhere printed as far as they can be.

        Args:
            title: Shown above them; name and version by default.
        """
        name = name_text(self.record)
        if in_notebook():
            picture.show_in_notebook(title or name, self.visualizations)
        else:
            printed.show_in_terminal(title or name, self.visualizations, f"lineal artifact visualize {shlex.quote(name)} --open")

    def visualize_to(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write its visualizations into a folder, one file each, and give the path of `index.html`, which shows all of them.

        Args:
            folder: Where to; made with its parents when it does not exist.
            overwrite: Replace files of the same names.

        Raises UsageError when a file is there already.
        """
        return picture.write_pages(name_text(self.record), self.visualizations, Path(folder), overwrite=overwrite)

    def to_json(self) -> dict[str, Json]:
        """Give its facts as JSON."""
        return shapes.version_json(self.record, self.uri)

    def __repr__(self) -> str:
        return f"<version {name_text(self.record)}: {shown(self.type)}, {size_text(self.size)}{_made_by(self.record)}>"

    def _repr_html_(self) -> str:
        facts = {
            "type": self.type,
            "size": size_text(self.size),
            "created": f"{moment_text(self.record.created)} UTC",
            "step": self.record.step,
            "pipeline": self.record.pipeline,
            "tags": ", ".join(self.record.tags),
            "uri": self.uri,
        }
        return html.card(name_text(self.record), {**facts, **self.record.metadata})


def _made_by(record: VersionRecord) -> str:
    if record.step is None:
        return ""
    return f", from {shown(record.step)}" + (f" in {shown(record.pipeline)}" if record.pipeline else "")
