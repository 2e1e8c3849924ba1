"""Run the benchmarks and write RESULTS.md.

python -m bench [chain] [key] [fingerprint] [values] [register] [startup] [server] [remote]

Without names all are run, in a few minutes; with names those alone, and what RESULTS.md says of the others stays.
"""

import importlib.metadata
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import chain, fingerprint, key, register, remote, server, startup, values

RESULTS = Path(__file__).with_name("RESULTS.md")
SECTIONS: dict[str, Callable[[], list[str]]] = {
    "chain": chain.report,
    "key": key.report,
    "fingerprint": fingerprint.report,
    "values": values.report,
    "register": register.report,
    "startup": startup.report,
    "server": server.report,
    "remote": remote.report,
}
_MARK = "<!-- {} -->"


def main(names: list[str]) -> None:
    """Measure, write and print."""
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise SystemExit(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    known = _known()
    for name, report in SECTIONS.items():
        if not names or name in names:
            began = time.perf_counter()
            known[name] = "\n".join(report()).rstrip()
            print(known[name], f"({time.perf_counter() - began:.0f} s)\n", sep="\n\n", flush=True)
            parts = [text for each in SECTIONS if each in known for text in (_MARK.format(each), known[each])]
            RESULTS.write_text("\n\n".join([*_head(), *parts]) + "\n", encoding="utf-8")


def _known() -> dict[str, str]:
    """Give what RESULTS.md says, by benchmark."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    found: dict[str, str] = {}
    for name in SECTIONS:
        _, mark, after = text.partition(_MARK.format(name))
        if mark:
            found[name] = after.partition("<!-- ")[0].strip()
    return found


def _head() -> list[str]:
    return [
        "# Results",
        "Written by `make bench`. Compare ratios, not times: both sides of each were measured in turns in the same run.",
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {_file_system(Path.cwd())}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, Lineal {importlib.metadata.version('lineal')}.",
    ]


def _file_system(folder: Path) -> str:
    """Give the type of the file system that holds a folder, where the system tells it in a file."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return f"{sys.platform} file system"
    around = [(len(place), kind) for place, kind in mounts if folder.is_relative_to(place)]
    return max(around)[1]


if __name__ == "__main__":
    main(sys.argv[1:])
