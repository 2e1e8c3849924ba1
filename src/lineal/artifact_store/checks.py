"""Whether the files of an object in a folder are still those that were saved."""

import errno
import os
import stat
import time
from collections.abc import Sequence

from lineal.artifact_store import tree
from lineal.errors import ArtifactCorrupted, ArtifactMissing
from lineal.files import kind
from lineal.model import digest

REMEDY = "run the step that made it again; the cache will not use it"

SETTLED = 100_000_000
"""Nanoseconds after its last change from which a file's times tell a further change: the clocks of files tick every few milliseconds."""

REMEMBERED = 100_000
"""How many verified files are remembered."""


class Checks:
    """Checks objects, and remembers in memory which files it verified, so that a second look at an unchanged file costs no reading."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._verified: dict[str, tuple[tuple[int, ...], str]] = {}

    def check(self, place: str, name: str, files: Sequence[tuple[str, int, str]], *, verify: bool) -> None:
        """Raise unless the files of the object `name` are in the folder `place`: there, regular, of their size; with `verify`, bit by bit.

        Other files in the folder mean nothing. Raises ArtifactMissing, ArtifactCorrupted, or OSError when it cannot be told.
        """
        real: set[str] = set()
        self._check_folder(place, name, "the folder")
        for path, size, expected in files:
            parent = path.rpartition("/")[0]
            while parent and parent not in real:  # a link in the middle of a path would lead out of the store
                self._check_folder(f"{place}/{parent}", name, parent)
                real.add(parent)
                parent = parent.rpartition("/")[0]
            full = f"{place}/{path}"
            status = self._status(full, name, path)
            if not stat.S_ISREG(status.st_mode):
                raise _corrupted(name, f"{path} should be a regular file and is {kind(status)}")
            if status.st_size != size:
                raise _corrupted(name, f"{path} should have {size:,} bytes and has {status.st_size:,}")
            if verify and self._digest(full, status, name, path) != expected:
                raise _corrupted(name, f"the bytes of {path} are not those that were saved")
        if verify and digest.of_object(files) != name:
            raise _corrupted(name, "the recorded listing of its files does not give its digest, so the record was changed")

    def _check_folder(self, full: str, name: str, path: str) -> None:
        status = self._status(full, name, path)
        if not stat.S_ISDIR(status.st_mode):
            raise _corrupted(name, f"{path} should be a folder and is {kind(status)}")

    def _status(self, full: str, name: str, path: str) -> os.stat_result:
        try:
            return os.lstat(full)
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(path, name) from None

    def _missing(self, path: str, name: str) -> ArtifactMissing:
        return ArtifactMissing(f"{path} of object {name[:12]} is not in {self._where}; {REMEDY}")

    def _digest(self, full: str, status: os.stat_result, name: str, path: str) -> str:
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._verified.get(full)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            _, found = tree.digest_file(full)
        except FileNotFoundError:  # pruned since the first look
            raise self._missing(path, name) from None
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise _corrupted(name, f"{full} cannot be read: {error.strerror}") from error
        if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED:
            if len(self._verified) >= REMEMBERED:
                self._verified.clear()
            self._verified[full] = (stamp, found)
        return found


def _corrupted(name: str, what: str) -> ArtifactCorrupted:
    return ArtifactCorrupted(f"object {name[:12]}: {what}; {REMEDY}")
