"""Copies the files of an object out of the store, and never anywhere but below the folder that was asked for."""

import secrets
import shutil
from pathlib import Path
from typing import Protocol

from lineal.errors import ArtifactCorrupted, UsageError
from lineal.model.records import FileEntry, ObjectRecord


class Source(Protocol):
    """What can give the files of an object."""

    def fetch(self, record: ObjectRecord, *, verify: bool = False) -> Path:
        """Give a folder that holds them. Raises ArtifactMissing or ArtifactCorrupted."""
        ...


def copy_out(record: ObjectRecord, store: Source, folder: Path, *, overwrite: bool) -> Path:
    """Write an object's files below `folder` and give it. The files are the caller's: writable, and no part of the store.

    Raises UsageError when the folder holds something and `overwrite` is False, or when `folder` is a file; ArtifactMissing or
    ArtifactCorrupted when the store cannot give the files. A folder that was made here is removed again when it fails.
    """
    fresh = not folder.exists()
    if not fresh and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give the path of a folder, which is made when it does not exist")
    if not fresh and not overwrite and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; give another folder, or overwrite=True to replace the files of the same names")
    targets = [(entry, _inside(folder, entry)) for entry in record.files]  # all checked before the first is written
    source = None if record.inline is not None else store.fetch(record, verify=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry, target in targets:
            _make_parents(folder, target)
            write_file(target, record.inline if source is None else source / entry.path)
    except BaseException:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _inside(folder: Path, entry: FileEntry) -> Path:
    parts = entry.path.split("/")
    if any(part in ("", ".", "..") or "\0" in part or Path(part).name != part for part in parts):
        raise ArtifactCorrupted(f"the recorded file name {entry.path!r} leads out of its object; nothing was written")
    return folder.joinpath(*parts)


def _make_parents(folder: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(folder.resolve()):  # a link in a folder that was there before
        raise UsageError(f"{target.parent} leads out of {folder} through a link; give another folder")


def write_file(target: Path, content: Path | bytes | None) -> None:
    """Write a file, in place of one that may be there.

    Written beside it and renamed: a reader never meets half a file, and a link in its place is replaced, not followed.
    """
    partial = target.parent / f".lineal-{secrets.token_hex(6)}"
    try:
        if isinstance(content, Path):
            shutil.copyfile(content, partial)
        else:
            partial.write_bytes(content or b"")
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
