"""The one place that chooses implementations from Settings and ties them together."""

import atexit
import contextlib
import functools
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from lineal import private
from lineal.artifact_store import tree
from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.local import LocalArtifactStore
from lineal.artifact_store.through import ReadThrough
from lineal.artifacts import Artifacts
from lineal.credentials import token_for
from lineal.engine.claims import Claims, claims_at
from lineal.engine.execute import StepResult, StepTask, execute_step
from lineal.engine.fingerprint import set_cache_folder
from lineal.engine.logs import PRIVATE, SHARED, open_log
from lineal.engine.remote import RemoteSteps, perform
from lineal.engine.undeclared import leave_out
from lineal.errors import LinealWarning, SettingsError, typed
from lineal.files import make_folders
from lineal.host import LifeSign, life_sign
from lineal.materializers.registry import REGISTRIES
from lineal.metadata_store.accounts import AccountStore, SqliteAccounts
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.http import connect
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model import digest
from lineal.orchestrators.local import ProcessExecutor, SerialExecutor
from lineal.settings import Settings


class Workspace:
    """The stores and the orchestrator that belong to some settings. Opened on first use of each part; safe to use from threads.

    Once both are open, `metadata` and `artifacts` raise StoreMismatch when the facts belong to another artifact store than the one in use.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        set_cache_folder(settings.home / "cache" / "code")
        for folder in (settings.home, self.store_folder):
            leave_out(folder)
        self._metadata: MetadataStore | None = None
        self._accounts: AccountStore | None = None
        self._artifacts: Artifacts | None = None
        self._store: ArtifactStore | None = None
        self._pool: ProcessExecutor | None = None
        self._remote: RemoteSteps | None = None

    @property
    def metadata(self) -> MetadataStore:
        """Where facts live."""
        if self._metadata is None:
            with self._lock:
                if self._metadata is None:
                    prepare_home(self.settings.home)
                    metadata = self._open_metadata()
                    if self._artifacts is not None:
                        _pair(metadata, self.artifact_store)
                    self._metadata = metadata
        return self._metadata

    def _open_metadata(self) -> MetadataStore:
        path, url = self.database, self.settings.metadata_store
        if path is None:
            return connect(url, lambda: token_for(url, self.settings) or "")
        return SqliteMetadataStore(
            path,
            durability=self.settings.durability,
            sealed=lambda digest: self.artifact_store.has(digest),
            epochs=lambda: self.artifact_store,
        )

    @property
    def accounts(self) -> AccountStore:
        """Who may ask a server for what: beside the facts. Raises SettingsError where these are on another server."""
        if self.database is None:
            url = self.settings.metadata_store
            raise SettingsError(
                f"metadata_store is the server {url}, which keeps users, tokens and the audit itself: give --server {url} to reach them there. "
                "A server of your own needs a database (unset LINEAL_METADATA_STORE, or give it sqlite:///path)"
            )
        if self._accounts is None:
            with self._lock:
                if self._accounts is None:
                    prepare_home(self.settings.home)
                    self._accounts = SqliteAccounts(_sqlite_path(self.settings))
        return self._accounts

    @property
    def database(self) -> Path | None:
        """The file of the metadata store; None where that is a server."""
        return None if is_server(self.settings.metadata_store) else _sqlite_path(self.settings)

    @property
    def prune_lock(self) -> Path:
        """The file that keeps prunes and backups apart."""
        return self.settings.home / "prune.lock"

    @property
    def store_folder(self) -> Path:
        """The folder of the artifact store."""
        return _store_folder(self.settings)

    @property
    def artifact_store(self) -> ArtifactStore:
        """Where bytes live."""
        if self._store is None:
            with self._lock:
                if self._store is None:
                    if not self.settings.artifact_store:
                        prepare_home(self.settings.home)
                    self._store = LocalArtifactStore(self.store_folder)
        return self._store

    @property
    def artifacts(self) -> Artifacts:
        """Save and load: where bytes, facts and materializers meet."""
        if self._artifacts is None:
            with self._lock:
                if self._artifacts is None:
                    if self._metadata is not None:  # a worker process has bytes only
                        _pair(self._metadata, self.artifact_store)
                    home, copies = self.settings.home, self.settings.home / "copies"
                    registry = REGISTRIES[self.settings.table_format]
                    self._artifacts = Artifacts(
                        self.artifact_store, registry, sync=self.settings.durability == "step", pickle=self.settings.pickle,
                        visualize=self.settings.visualizations == "on", hashes=home / "hashes",
                        trusted=lambda digest: bool(self.metadata.trust_in(digest)),
                    )  # fmt: skip
                    private.offered[copies] = functools.partial(_own_copies, copies, self.life)
        return self._artifacts

    @property
    def life(self) -> LifeSign:
        """This process's sign of life, by which others see that its runs are not dead."""
        prepare_home(self.settings.home)
        return life_sign(self.settings.home / "alive", shared=self.database is None)

    @property
    def claims(self) -> Claims | None:
        """Who of this machine makes which result now, kept beside the facts, or in the home when these are on a server; None where that
        is switched off.
        """
        url = self.settings.metadata_store
        path = self.database or self.settings.home / f"server-{digest.of_text('server', url)[:16]}"
        return claims_at(path.with_name(f"{path.name}.claims")) if self.settings.single_flight == "on" else None

    @property
    def log_folders(self) -> tuple[Path, Path]:
        """The folders of the steps' logs, each as `<run id>/<step run id>.log`: of the runs of this home, and of those whose facts are on a
        server. These lie beside the bytes, where the server and everybody who works with it finds them.
        """
        return self.settings.home / "logs", self.store_folder / "logs"

    @property
    def log_mode(self) -> int:
        """Permissions of the logs of runs in this workspace."""
        return SHARED if self.database is None else PRIVATE

    def log_folder(self, run_id: str) -> Path:
        """Give the folder of the logs of the steps of a run in this workspace."""
        own, shared = self.log_folders
        return (shared if self.database is None else own) / run_id

    def open_log(self, run_id: str, step_run_id: str) -> BinaryIO | None:
        """Open what a step printed and logged, wherever it ran; None when that was nothing, or cannot be reached from here."""
        return open_log(self.log_folders, run_id, step_run_id)

    def delete_logs(self, run_id: str) -> None:
        """Delete the logs of a run's steps."""
        for folder in self.log_folders:
            shutil.rmtree(folder / run_id, ignore_errors=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator["Workspace"]:
        """Make a workspace in a temporary folder, which is the open one inside of `with` and gone afterwards.

        It reads the objects of this one and writes nothing there: facts and bytes of what runs inside are its own.
        """
        folder = Path(tempfile.mkdtemp(prefix="lineal-scratch-"))
        workspace = _Scratch(self, folder)
        try:
            with inside(workspace):
                yield workspace
        finally:
            workspace.metadata.close()
            private.offered.pop(folder / "copies", None)
            tree.remove(str(folder))

    @property
    def capacity(self) -> int:
        """How many steps run at once."""
        return 1 if self.settings.orchestrator == "local" else self._workers().workers

    def submitter(self) -> Callable[[StepTask], "Future[StepResult]"]:
        """Give the function that starts a step in the chosen orchestrator."""
        if self.settings.orchestrator == "local":
            # Partials, so that no frame of ours stands between the executor and the step.
            return functools.partial(_serial.submit, functools.partial(execute_step, artifacts=self.artifacts))
        return self._remote_steps().submit

    def inside(self) -> "inside":
        """Make it the workspace that pipelines run in, for what runs inside: `with workspace.inside(): ...`."""
        return inside(self)

    def cancel(self) -> None:
        """Stop the steps that are running in worker processes."""
        with self._lock:
            remote, self._remote = self._remote, None
        if remote is not None:
            remote.cancel()
            self._workers().restart()

    def _remote_steps(self) -> RemoteSteps:
        with self._lock:
            if self._remote is None:
                self._remote = RemoteSteps(self._workers(), functools.partial(_work, self.settings))
            return self._remote

    def _workers(self) -> ProcessExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ProcessExecutor()
            return self._pool


def _pair(metadata: MetadataStore, store: ArtifactStore) -> None:
    metadata.pair(store.identity)
    noted = store.epoch()
    if metadata.epoch() < noted:
        import warnings

        warnings.warn(
            f"the metadata store is older than the artifact store {store.url}: it was put back from an older copy, and does not know what "
            "was made since. Nothing is deleted as long as that is so. Put the newer one back, or accept this one: lineal verify --repair",
            LinealWarning,
            stacklevel=3,
        )


class _Scratch(Workspace):
    """A workspace in a folder of its own that reads the objects of another one too."""

    def __init__(self, of: Workspace, folder: Path) -> None:
        own = replace(of.settings, home=folder, metadata_store="", artifact_store="", orchestrator="local", durability="off")
        super().__init__(replace(own, single_flight="off", visualizations="off"))
        set_cache_folder(of.settings.home / "cache" / "code")
        self._of = of
        self._store = ReadThrough(folder / "store", of.artifact_store)

    @property
    def life(self) -> LifeSign:
        return self._of.life


def prepare_home(home: Path) -> bool:
    """Make a home, which ignores itself in git, unless it is there. Gives whether it was made."""
    if home.is_dir():
        return False
    try:
        make_folders(home)
        (home / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise typed(error, str(home)) from error
    return True


def is_server(metadata_store: str) -> bool:
    """Tell whether a setting of that name is the address of a server."""
    return metadata_store.startswith(("http://", "https://"))


def _sqlite_path(settings: Settings) -> Path:
    url = settings.metadata_store
    if not url:
        return settings.home / "lineal.db"
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///")).expanduser()
    raise SettingsError(
        f"metadata_store {url!r} is not supported; use sqlite:///path/to/file.db, or the https:// address of a Lineal server"
    )


def _store_folder(settings: Settings) -> Path:
    url = settings.artifact_store
    if not url:
        return settings.home / "store"
    if "://" in url:
        raise SettingsError(f"artifact_store {url!r} is not supported; use a folder")
    return Path(url).expanduser()


def _own_copies(folder: Path, life: LifeSign) -> Path:
    """Give this process's folder for private copies, and remove those of processes that were killed."""
    own = folder / life.token().replace(":", "~")
    if not own.is_dir():
        own.mkdir(parents=True, mode=0o700)
        for other in folder.iterdir():
            if life.is_alive(other.name.replace("~", ":")) is False:
                shutil.rmtree(other, ignore_errors=True)
        atexit.register(_remove_empty, own)
    return own


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


_serial = SerialExecutor()


def _work(settings: Settings, packed: bytes) -> bytes:
    """What a worker process does with a task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the run's own process decides what it means
    workspace = open_workspace(settings)
    with inside(workspace):
        return perform(packed, workspace.artifacts)


_inside: ContextVar[Workspace | None] = ContextVar("lineal_workspace", default=None)


class inside:  # noqa: N801 - used as a function is
    """Make a workspace the one that `open_workspace()` gives, for what runs inside: `with inside(workspace): ...`.

    What a step saves and loads belongs to the stores of its run, wherever it runs and whatever it does to its environment.
    """

    __slots__ = ("_token", "_workspace")

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __enter__(self) -> None:
        self._token = _inside.set(self._workspace)

    def __exit__(self, *_: object) -> None:
        _inside.reset(self._token)


_open: dict[Settings, Workspace] = {}
_open_lock = threading.Lock()


def open_workspace(settings: Settings | None = None) -> Workspace:
    """Give the workspace of some settings, by default that of the running pipeline or else of the settings in force.

    Always the same one for the same settings, so that connections are kept.
    """
    running = _inside.get()
    if settings is None and running is not None:
        return running
    settings = settings or Settings.load()
    with _open_lock:
        workspace = _open.get(settings)
        if workspace is None:
            workspace = _open[settings] = Workspace(settings)
        return workspace
