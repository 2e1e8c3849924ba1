"""What a run ran in: Python, the platform, Lineal itself, and the commit that the working directory is at.

Git is asked once per process and folder, in a thread beside the first run, so that a short run hardly waits for it.
"""

import platform
import subprocess
import threading
from importlib.metadata import version
from pathlib import Path

from lineal.model.records import Json

PATIENCE = 0.25
"""Seconds that the end of a run waits for git. In a repository where it takes longer the first, short run has no commit noted."""

_LIMIT = 10.0
_known: dict[Path, "_Inquiry"] = {}
_lock = threading.Lock()
_fixed: dict[str, Json] = {}


class _Inquiry(threading.Thread):
    def __init__(self, folder: Path) -> None:
        super().__init__(name="lineal-git", daemon=True)
        self.folder = folder
        self.found: dict[str, Json] = {}

    def run(self) -> None:
        commit = self._git("rev-parse", "HEAD")
        if commit:
            changes = self._git("status", "--porcelain", "--untracked-files=no")
            self.found = {"git_commit": commit, "git_dirty": None if changes is None else bool(changes)}

    def _git(self, *arguments: str) -> str | None:
        command = ["git", "--no-optional-locks", *arguments]
        try:
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=_LIMIT, check=True)  # noqa: S603
        except (OSError, subprocess.SubprocessError):
            return None  # no git, no repository, or no answer
        return done.stdout.strip()


def begin(folder: Path) -> None:
    """Begin to find out about a folder, unless that has been done in this process. The commit counts as of the first run."""
    with _lock:
        if folder not in _known:
            _known[folder] = _Inquiry(folder)
            _known[folder].start()


def environment(folder: Path) -> dict[str, Json]:
    """Give what is known about where a run in that folder runs: `python`, `platform`, `lineal`, and in a repository `git_commit`, `git_dirty`."""
    if not _fixed:
        _fixed.update(python=platform.python_version(), platform=platform.platform(terse=True), lineal=version("lineal"))
    begin(folder)
    inquiry = _known[folder]
    inquiry.join(PATIENCE)
    return {**_fixed, **inquiry.found}
