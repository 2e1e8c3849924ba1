"""From what a user calls a file or folder to its place on disk. Read once, and only what was read is used from then on."""

import os
import re
import sys
from urllib.parse import unquote, urlsplit

from lineal.errors import PathNotFound, UsageError
from lineal.files import FOLDERS, is_inside

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]+)://")


def place_of(uri: str | os.PathLike[str], store: str) -> tuple[str, str]:
    """Give the real path of a file or folder, and the name that it goes by.

    Args:
        uri: A path, absolute or relative to the working directory, or a `file://` URL. `~` and variables are not expanded.
        store: Folder or URL of the artifact store, whose own objects and staging folders are refused.

    Raises PathNotFound when nothing is there, UsageError for other URLs and for places that cannot be registered.
    """
    path = _path(uri)
    try:
        real = os.path.realpath(path, strict=True)
    except (OSError, ValueError) as error:
        raise PathNotFound(f"{_shown(uri)} cannot be registered: {_reason(error)}{_hint(path)}") from error
    last = os.path.basename(path.rstrip("/" + os.sep))
    name = last if last not in ("", ".", "..") else os.path.basename(real)
    if not name or name == FOLDERS:
        raise UsageError(f"{_shown(uri)} cannot be registered under its name {name!r}; register a folder in it, or a copy")
    _refuse_own(real, store)
    return real, name


def _path(uri: str | os.PathLike[str]) -> str:
    text: object = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    if not isinstance(text, str):
        raise UsageError(f"a path or file:// URL must be text or a pathlib.Path, got {text!r}")
    if not text or "\0" in text:
        raise UsageError(f"{text!r} is no path: it {'is empty' if not text else 'holds a NUL character'}")
    url = _URL.match(text)
    return text if url is None else _path_of_url(text, url[1].lower())


def _path_of_url(url: str, scheme: str) -> str:
    if scheme != "file":
        raise UsageError(f"{url!r} cannot be registered: {scheme}:// is not supported, only local paths and file:// URLs are")
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(f"{url!r} names the host {parts.netloc!r}; only files of this machine can be registered: file:///path")
    if parts.query or parts.fragment:
        raise UsageError(f"{url!r} has a query or a fragment; write ? as %3F and # as %23 if they belong to the name")
    path = unquote(parts.path, errors="surrogateescape")
    if "\0" in path or not path.startswith("/"):
        raise UsageError(f"{url!r} holds no absolute path; write file:///folder/name")
    return path.lstrip("/") if sys.platform == "win32" and re.match(r"/[A-Za-z]:", path) else path


def _refuse_own(real: str, store: str) -> None:
    if "://" in store:
        return
    root = os.path.realpath(store)
    for own in ("objects", "staging", "quarantine"):
        folder = os.path.join(root, own)
        if is_inside(real, folder):
            raise UsageError(
                f"{real} lies in the artifact store's own folder {own}/, which Lineal writes and clears; register another place"
            )
        if is_inside(folder, real):
            raise UsageError(f"{real} holds the artifact store itself ({root}); register a folder beside it, or one in it")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _hint(path: str) -> str:
    if path.startswith("~"):
        return "; ~ is not expanded: give pathlib.Path(...).expanduser()"
    if "$" in path or "%" in path:
        return "; variables are not expanded: give os.path.expandvars(...)"
    return "" if os.path.isabs(path) else f"; it was looked for in {os.getcwd()}"


def _shown(uri: object) -> str:
    return ascii(str(uri))
