"""Notices what a step uses that its cache key does not know: files, environment variables, the network, other programs.

An audit hook of Python sees what the step's function does, in its own thread, in those that it starts, and in its coroutines. It cannot
see what compiled code opens by itself, nor what other processes do.
"""

import contextlib
import json
import os
import sys
import sysconfig
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

from lineal.engine.code.origins import origin_of_file
from lineal.engine.context import current_reads
from lineal.model.records import Json
from lineal.model.text import shown
from lineal.settings import watch_variables

MOST = 200
"""How many different things are noted for one step: enough to show what is missing, and a bound on the cost."""

_COPY: Final = 20  # variables: who asks for more copies the environment, for another program
_MANY: Final = 5  # files in one folder, above which the folder stands for them
_NAMED: Final = 5  # things that are named on one line
_CODE: Final = (".py", ".pyc", ".pyi", ".so", ".pyd", ".dll", ".dylib", ".pth")
_SYSTEM: Final = ("/bin", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr", "/Library", "/System", "/private/etc")
_ours: set[str] = set()


@dataclass(frozen=True, slots=True)
class Declared:
    """What a call says about what it uses.

    Attributes:
        mode: "off", "note" or "error".
        files: Paths that its key knows.
        variables: Environment variables that its key knows, with their values.
        outside: Whether its key knows, by a `cache_func`, what comes from elsewhere.
    """

    mode: str = "note"
    files: tuple[str, ...] = ()
    variables: Mapping[str, str | None] = field(default_factory=dict)
    outside: bool = False


class Reads:
    """What one step was seen to use: pairs of a kind and a name. `earlier` has the threads that ran before it: they are none of its own."""

    __slots__ = ("earlier", "noted")

    def __init__(self) -> None:
        self.noted: set[tuple[str, str]] = set()
        self.earlier = {thread.ident for thread in threading.enumerate()}

    def note(self, kind: str, name: str) -> None:
        """Note the use of something."""
        self.noted.add((kind, name))

    def undeclared(self, declared: Declared) -> dict[str, Json]:
        """Give what the key does not know: `files`, `environment`, `network` and `programs`, each a list, none empty."""
        variables = [name for name in self._all("variable") if name not in declared.variables]
        found = {
            "files": list(_files(self._all("file"), declared.files)),
            "environment": variables if len(variables) <= _COPY else [],
            "network": [] if declared.outside else self._all("name") or self._all("host"),
            "programs": [] if declared.outside else self._all("program"),
        }
        return {kind: each for kind, each in found.items() if each}

    def _all(self, kind: str) -> list[str]:
        return sorted(name for noted, name in self.noted if noted == kind)


def leave_out(folder: Path) -> None:
    """Take a folder for one of Lineal's own: what is read there is not noted."""
    _ours.add(str(folder.absolute()))


@cache
def watch() -> None:
    """Begin to look, once in this process: Python never takes an audit hook back."""
    sys.addaudithook(_hook)
    watch_variables(_variable)


def sentences(undeclared: Mapping[str, Json]) -> list[str]:
    """Say what was used and how to declare it; empty when there is nothing."""
    files, variables = undeclared.get("files", []), undeclared.get("environment", [])
    declared = [
        f"{name}={json.dumps(each, ensure_ascii=False)}"
        for name, each in (("file_dependencies", files), ("environment", variables))
        if each
    ]
    said = []
    if declared:
        used = ", ".join(
            [*(f"the file {shown(each)}" for each in files), *(f"the environment variable {shown(each)}" for each in variables)]
        )
        said.append(f"its key does not know {used}; declare what counts: cache_policy=CachePolicy({', '.join(declared)})")
    for kind, text in (("network", "the network: {}"), ("programs", "other programs: {}")):
        if undeclared.get(kind):
            used = text.format(", ".join(map(shown, undeclared[kind])))
            said.append(f"its key does not know what it got from {used}; say what counts with cache_policy=CachePolicy(cache_func=...)")
    return said


def summary(undeclared: Mapping[str, Json]) -> str:
    """Give what was used on one line, for the list of a run's steps; empty when there is nothing."""
    names = [name for kind in ("files", "environment", "network", "programs") for name in undeclared.get(kind, ())]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


# -- what is seen


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    handler = _HANDLERS.get(event)
    if handler is not None:
        reads = current_reads()
        if reads is not None and len(reads.noted) < MOST:
            with contextlib.suppress(Exception):  # to look must not change what the step does: an error would end its call
                handler(reads, arguments)


def _opened(reads: Reads, arguments: tuple[Any, ...]) -> None:
    name, _, flags = arguments
    if type(name) is int:  # a file that is open already
        return
    path = os.path.abspath(os.fsdecode(name))  # noqa: PTH100 - here a path is text, and every call costs
    if path.endswith(_CODE):
        return
    if flags & (os.O_TRUNC | os.O_EXCL):
        reads.note("written", path)
    elif (
        flags & 3 != os.O_WRONLY
        and ("file", path) not in reads.noted
        and ("written", path) not in reads.noted
        and _origin_past(sys._getframe(2), _any_standard) != "lineal"  # noqa: SLF001 - there is no public way to one frame
    ):
        reads.note("file", path)


def _renamed(reads: Reads, arguments: tuple[Any, ...]) -> None:
    source, target = (os.path.abspath(os.fsdecode(each)) for each in arguments[:2])  # noqa: PTH100
    if ("written", source) in reads.noted:
        reads.note("written", target)


def _connected(reads: Reads, arguments: tuple[Any, ...]) -> None:
    address = arguments[1]
    if isinstance(address, tuple) and len(address) >= 2:  # else a socket of this machine's own
        reads.note("host", f"{address[0]}:{address[1]}")


def _looked_up(reads: Reads, arguments: tuple[Any, ...]) -> None:
    host, port = arguments[:2]
    if host:
        reads.note("name", f"{os.fsdecode(host)}:{port}")


def _started(reads: Reads, arguments: tuple[Any, ...], place: int = 0) -> None:
    if _origin_past(sys._getframe(2), _STARTERS.__contains__) != "own":  # noqa: SLF001
        return
    command = arguments[place] or arguments[0]
    first = command[0] if isinstance(command, list | tuple) else command
    words = os.fsdecode(first).split()
    if words:
        reads.note("program", Path(words[0]).name)


_HANDLERS: Final[dict[str, Callable[[Reads, tuple[Any, ...]], None]]] = {
    "open": _opened,
    "os.rename": _renamed,
    "socket.connect": _connected,
    "socket.getaddrinfo": _looked_up,
    "subprocess.Popen": partial(_started, place=1),
    "os.system": _started,
    "os.posix_spawn": _started,
    "os.spawn": partial(_started, place=1),
    "os.startfile": _started,
}


def _variable(name: Any, frame: FrameType) -> None:
    reads = current_reads()
    if reads is None or type(name) is not str or len(reads.noted) >= MOST:
        return
    if frame.f_code.co_name == "__setitem__":
        reads.note("set", name)
    elif ("set", name) not in reads.noted and _origin_past(frame, _MAPPINGS.__contains__) == "own":
        reads.note("variable", name)


# -- who does it

_STARTERS: Final = frozenset(
    {"subprocess", "os", "asyncio.subprocess", "asyncio.base_events", "asyncio.unix_events", "asyncio.base_subprocess"}
)
_MAPPINGS: Final = frozenset({"os", "collections.abc", "_collections_abc"})


def _origin_past(frame: FrameType | None, passed: Callable[[str], bool]) -> str:
    """Tell whose code is the first outside of the modules that are passed over; empty at the end of the stack."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not passed(module):
            return origin_of_file(frame.f_code.co_filename)
        frame = frame.f_back
    return ""


def _any_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


# -- which files count


def _files(paths: Iterable[str], declared: tuple[str, ...]) -> Iterator[str]:
    known = tuple(each for path in declared for each in (os.path.realpath(path), _inside(os.path.realpath(path))))
    apart = (*_system(), *map(_inside, _ours))
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        if path.startswith(apart) or not os.path.isfile(path):  # noqa: PTH113
            continue
        if not known or not _is_known(os.path.realpath(path), known):
            folders[os.path.dirname(path)].append(path)  # noqa: PTH120 - here a path is text, and every call costs
    here = Path.cwd()
    for folder, files in sorted(folders.items()):
        for each in map(Path, [folder] if len(files) > _MANY else sorted(files)):
            yield (each.relative_to(here) if each.is_relative_to(here) else each).as_posix()


def _is_known(path: str, known: tuple[str, ...]) -> bool:
    return path in known or path.startswith(tuple(each for each in known if each.endswith(os.sep)))


def _inside(folder: str) -> str:
    return folder.rstrip(os.sep) + os.sep


@cache
def _system() -> tuple[str, ...]:
    """Give the places of Python, of installed packages and of the system, and of the settings and caches that programs keep."""
    places = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    places.update(each for each in sys.path if Path(each).name in ("site-packages", "dist-packages"))  # of another environment, too
    if sys.platform == "win32":
        places.add(str(Path(sys.executable).anchor + "Windows"))
    home = Path.home()
    hidden = {str(home / name) for name in (".cache", ".config", ".local", ".matplotlib", "Library/Caches", "AppData")}
    return tuple(_inside(each) for each in (*places, *hidden, *_SYSTEM) if len(Path(each).parts) > 1)
