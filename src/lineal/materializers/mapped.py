"""The bytes of a stored file as private, writeable memory.

A large file is mapped copy-on-write: it is there at once whatever its size, a page that is written to becomes the process's own,
and neither the file nor anyone else's value changes. A small file is read, which is no slower and holds no descriptor.
"""

import mmap
import sys
from pathlib import Path
from typing import Any

MAP_FROM = 1 << 20
"""Size in bytes from which a file is mapped. Before Python 3.13 each mapping holds a file descriptor."""

# The descriptor is of use only to resize a mapping. The parameter came with Python 3.13, and not on Windows.
_MAP_OPTIONS: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) and sys.platform != "win32" else {}


def private_bytes(path: Path) -> mmap.mmap | bytearray:
    """Give the bytes of a file as a writeable buffer that is private to the caller; the file may be read-only."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size >= MAP_FROM:
            return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY, **_MAP_OPTIONS)
        file.seek(0)
        data = bytearray(size)
        if file.readinto(data) != size:
            raise OSError(f"{path} changed while it was read")
        return data
