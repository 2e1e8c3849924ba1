"""A recorder in place of the raw file operations, which can also fail or "kill the process" at any of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lineal.artifact_store import fsops
from lineal.artifact_store.local import LocalArtifactStore


class Killed(BaseException):
    """The process ends here: whatever it would still do to the disk does not happen."""


class Recorder:
    """Notes each raw operation with its paths. `syncs` False leaves out the waiting, which changes nothing that a test could see."""

    def __init__(self) -> None:
        self.log: list[tuple[str, tuple[Any, ...]]] = []
        self.syncs = True
        self.die_at: int | None = None
        self.fail: Callable[[str, tuple[Any, ...]], OSError | None] = lambda name, args: None

    @property
    def names(self) -> list[str]:
        """The operations so far, by name."""
        return [name for name, _ in self.log]

    def reset(self) -> None:
        """Forget what was noted and let everything pass again."""
        self.log.clear()
        self.die_at = None
        self.fail = lambda name, args: None

    def wrap(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*args: Any) -> Any:
            if self.die_at is not None and len(self.log) >= self.die_at:
                if name == "write_new" and len(self.log) == self.die_at:
                    operation(args[0], args[1][: len(args[1]) // 2], *args[2:])
                    self.log.append(("torn", args))
                raise Killed
            self.log.append((name, args))
            error = self.fail(name, args)
            if error is not None:
                raise error
            if not self.syncs and name in ("sync_file", "sync_folder", "start_writeback"):
                return None
            return operation(*args)

        return recorded


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Record every raw file operation of the test."""
    found = Recorder()
    for name in fsops.OPERATIONS:
        monkeypatch.setattr(fsops, name, found.wrap(name, getattr(fsops, name)))
    return found


@pytest.fixture
def killed() -> type[BaseException]:
    """The exception that stands for the end of the process."""
    return Killed


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    """A new local store."""
    return LocalArtifactStore(tmp_path / "store")
