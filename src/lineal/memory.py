"""How much memory this process has used, how much it may use, and how often the system has killed a process for want of it."""

import os
import sys
from functools import cache
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_PROCESS = Path("/proc/self/cgroup")
_MACHINE = Path("/proc/vmstat")
_STATUS = Path("/proc/self/status")

NEAR = 0.8
"""Share of the memory that may be used from which a killed process is taken to have died of it, where the system keeps no count."""

if sys.platform == "win32":

    def peak() -> int | None:
        """Give the most memory that this process has held at once, in bytes; None where the system does not tell."""
        return None

    def children_peak() -> int | None:
        """Give the most memory that any one child of this process, ended by now, has held at once, in bytes."""
        return None

else:
    import resource

    _UNIT = 1 if sys.platform == "darwin" else 1024
    _SELF, _CHILDREN, _usage = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN, resource.getrusage
    _BEGUN = _usage(_SELF).ru_maxrss

    def peak() -> int | None:
        """Give the most memory that this process has held at once, in bytes; None where the system does not tell."""
        found = _usage(_SELF).ru_maxrss
        # On Linux a program begins with the peak of the one that started it. What has grown since is its own; else a slower look tells.
        return found * _UNIT if found > _BEGUN else _own_peak() or found * _UNIT

    def _own_peak() -> int | None:
        # Each step asks twice: by the system's calls this takes a third of the time that a file object would.
        try:
            place = os.open(_STATUS, os.O_RDONLY)
        except OSError:
            return None
        try:
            _, name, rest = os.read(place, 1 << 14).partition(b"VmHWM:")
        finally:
            os.close(place)
        return int(rest.split(None, 1)[0]) * 1024 if name else None

    def children_peak() -> int | None:
        """Give the most memory that any one child of this process, ended by now, has held at once, in bytes."""
        return _usage(_CHILDREN).ru_maxrss * _UNIT


@cache
def limit() -> int | None:
    """Give the bytes of memory that this process may use: the machine's, or less where its control group says so; None if not known."""
    found = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for folder in _groups():
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name).strip()
            if text.isdecimal():
                found.append(int(text))
    return min(found, default=None)


def kills() -> dict[str, int]:
    """Give how many processes were killed for want of memory, by the file that says so: of the control group first, then of the machine."""
    places = [folder / name for folder in _groups() for name in ("memory.events", "memory.oom_control")]
    return {str(place): count for place in (*places, _MACHINE) if (count := _killed(place)) is not None}


def killed_since(earlier: dict[str, int]) -> bool | None:
    """Tell whether a process was killed for want of memory since `kills` gave that; None when no such count can be read any more.

    The narrowest count that is still there decides: that of a control group speaks of nobody else.
    """
    for place, before in earlier.items():
        now = _killed(Path(place))
        if now is not None:
            return now > before
    return None


@cache
def _groups() -> tuple[Path, ...]:
    """Give the folders of this process's control groups that may limit memory; none where there are none."""
    found = []
    for line in _read(_PROCESS).splitlines():
        _, controllers, path = line.split(":", 2)
        root = _CGROUP / "memory" if controllers else _CGROUP
        if not controllers or "memory" in controllers.split(","):
            found += [root / path.lstrip("/"), root]  # a container may see its own group at the top
    return tuple(dict.fromkeys(folder for folder in found if folder.is_dir()))


def _killed(place: Path) -> int | None:
    for line in _read(place).splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill" and count.isdecimal():
            return int(count)
    return None


def _read(place: Path) -> str:
    try:
        return place.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
