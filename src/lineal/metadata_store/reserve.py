"""Space that is kept for deleting: on a full disk SQLite cannot even delete a row, since it writes to its log first.

A file of a few megabytes lies beside the database as soon as the disk begins to fill up. A prune gives it back first, and when there is room
again it is made anew.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

SIZE = 8 << 20
"""Bytes of the file."""

LOW = 4 << 30
"""Bytes of free space from which it is made. Where there is more, nothing lies about for a need that is far away."""


class Reserve:
    """The reserve of one database."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.reserve")
        self._kept = False

    def keep(self) -> None:
        """Make the file when the disk begins to fill up and it is not there. What cannot be made is no reason to stop."""
        if self._kept:
            return
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(self.path.parent).free
            if 2 * SIZE <= free < LOW:
                self._make()
                self._kept = True

    @contextlib.contextmanager
    def released(self) -> Iterator[bool]:
        """Give the space back while the block runs, if it is needed; gives whether the disk is nearly full."""
        tight = self._free() < 2 * SIZE
        if tight:
            self.path.unlink(missing_ok=True)
            self._kept = False
        try:
            yield tight
        finally:
            self.keep()

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self.path.parent).free
        except OSError:
            return LOW

    def _make(self) -> None:
        try:
            with self.path.open("xb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, SIZE)
                else:
                    file.write(bytes(SIZE))
        except FileExistsError:
            return
        except OSError:
            self.path.unlink(missing_ok=True)
            raise
