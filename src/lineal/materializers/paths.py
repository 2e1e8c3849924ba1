"""`pathlib.Path`: the file or folder itself, under its own name.

The object holds the file, or the folder with everything in it, as `lineal.files` lays them out. Permissions are not kept.
"""

import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PosixPath, WindowsPath
from typing import Any

from lineal.errors import MaterializerError
from lineal.files import FOLDERS, Content, content_of, copy_file, make_parents, pack_folders, restore, some
from lineal.materializers.base import Materializer
from lineal.materializers.plain_view import show_files
from lineal.model.records import FileEntry, Json
from lineal.model.visualization import Visualization
from lineal.private import private_folder


class PathMaterializer(Materializer):
    """Saves the file or folder that a path points to; loads a path to a private, writable copy with the same name."""

    id = "pathlib.Path/1"
    types = (PosixPath, WindowsPath)

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a plain Path: a subclass, such as one into an archive, may not be on this disk."""
        return type(value) in self.types

    def save(self, value: Path, folder: Path) -> None:
        """Copy what the path points to into `folder`. Raises MaterializerError when nothing is there, or something that is no plain file."""
        source, name = _source(value)
        if not source.is_dir():
            copy_file(source, folder / name)
            return
        content = _content(source)
        _copy(content, folder / name)
        if content.empty:
            (folder / FOLDERS).write_bytes(pack_folders(name, content.empty))

    def load(self, folder: Path, type_: Any) -> Path:
        """Give the path of a private copy, which is removed when the step or, outside of steps, the process ends."""
        return private_copy(folder)

    def metadata(self, value: Path) -> Mapping[str, Json]:
        """Give the name, the number of files and the size of all in bytes."""
        source, name = _source(value)
        files = _content(source).files if source.is_dir() else {"": str(source)}
        return {"name": name, "files": len(files), "bytes": sum(Path(path).stat().st_size for path in files.values())}

    def preview(self, files: Sequence[FileEntry], read: Callable[[str], bytes]) -> Sequence[Visualization]:
        """Give the listing, or what a single file holds if it can be shown."""
        return show_files([entry for entry in files if entry.path != FOLDERS], read)


def private_copy(stored: Path) -> Path:
    """Give a private, writable copy of a stored file or folder, `<a new private folder>/<its name>`."""
    place = private_folder(stored)
    _copy(_content(stored), place)
    return restore(place)


def _content(root: Path) -> Content:
    content = content_of(str(root))
    if content.refused:
        raise MaterializerError(
            f"folder {root} holds what cannot be kept: {some(content.refused, 10)}. Remove it, or return a folder without it"
        )
    return content


def _copy(content: Content, target: Path) -> None:
    made: set[str] = set()
    for relative, path in content.files.items():
        place = f"{target}/{relative}"
        make_parents(place, made)
        copy_file(path, place)


def _source(value: Path) -> tuple[Path, str]:
    try:
        source = value.resolve(strict=True)
        mode = source.stat().st_mode
    except (OSError, RuntimeError) as error:
        raise MaterializerError(f"{value} was returned as a file or folder to keep, and cannot be read: {error}") from error
    name = value.name if value.name not in ("", "..") else source.name
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise MaterializerError(f"{value} is neither a plain file nor a folder; copy its content to a file first")
    if name in ("", FOLDERS):
        raise MaterializerError(f"{value} cannot be kept under its name; copy it to a path with another name first")
    return source, name
