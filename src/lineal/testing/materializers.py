"""What every materializer keeps, as tests. A new materializer's test file names it, gives values, and inherits the rest:

from lineal.testing import MaterializerTests

class TestThing(MaterializerTests):
    materializer = ThingMaterializer
    values = (Thing(1), Thing(2))
"""

import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import cloudpickle
import pytest

from lineal.materializers.base import AnyMaterializer, BytesMaterializer
from lineal.materializers.registry import instance
from lineal.model import digest

_OPEN_FILES = Path("/dev/fd")  # Linux and macOS list the open files of a process there

_SAVE_ELSEWHERE = """
import importlib.util, pickle, sys, types
from pathlib import Path
sys.path[:], name, file, job, folders = pickle.load(sys.stdin.buffer)
try:
    importlib.import_module(name)
except ModuleNotFoundError:  # many a test module has a name that cannot be imported, and its classes are pickled by that name
    parents = name.split(".")[:-1]
    for n in range(len(parents)):
        sys.modules.setdefault(".".join(parents[: n + 1]), types.ModuleType("parent"))
    spec = importlib.util.spec_from_file_location(name, file)
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
save, materializer, values = pickle.loads(job)
for value, folder in zip(values, folders, strict=True):
    save(materializer, value, Path(folder))
"""


class MaterializerTests:
    """The contract of `lineal.materializers.base`. Inherit it, and give `materializer` and `values`.

    Attributes:
        materializer: What is tested: a class of any of the three shapes, or an instance.
        values: Values that it takes, all different. Their classes must be picklable for the test in another process.
        deterministic: Set it to False when equal values need not give equal bytes.
        other_process: Set it to False to leave out the test in another process, as for values that cannot be pickled.
        timeout: Seconds that the other process may take.
    """

    materializer: ClassVar[Any]
    values: ClassVar[Sequence[Any]] = ()
    deterministic: ClassVar[bool] = True
    other_process: ClassVar[bool] = True
    timeout: ClassVar[float] = 60.0

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "materializer" in cls.__dict__:
            cls.materializer = instance(cls.materializer)

    def equal(self, one: Any, other: Any) -> bool:
        """Tell whether two values are equal. Override it where `==` gives something else than a truth value."""
        return bool(one == other)

    def copy(self, value: Any) -> Any:
        """Give an equal value that shares nothing with it. Override it where `copy.deepcopy` cannot."""
        return copy.deepcopy(value)

    def mutate(self, value: Any) -> bool:
        """Change a value in place; give False when it cannot be changed. Override it for values that are none of the usual kinds."""
        return any(change(value) for change in (_change_mapping, _change_sequence, _change_set, _change_attributes))

    @pytest.fixture(autouse=True)
    def _supplied(self) -> None:
        assert self.values, f"{type(self).__name__} gives no values to test with"

    def test_has_a_stable_id(self) -> None:
        """The id is `name/number`: what is recorded with a value must name one format for ever."""
        name, _, number = self.materializer.id.rpartition("/")
        assert name
        assert number.isdigit()

    def test_round_trip_gives_equal_value_of_same_type(self, tmp_path: Path) -> None:
        """What is loaded is equal and of exactly the same type, also when the stored files are read-only."""
        for index, value in enumerate(self.values):
            folder = save(self.materializer, value, tmp_path / str(index))
            with sealed(folder):
                back = load(self.materializer, folder)
            assert type(back) is type(value)
            assert self.equal(back, value), f"{back!r:.200} came back for {value!r:.200}"

    def test_save_leaves_the_value_as_it_was(self, tmp_path: Path) -> None:
        """Saving changes nothing for the code that goes on with the value."""
        for index, value in enumerate(self.values):
            before = self.copy(value)
            save(self.materializer, value, tmp_path / str(index))
            assert self.equal(value, before)

    def test_equal_values_give_equal_bytes(self, tmp_path: Path) -> None:
        """Saved twice, also as a copy and after a round trip, a value has one digest: what did not change must be seen not to have."""
        if not self.deterministic:
            return
        for index, value in enumerate(self.values):
            first = save(self.materializer, value, tmp_path / f"{index}-first")
            again = save(self.materializer, self.copy(value), tmp_path / f"{index}-again")
            back = save(self.materializer, load(self.materializer, first), tmp_path / f"{index}-back")
            assert content(first) == content(again)
            assert content(first) == content(back)

    def test_different_values_give_different_bytes(self, tmp_path: Path) -> None:
        """No two of the values have the same bytes: a cache would take one for the other."""
        digests = [content(save(self.materializer, value, tmp_path / str(index))) for index, value in enumerate(self.values)]
        assert all(one != other for index, one in enumerate(digests) for other in digests[:index])

    def test_another_process_gives_equal_bytes(self, tmp_path: Path) -> None:
        """A process with another hash seed writes the same bytes: the order of sets must not show."""
        if not (self.deterministic and self.other_process):
            return
        here = [content(save(self.materializer, value, tmp_path / f"here-{index}")) for index, value in enumerate(self.values)]
        for seed in ("1", "2"):
            folders = [tmp_path / f"{seed}-{index}" for index in range(len(self.values))]
            self._save_elsewhere(folders, seed)
            assert [content(folder) for folder in folders] == here

    def test_loaded_value_is_private(self, tmp_path: Path) -> None:
        """Changing a loaded value changes neither the files nor what is loaded next."""
        for index, value in enumerate(self.values):
            folder = save(self.materializer, value, tmp_path / str(index))
            before = content(folder)
            with sealed(folder):
                changed = load(self.materializer, folder)
                if self.mutate(changed):
                    assert not self.equal(changed, value), "mutate() gave True and changed nothing"
                assert self.equal(load(self.materializer, folder), value)
            assert content(folder) == before

    def test_metadata_is_json(self) -> None:
        """Metadata are JSON values by name, without NaN and infinity, which JSON does not have."""
        for value in self.values:
            facts = self.materializer.metadata(value)
            assert json.loads(json.dumps(dict(facts), allow_nan=False)) == json.loads(json.dumps(dict(facts)))

    def test_save_closes_its_files(self, tmp_path: Path) -> None:
        """After `save` no file is open and the folder can be moved: what is sealed may not be written any more."""
        for index, value in enumerate(self.values):
            save(self.materializer, value, tmp_path / f"warm-{index}")  # the first time may load libraries, which keep files open
            before = _open_files()
            folder = save(self.materializer, value, tmp_path / str(index))
            assert _open_files() <= before
            folder.rename(tmp_path / f"{index}-moved")

    def _save_elsewhere(self, folders: Sequence[Path], seed: str) -> None:
        name = type(self).__module__
        job = cloudpickle.dumps((save, self.materializer, list(self.values)))
        given = pickle.dumps((sys.path, name, sys.modules[name].__file__, job, [str(folder) for folder in folders]))
        done = subprocess.run(  # noqa: S603  # our own interpreter, our own text
            [sys.executable, "-c", _SAVE_ELSEWHERE],
            input=given,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            timeout=self.timeout,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")


def save(materializer: AnyMaterializer, value: Any, folder: Path) -> Path:
    """Save a value into a new folder as the store would, and give the folder."""
    folder.mkdir()
    if isinstance(materializer, BytesMaterializer):
        (folder / materializer.filename).write_bytes(materializer.dumps(value))
    else:
        materializer.save(value, folder)
    return folder


def load(materializer: AnyMaterializer, folder: Path, type_: Any = None) -> Any:
    """Load a value from a folder as the store would."""
    if isinstance(materializer, BytesMaterializer):
        return materializer.loads((folder / materializer.filename).read_bytes(), type_)
    return materializer.load(folder, type_)


def content(folder: Path) -> dict[str, str]:
    """Give the digest of each file in a folder, by relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): digest.of_bytes(path.read_bytes()) for path in files}


class sealed:  # noqa: N801  # a context manager, named like a function
    """Make a folder and its files read-only while the block runs."""

    def __init__(self, folder: Path) -> None:
        self._paths = [path for path in (*folder.rglob("*"), folder) if not path.is_symlink()]

    def __enter__(self) -> None:
        for path in self._paths:
            path.chmod(0o555 if path.is_dir() else 0o444)

    def __exit__(self, *error: object) -> None:
        for path in reversed(self._paths):
            path.chmod(0o755 if path.is_dir() else 0o644)


def _open_files() -> set[str]:
    return set(_entries()) if _OPEN_FILES.is_dir() else set()


def _entries() -> Iterator[str]:
    for entry in os.listdir(_OPEN_FILES):  # noqa: PTH208  # a Path for each would be opened and closed on the way
        try:
            target = os.readlink(_OPEN_FILES / entry)  # noqa: PTH115
        except OSError:
            continue  # the listing's own
        yield f"{entry} {target}"


_TOKEN = "changed by the test"  # noqa: S105  # no password


def _change_mapping(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    value[_TOKEN] = 1
    return True


def _change_sequence(value: Any) -> bool:
    if isinstance(value, bytearray):
        value.append(1)
        return True
    append = getattr(value, "append", None)
    if not callable(append) or not hasattr(value, "__setitem__"):
        return False
    append(_TOKEN)
    return True


def _change_set(value: Any) -> bool:
    if not isinstance(value, set):
        return False
    value.add(_TOKEN)
    return True


def _change_attributes(value: Any) -> bool:
    names = list(getattr(value, "__dict__", {}))
    if not names:
        return False
    try:
        setattr(value, names[0], _TOKEN)
    except (AttributeError, TypeError, ValueError):  # frozen, or checked
        return False
    return True
