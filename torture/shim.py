"""The compiled shim (`shim.c`): built once with gcc, loaded into this process by LD_PRELOAD, and steered from here."""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("shim.c")

WRITE, SYNC, NAME, CREATE = 1, 2, 4, 8
EVERY = WRITE | SYNC | NAME | CREATE
COUNT, KILL, FAIL_ONCE, FAIL_ON = 1, 2, 3, 4


def build() -> Path:
    """Give the compiled shim, compiling it when this source has not been compiled yet."""
    name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"lineal-torture-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    built = folder / f"shim-{name}.so"
    if not built.exists():
        if shutil.which("gcc") is None:
            sys.exit("the crash tests need a C compiler: apt-get install gcc libc6-dev")
        partial = folder / f"{name}.{os.getpid()}"
        subprocess.run(["gcc", "-O1", "-Wall", "-fPIC", "-shared", "-o", partial, SOURCE, "-ldl"], check=True)
        partial.replace(built)
    return built


def is_loaded() -> bool:
    """Tell whether this process was started under the shim."""
    return "lineal-torture-" in os.environ.get("LD_PRELOAD", "")


@functools.cache
def _library() -> Any:
    library = ctypes.CDLL(os.environ["LD_PRELOAD"])
    library.torture_seen.restype = ctypes.c_long
    library.torture_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_char_p]
    return library


def arm(
    folder: Path, mode: int = COUNT, at: int = 0, classes: int = EVERY, error: int = 0, *, torn: bool = False, log: Path | None = None
) -> None:
    """From now on count the calls of these classes that change something below `folder`, and let the one with number `at` kill or fail."""
    _library().torture_arm(os.fsencode(folder), mode, at, classes, error, int(torn), os.fsencode(log) if log else b"")


def disarm() -> int:
    """Let everything happen again, and give the number of calls that were counted."""
    count = int(_library().torture_seen())
    _library().torture_arm(b"", 0, 0, 0, 0, 0, b"")
    return count


def note(text: str) -> None:
    """Put a note between the recorded calls."""
    _library().torture_note(text.encode())
