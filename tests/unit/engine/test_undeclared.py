"""What a step uses and its cache key does not know: what is noticed, what is left out, and what is said."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lineal import CachePolicy, Client, pipeline, step
from lineal.engine.undeclared import _system, sentences, summary
from lineal.errors import UndeclaredInput


@pytest.fixture(autouse=True)
def _data() -> None:
    Path("data.csv").write_text("a\n1\n")
    Path("more").mkdir()
    Path("more/one.txt").write_text("1")


def used_by(function: Callable[[], object], policy: CachePolicy | None = None, **options: Any) -> dict[str, Any]:
    """Run a function as a step and give what was noted."""

    @step(cache_policy=policy, **options)
    def work() -> int:
        function()
        return 1

    @pipeline
    def flow() -> None:
        work()

    found: dict[str, Any] = flow().steps["work"].record.ingredients.get("undeclared", {})
    return found


def read() -> None:
    Path("data.csv").read_text()


def in_a_thread() -> None:
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()


def in_a_coroutine() -> None:
    async def main() -> None:
        await asyncio.to_thread(read)
        Path("more/one.txt").read_text()

    asyncio.run(main())


# -- what is noticed


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (read, ["data.csv"]),
        (lambda: open("data.csv").close(), ["data.csv"]),  # noqa: PTH123
        (lambda: open(b"more/../data.csv", "rb").close(), ["data.csv"]),  # noqa: PTH123
        (lambda: os.close(os.open(Path("data.csv"), os.O_RDONLY)), ["data.csv"]),
        (lambda: open("data.csv", "r+").close(), ["data.csv"]),  # noqa: PTH123
        (in_a_thread, ["data.csv"]),
        (in_a_coroutine, ["data.csv", "more/one.txt"]),
    ],
)
def test_a_file_that_the_step_reads_is_noticed(function: Callable[[], object], expected: list[str]) -> None:
    assert used_by(function) == {"files": expected}


def test_what_pandas_and_numpy_read_is_noticed() -> None:
    np.save("array.npy", np.arange(3))

    def both() -> None:
        pd.read_csv("data.csv")
        np.load("array.npy")

    assert used_by(both) == {"files": ["array.npy", "data.csv"]}


def test_a_file_elsewhere_has_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "far.txt").write_text("1")
    assert used_by(lambda: (tmp_path / "far.txt").read_text()) == {"files": [(tmp_path / "far.txt").as_posix()]}


def test_many_files_of_a_folder_are_named_by_it() -> None:
    for number in range(9):
        Path(f"more/{number}.txt").touch()
    assert used_by(lambda: [path.read_text() for path in Path("more").iterdir()]) == {"files": ["more"]}


def test_a_variable_that_own_code_asks_for_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "fast")

    def ask() -> None:
        assert os.environ["MODE"] == "fast"
        os.environ.get("WIDTH")
        assert "DEPTH" not in os.environ
        os.getenv("HEIGHT")

    assert used_by(ask) == {"environment": ["DEPTH", "HEIGHT", "MODE", "WIDTH"]}


def test_a_connection_and_a_program_are_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert used_by(lambda: socket.create_connection(("127.0.0.1", port)).close()) == {"network": [f"127.0.0.1:{port}"]}
    assert used_by(lambda: subprocess.run([sys.executable, "-c", "", "a-secret"], check=True)) == {"programs": [Path(sys.executable).name]}
    assert used_by(lambda: os.system("true")) == {"programs": ["true"]}


def test_a_step_in_a_worker_process_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")
    assert used_by(lambda: Path("data.csv").read_text()) == {"files": ["data.csv"]}


def test_a_step_that_failed_says_what_it_read() -> None:
    @step
    def work() -> int:
        read()
        raise RuntimeError

    @pipeline
    def flow() -> None:
        work()

    with pytest.raises(RuntimeError):
        flow()
    assert Client().get_pipeline_run("latest").steps["work"].record.ingredients["undeclared"] == {"files": ["data.csv"]}


# -- what is left out


def write_and_read() -> None:
    Path("scratch.txt").write_text("1")
    Path("scratch.txt").read_text()
    with tempfile.NamedTemporaryFile() as file, Path(file.name).open("rb") as again:
        again.read()
    Path("scratch.txt").rename("renamed.txt")
    Path("renamed.txt").read_text()


def import_something() -> None:
    Path("fresh_module.py").write_text("X = 1")
    sys.path.insert(0, str(Path.cwd()))
    try:
        import fresh_module  # type: ignore[import-not-found]  # noqa: F401
    finally:
        sys.path.pop(0)
        sys.modules.pop("fresh_module", None)


def read_through_lineal() -> None:
    Path("lineal.toml").write_text("")
    Client().list_pipeline_runs()
    for path in Path(os.environ["LINEAL_HOME"]).rglob("*.db"):
        path.read_bytes()


def set_and_ask() -> None:
    os.environ["MODE_OF_THE_STEP"] = "1"
    assert os.environ.pop("MODE_OF_THE_STEP") == "1"


@pytest.mark.parametrize(
    "function",
    [
        write_and_read,
        import_something,
        set_and_ask,
        tempfile.gettempdir,
        lambda: Path("absent.txt").exists(),
        lambda: Path("written.txt").open("a").close(),
        lambda: Path(os.devnull).read_bytes(),
        lambda: Path(os.__file__).read_text(),
        lambda: Path(sys.prefix, "pyvenv.cfg").exists(),
        lambda: dict(os.environ),
        lambda: os.environ.copy(),
        lambda: subprocess.list2cmdline(["x"]),
    ],
)
def test_what_is_no_input_is_left_out(function: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the step itself wrote, code, the system's own files, and copies of the whole environment."""
    for number in range(30):
        monkeypatch.setenv(f"VARIABLE_{number}", "1")
    assert used_by(function) == {}


def test_what_is_installed_in_another_environment_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that come by a `.pth` file or PYTHONPATH read their own files, too."""
    elsewhere = tmp_path / "elsewhere/site-packages"
    elsewhere.mkdir(parents=True)
    (elsewhere / "entry_points.txt").write_text("[console_scripts]")
    monkeypatch.syspath_prepend(elsewhere)
    _system.cache_clear()
    try:
        assert used_by((elsewhere / "entry_points.txt").read_text) == {}
    finally:
        _system.cache_clear()


def test_what_lineal_reads_for_the_step_is_left_out() -> None:
    assert used_by(read_through_lineal) == {"environment": ["LINEAL_HOME"]}


def test_a_missing_file_was_not_read() -> None:
    def attempt() -> None:
        with pytest.raises(FileNotFoundError):
            Path("absent.txt").read_text()

    assert used_by(attempt) == {}


def test_a_thread_that_ran_before_the_step_is_not_its_own() -> None:
    begin, done = threading.Event(), threading.Event()

    def background() -> None:
        begin.wait(10)
        read()
        done.set()

    thread = threading.Thread(target=background)
    thread.start()

    def meanwhile() -> None:
        begin.set()
        done.wait(10)

    assert used_by(meanwhile) == {}
    thread.join()


def test_loaded_inputs_and_saved_outputs_are_no_reads_of_the_step() -> None:
    @step
    def make() -> np.ndarray:
        return np.arange(5000.0)

    @step
    def use(data: np.ndarray) -> np.ndarray:
        return data + data.sum()

    @pipeline
    def flow() -> None:
        use(make())

    assert ["undeclared" in each.record.ingredients for each in flow().steps.values()] == [False, False]


# -- what is declared


@pytest.mark.parametrize("path", ["data.csv", "./data.csv", Path("data.csv"), "."])
def test_a_declared_file_or_a_file_in_a_declared_folder_is_known(path: str | Path) -> None:
    assert used_by(read, CachePolicy(file_dependencies=[path])) == {}


def test_a_declared_file_is_known_by_its_absolute_path_and_behind_a_link() -> None:
    assert used_by(read, CachePolicy(file_dependencies=[Path("data.csv").absolute()])) == {}
    Path("link.csv").symlink_to("data.csv")
    assert used_by(lambda: Path("link.csv").read_text(), CachePolicy(file_dependencies=["data.csv"])) == {}


def test_a_declared_variable_is_known() -> None:
    assert used_by(lambda: os.getenv("MODE"), CachePolicy(environment=["MODE"])) == {}


def test_a_cache_func_answers_for_the_network_and_for_programs() -> None:
    policy = CachePolicy(cache_func=lambda: "v1")
    assert used_by(lambda: os.system("true"), policy) == {}
    assert used_by(read, policy) == {"files": ["data.csv"]}


# -- what is done about it


def test_a_step_that_is_never_cached_is_not_looked_at() -> None:
    assert used_by(read, enable_cache=False) == {}


def test_the_option_off_looks_at_nothing() -> None:
    assert used_by(read, undeclared="off") == {}


def test_the_option_error_fails_the_step_before_anything_is_saved() -> None:
    with pytest.raises(UndeclaredInput, match=r"its key does not know the file data\.csv; declare what counts") as caught:
        used_by(read, undeclared="error")
    assert 'cache_policy=CachePolicy(file_dependencies=["data.csv"])' in str(caught.value)
    assert Client().list_artifacts().total == 0
    assert used_by(read, CachePolicy(file_dependencies=["data.csv"]), undeclared="error") == {}


def test_the_run_says_it_and_why_gives_the_line_that_declares_it(capsys: pytest.CaptureFixture[str]) -> None:
    @step
    def work() -> str | None:
        read()
        return os.getenv("MODE")

    @pipeline
    def flow() -> None:
        work()

    why = flow().steps["work"].why
    assert "not in its key: data.csv, MODE" in capsys.readouterr().err
    assert why[0] == "ran: first time"
    assert why[1].endswith('declare what counts: cache_policy=CachePolicy(file_dependencies=["data.csv"], environment=["MODE"])')
    policy = eval(why[1].rpartition("cache_policy=")[2], {"CachePolicy": CachePolicy})  # the line can be pasted as it is

    @pipeline
    def declared() -> None:
        work.with_options(cache_policy=policy)()

    assert len(declared().steps["work"].why) == 1


def test_a_cached_step_says_what_the_one_that_ran_had_read() -> None:
    @step
    def work() -> int:
        read()
        return 1

    @pipeline
    def flow() -> None:
        work()

    flow()
    Path("data.csv").write_text("changed")
    cached = flow().steps["work"]
    assert cached.status == "cached"
    assert "its key does not know the file data.csv" in cached.why[1]


def test_what_is_said_names_each_kind() -> None:
    said = sentences({"network": ["example.org:443"], "programs": ["git"]})
    assert said == [
        "its key does not know what it got from the network: example.org:443; say what counts with cache_policy=CachePolicy(cache_func=...)",
        "its key does not know what it got from other programs: git; say what counts with cache_policy=CachePolicy(cache_func=...)",
    ]
    assert sentences({}) == []
    assert summary({}) == ""
    assert summary({"files": ["a"], "programs": ["git"]}) == "a, git"


def test_one_line_names_a_few_and_counts_the_rest() -> None:
    assert summary({"files": ["a", "b"], "environment": ["C"]}) == "a, b, C"
    assert summary({"files": list("abcdefgh"), "programs": ["p"]}) == "a, b, c, d, e and 4 more"


def test_looking_never_breaks_what_the_step_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook meets a folder that is gone, numbers for paths, and broken path objects."""

    class Broken:
        def __fspath__(self) -> str:
            raise RuntimeError("no path")

    tmp = Path("gone").absolute()

    def odd() -> None:
        read_end, write_end = os.pipe()
        os.close(write_end)
        with open(read_end) as file:  # noqa: PTH123
            assert file.read() == ""
        with pytest.raises(RuntimeError, match="no path"):
            open(Broken())  # noqa: PTH123, SIM115
        here = Path.cwd()
        tmp.mkdir()
        os.chdir(tmp)
        tmp.rmdir()
        try:
            with pytest.raises(FileNotFoundError):
                Path("x").read_text()
        finally:
            os.chdir(here)

    assert used_by(odd) == {}
