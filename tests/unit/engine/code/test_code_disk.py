"""What was read from source files, on disk: a shortcut that is never wrong and never in the way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lineal.artifact_store.hashes import Stamp
from lineal.engine.code import disk
from lineal.engine.code.disk import Known

PATH = "/project/prep.py"
STAMP = (1, 2, 1_000, 1_000)
TEXT = "ab" * 32


@pytest.fixture(autouse=True)
def _times_that_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows too, where they are not trusted."""
    monkeypatch.setattr("sys.platform", "linux")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that is not there yet."""
    return tmp_path / "cache" / "code"


def put(folder: Path, value: object, path: str = PATH, stamp: Stamp = STAMP, text: str = TEXT) -> None:
    """Store something as a process would."""
    known = Known(folder)
    known.put(path, stamp, text, value)
    known.flush()


def file_in(folder: Path) -> Path:
    """Give the one file."""
    [found] = folder.iterdir()
    return found


def test_what_is_put_comes_back_in_another_process(folder: Path) -> None:
    """As JSON, by what the system says of the file; in this process at once, in others after `flush`."""
    known = Known(folder)
    assert known.get(PATH, STAMP) is None
    known.put(PATH, STAMP, TEXT, {"a": [1, "\udc80", None]})
    assert known.get(PATH, STAMP) == {"a": [1, "\udc80", None]}
    assert Known(folder).get(PATH, STAMP) is None
    known.flush()
    assert Known(folder).get(PATH, STAMP) == {"a": [1, "\udc80", None]}


@pytest.mark.parametrize("other", [(2, 2, 1_000, 1_000), (1, 3, 1_000, 1_000), (1, 2, 1_001, 1_000), (1, 2, 1_000, 1_001)])
def test_a_file_of_which_the_system_says_something_else_is_not_known(folder: Path, other: Stamp) -> None:
    """Inode, size, and either time: the last cannot be set back by anyone."""
    put(folder, [1])
    assert Known(folder).get(PATH, other) is None


def test_a_known_text_is_known_wherever_it_lies(folder: Path) -> None:
    """After a checkout or a move; then the new place is known too, and another text is not."""
    put(folder, [1])
    known = Known(folder)
    assert known.find("/elsewhere/prep.py", (7, 2, 2_000, 2_000), "cd" * 32) is None
    assert known.find("/elsewhere/prep.py", (7, 2, 2_000, 2_000), TEXT) == [1]
    known.flush()
    assert Known(folder).get("/elsewhere/prep.py", (7, 2, 2_000, 2_000)) == [1]
    assert Known(folder).get(PATH, STAMP) == [1]


def test_a_file_that_changed_a_moment_ago_is_known_by_its_text_only(folder: Path, tmp_path: Path) -> None:
    """A second edit within one tick of the clock would leave its times as they are."""
    now = tmp_path.stat().st_mtime_ns + 10**12
    put(folder, [1], stamp=(1, 2, now, now))
    assert Known(folder).get(PATH, (1, 2, now, now)) is None
    assert Known(folder).find(PATH, (1, 2, now, now), TEXT) == [1]


def test_without_a_folder_nothing_is_kept(folder: Path) -> None:
    """The default."""
    known = Known(None)
    known.put(PATH, STAMP, TEXT, 1)
    known.flush()
    assert known.get(PATH, STAMP) is None
    assert not folder.exists()


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:-1], lambda b: b[:70], lambda b: b"", lambda b: b + b" ", lambda b: b"x" + b[1:], lambda b: b[:-3] + b"9" + b[-2:]],
)
def test_a_damaged_file_is_not_believed(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    """Torn, empty, longer, changed; the next process writes a whole one."""
    put(folder, [1, 2, 3])
    file_in(folder).write_bytes(damage(file_in(folder).read_bytes()))
    assert Known(folder).get(PATH, STAMP) is None
    put(folder, [4])
    assert Known(folder).get(PATH, STAMP) == [4]


def test_another_format_is_not_believed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor an empty one."""
    with monkeypatch.context() as patched:
        patched.setattr(disk, "FORMAT", "units/0")
        put(folder, 1)
    assert Known(folder).get(PATH, STAMP) is None


def test_a_place_that_cannot_be_written_is_no_error(folder: Path) -> None:
    """A folder where the file should be; a file where the folder should be. Nothing is left behind."""
    put(folder, 1)
    file = file_in(folder)
    file.unlink()
    file.mkdir()
    put(folder, 1)
    assert list(folder.iterdir()) == [file]
    (file / "x").write_text("a file", encoding="utf-8")
    put(file / "x" / "y", 1)
    assert Known(file / "x" / "y").get(PATH, STAMP) is None


def test_processes_add_to_each_other(folder: Path) -> None:
    """Each keeps what the other wrote after it had read the file."""
    one, two = Known(folder), Known(folder)
    assert one.get(PATH, STAMP) is two.get(PATH, STAMP) is None
    one.put("/a.py", STAMP, TEXT, "a")
    two.put("/b.py", STAMP, "cd" * 32, "b")
    one.flush()
    two.flush()
    assert [Known(folder).get(path, STAMP) for path in ("/a.py", "/b.py")] == ["a", "b"]


def test_readers_and_writers_do_not_disturb_each_other(folder: Path) -> None:
    """A reader sees a whole file or none."""
    value = list(range(500))

    def work(number: int) -> object:
        if number % 2:
            put(folder, value, path=f"/{number}.py")
        return Known(folder).get("/1.py", STAMP)

    put(folder, value, path="/1.py")
    with ThreadPoolExecutor(8) as pool:
        assert all(found == value for found in pool.map(work, range(60)))


def test_what_nobody_looked_at_for_long_is_forgotten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When something is written; what was looked at stays."""
    put(folder, "old", path="/old.py")
    put(folder, "used", path="/used.py", text="cd" * 32)
    later = disk._today() + disk.MAX_AGE
    with monkeypatch.context() as patched:
        patched.setattr(disk, "_today", lambda: later)
        known = Known(folder)
        assert known.get("/used.py", STAMP) == "used"
        known.put(PATH, STAMP, "ef" * 32, "new")
        known.flush()
        patched.setattr(disk, "_today", lambda: later + 1)
        put(folder, "newer", path="/newer.py", text="01" * 32)
    assert [Known(folder).get(path, STAMP) for path in ("/old.py", "/used.py", PATH, "/newer.py")] == [None, "used", "new", "newer"]


def test_the_file_does_not_grow_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above its greatest size it is begun anew."""
    put(folder, "x" * 1000)
    monkeypatch.setattr(disk, "MAX_BYTES", 500)
    put(folder, "y", path="/new.py")
    assert Known(folder).get(PATH, STAMP) is None
    assert Known(folder).get("/new.py", STAMP) == "y"
