"""A process that does what users do, one command after the other, until it is ended or killed; and what it sees of the whole store."""

import functools
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Annotated, Any

from lineal import Client, pipeline, register_artifact, save_artifact, step
from lineal.errors import LinealError
from torture import forks, shim

NAMES = ("a", "b", "made", "used", "folder")
SIZES = (1, 4000)
Seen = tuple[dict[str, tuple[Any, ...]], dict[str, tuple[str, frozenset[str]]]]
"""Versions by id: artifact, number, content, tags, pinned, state. Runs by id: state, and the ids of the versions that they made or used."""


def content(label: int) -> str:
    """Give the value with a label: small enough for its row, or a file."""
    return f"content {label} " * SIZES[label % 2]


@step
def make(label: int) -> Annotated[str, "made"]:
    """Give a value; cached when the label came before."""
    return content(label)


@step(enable_cache=False)
def use(value: str) -> Annotated[int, "used"]:
    """Use a value."""
    return len(value)


@pipeline
def making(label: int) -> None:
    """Make and use."""
    use(make(label))


@pipeline
def using(version: Any) -> None:
    """Use a version that is there."""
    use(version)


class Died(Exception):
    """The process was killed."""


class Session:
    """The process, begun anew when it has died."""

    def __init__(self, home: Path, source: Path) -> None:
        self.home = home
        self.source = source
        self._begin()

    def _begin(self) -> None:
        receiving, self._commands = Pipe(duplex=False)
        self._child = forks.start(self.home, _serve, receiving, self._commands, self.source, durability="off")
        receiving.close()

    def do(self, command: str, *arguments: Any, kill_at: int = 0) -> Any:
        """Do one command and give its result; an error of Lineal is given as its class's name. Raises Died, after beginning anew."""
        self._commands.send((command, arguments, kill_at))
        try:
            if not self._child.receiving.poll(forks.DEADLINE):
                raise AssertionError(f"{command}{arguments} hung")
            kind, what = self._child.receiving.recv()
        except EOFError:
            self._child.wait()
            self._begin()
            raise Died from None
        if kind == "error":
            raise AssertionError(what)
        return what

    def reopen(self) -> None:
        """End the process as a program ends, and begin anew."""
        self.end()
        self._begin()

    def end(self) -> None:
        """End the process as a program ends."""
        self._commands.close()
        ended = self._child.wait()
        if ended.error or ended.hung:
            raise AssertionError(f"the session did not end well: {ended}")


def _serve(commands: Connection, other_end: Connection, source: Path) -> None:
    other_end.close()  # else this process would keep its own commands from ending
    client = Client()
    known: dict[str, Callable[..., Any]] = {
        "save": lambda name, label, tag: save_artifact(content(label), name, tags=[tag]).record.id,
        "register": lambda: register_artifact(str(source), "folder").record.id,
        "make": lambda label: _outcome(making(label)),
        "use": lambda one: _outcome(using(client.get_artifact_version(one))),
        "tag": lambda one, tag, exclusive: bool(client.get_artifact_version(one).add_tags(tag, exclusive=exclusive)),
        "untag": lambda one, tag: bool(client.get_artifact_version(one).remove_tags(tag)),
        "pin": lambda one: bool(client.get_artifact_version(one).pin()),
        "unpin": lambda one: bool(client.get_artifact_version(one).unpin()),
        "delete": lambda one: client.delete_artifact_version(client.get_artifact_version(one)),
        "delete run": client.delete_pipeline_run,
        "prune": lambda only, keep: client.prune_artifacts(only_artifact=only, keep_last=keep).names,
        "verify": lambda: [problem.what for problem in client.verify(read_data=True).problems],
        "see": functools.partial(_see, client),
    }
    home = client.workspace.settings.home
    while True:
        try:
            command, arguments, kill_at = commands.recv()
        except EOFError:
            return
        if kill_at:
            shim.arm(home, shim.KILL, kill_at)
        try:
            result = known[command](*arguments)
        except LinealError as error:
            result = type(error).__name__
        if kill_at:
            shim.disarm()
        forks.acknowledge(result)


def _outcome(run: Any) -> dict[str, tuple[str, list[str]]]:
    return {name: (str(each.status), [version.record.id for version in each.outputs.values()]) for name, each in run.steps.items()}


def _see(client: Client) -> Seen:
    """Look at everything, and load everything."""
    metadata = client.workspace.metadata
    versions: dict[str, tuple[Any, ...]] = {}
    for name in NAMES:
        for record in metadata.versions_by_id(list(metadata.version_ids(name))).values():
            value = client.get_artifact_version(record.id).load() if record.state == "live" else None
            if isinstance(value, Path):
                value = sorted(each.name for each in value.rglob("*"))
            versions[record.id] = (name, record.number, value, frozenset(record.tags), record.pinned, record.state)
    runs = {}
    for run in client.list_pipeline_runs(limit=1000):
        used = {version.record.id for each in run.steps.values() for views in (each.inputs, each.outputs) for version in views.values()}
        runs[str(run.id)] = (str(run.status), frozenset(used))
    return versions, runs
