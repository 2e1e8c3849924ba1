"""The error tree: complete in its own drawing, catchable as builtins, and readable when printed."""

import errno
import inspect
import pickle
import re
from pathlib import Path

import pytest

from lineal import errors
from lineal.errors import (
    ArtifactMissing,
    CallError,
    Conflict,
    DefinitionError,
    InUse,
    InvalidName,
    LinealError,
    NotFound,
    OutputError,
    PickleRefused,
    StorageFull,
    StoreBusy,
    StoreError,
    UsageError,
)
from lineal.host import LifeSign
from lineal.workspace import prepare_home

ALL = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, LinealError)]


def drawn_tree() -> dict[str, str]:
    """Give each name in the module's drawing with its parent, read from the indentation."""
    parents: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([ │├└─]*)([A-Z]\w+)(?:\s{2,}|$)", line)
        if not found:
            continue
        depth = len(found[1])
        above = [(at, name) for at, name in above if at < depth]
        if above:
            parents[found[2]] = above[-1][1]
        above.append((depth, found[2]))
    return parents


def test_the_drawing_at_the_top_is_the_tree() -> None:
    """A reader can trust the drawing: every class is in it, under the class that it derives from."""
    real = {cls.__name__: cls.__bases__[0].__name__ for cls in ALL if cls is not LinealError}
    assert drawn_tree() == real


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_each_class_has_codes_and_a_message_of_its_own(cls: type[LinealError]) -> None:
    """What the command line and a server answer with is defined for each class, and its docstring is the default message."""
    assert 1 <= cls.exit_code <= 6
    assert 400 <= cls.http_status <= 599
    assert "__doc__" in vars(cls)
    assert str(cls.__new__(cls)) == (cls.__doc__ or "").strip()


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (DefinitionError, TypeError),
        (CallError, TypeError),
        (InvalidName, ValueError),
        (NotFound, KeyError),
        (InUse, RuntimeError),
        (OutputError, TypeError),
        (PickleRefused, PermissionError),
        (ArtifactMissing, FileNotFoundError),
        (StorageFull, OSError),
        (StoreBusy, TimeoutError),
    ],
)
def test_a_casual_except_catches_it(cls: type[LinealError], builtin: type[Exception]) -> None:
    """Code that knows nothing of Lineal can catch the builtin."""
    with pytest.raises(builtin):
        raise cls("what happened")


@pytest.mark.parametrize(("cls", "family"), [(InUse, Conflict), (ArtifactMissing, StoreError), (CallError, UsageError)])
def test_a_family_is_caught_by_its_head(cls: type[LinealError], family: type[LinealError]) -> None:
    """One except clause handles a kind of problem."""
    with pytest.raises(family):
        raise cls("what happened")


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_the_message_is_shown_as_a_sentence(cls: type[LinealError]) -> None:
    """KeyError would show the repr of its message, OSError an error number; ours show what was written."""
    assert str(cls("no artifact 'a'; did you mean 'b'?")) == "no artifact 'a'; did you mean 'b'?"


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_errors_travel_between_processes(cls: type[LinealError]) -> None:
    """A worker's error comes back with its class and its message."""
    back = pickle.loads(pickle.dumps(cls("in a worker")))
    assert type(back) is cls
    assert str(back) == "in a worker"


@pytest.mark.parametrize("place", ["home", "alive"])
def test_a_disk_that_is_full_from_the_start_is_named_with_its_remedy(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the home, or the sign of life in it, cannot be made: an error of ours, not one of the system."""
    mkdir = Path.mkdir

    def full(self: Path, *given: object, **more: object) -> None:
        if self.name == place:
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        mkdir(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(StorageFull, match=r"No space left on device; .* bytes are free .*Free some space"):
        if place == "home":
            prepare_home(tmp_path / "home")
        else:
            LifeSign(tmp_path / "alive").token()
