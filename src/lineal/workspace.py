"""The one place that chooses implementations from Settings and ties them together."""

import threading
from concurrent.futures import Executor
from pathlib import Path

from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.local import LocalArtifactStore
from lineal.artifacts import Artifacts
from lineal.errors import SettingsError
from lineal.host import LifeSign, life_sign
from lineal.materializers.registry import registry
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.orchestrators.local import ProcessExecutor, SerialExecutor
from lineal.settings import Settings


class Workspace:
    """The stores and the orchestrator that belong to some settings. Opened on first use of each part; safe to use from threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._metadata: MetadataStore | None = None
        self._artifacts: Artifacts | None = None
        self._store: ArtifactStore | None = None
        self._pool: ProcessExecutor | None = None

    @property
    def metadata(self) -> MetadataStore:
        """Where facts live."""
        if self._metadata is None:
            with self._lock:
                if self._metadata is None:
                    self._metadata = SqliteMetadataStore(_sqlite_path(self.settings), durability=self.settings.durability)
        return self._metadata

    @property
    def artifact_store(self) -> ArtifactStore:
        """Where bytes live."""
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = LocalArtifactStore(_store_folder(self.settings))
        return self._store

    @property
    def artifacts(self) -> Artifacts:
        """Save and load: where bytes, facts and materializers meet."""
        if self._artifacts is None:
            with self._lock:
                if self._artifacts is None:
                    self._artifacts = Artifacts(
                        self.artifact_store, registry, sync=self.settings.durability == "step", pickle=self.settings.pickle
                    )
        return self._artifacts

    @property
    def life(self) -> LifeSign:
        """This process's sign of life, by which others see that its runs are not dead."""
        return life_sign(self.settings.home / "alive")

    @property
    def logs(self) -> Path:
        """The folder of the steps' logs: `<run id>/<step run id>.log`."""
        return self.settings.home / "logs"

    def log_path(self, run_id: str, step_run_id: str) -> Path:
        """Give the file that holds what a step printed and logged; it exists only if there was anything."""
        return self.logs / run_id / f"{step_run_id}.log"

    def executor(self) -> Executor:
        """Give the executor of the chosen orchestrator."""
        if self.settings.orchestrator == "local":
            return SerialExecutor()
        with self._lock:
            if self._pool is None:
                self._pool = ProcessExecutor(self.settings)
            return self._pool


def _sqlite_path(settings: Settings) -> Path:
    url = settings.metadata_store
    if not url:
        return settings.home / "lineal.db"
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///")).expanduser()
    raise SettingsError(f"metadata_store {url!r} is not supported; use sqlite:///path/to/file.db")


def _store_folder(settings: Settings) -> Path:
    url = settings.artifact_store
    if not url:
        return settings.home / "store"
    if "://" in url:
        raise SettingsError(f"artifact_store {url!r} is not supported; use a folder")
    return Path(url).expanduser()


_open: dict[Settings, Workspace] = {}
_open_lock = threading.Lock()


def open_workspace(settings: Settings | None = None) -> Workspace:
    """Give the workspace of some settings, by default those in force; the same one each time, so that connections are kept."""
    settings = settings or Settings.load()
    with _open_lock:
        workspace = _open.get(settings)
        if workspace is None:
            workspace = _open[settings] = Workspace(settings)
        return workspace
