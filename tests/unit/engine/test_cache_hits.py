"""A hit is true: what is given is there, whole, made by a step that succeeded, and is not lost with what others used."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from lineal import Client, artifacts, pipeline, step
from lineal.materializers import pickled
from lineal.settings import Settings
from lineal.views.nouns import VersionView

pytestmark = pytest.mark.filterwarnings("ignore:.*will be pickled")


class Odd:
    """Nothing but pickle can hold it."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> tuple[type["Odd"], tuple[bytes]]:
        return Odd, (self.data,)


@step(undeclared="off")
def array(n: int) -> np.ndarray:
    note("array")
    return np.arange(float(n))


@step(undeclared="off")
def odd(n: int) -> Odd:
    note("odd")
    return Odd(bytes(range(256)) * n)


@step(undeclared="off")
def size(value: Any) -> int:
    note("size")
    return len(value.data) if isinstance(value, Odd) else len(value)


def note(name: str) -> None:
    with Path("noted.txt").open("a", encoding="utf-8") as file:
        print(name, file=file)


def noted() -> list[str]:
    path = Path("noted.txt")
    names = path.read_text(encoding="utf-8").split() if path.exists() else []
    path.unlink(missing_ok=True)
    return names


@pipeline
def arrays() -> None:
    size(array(5000))


@pipeline
def oddities() -> None:
    size(odd(500))


# -- damage to an object's file


def delete(path: Path) -> None:
    path.unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_a_bit_and_hide_it(path: Path) -> None:
    times = path.stat()
    flip_a_bit(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def damage(version: Any, how: Callable[[Path], None]) -> None:
    folder = Settings.load().home / "store" / "objects" / version.record.object.digest[:2] / version.record.object.digest
    path = folder / max(version.record.object.files, key=lambda each: each.size).path
    folder.chmod(0o755)
    path.chmod(0o644)
    how(path)


@pytest.mark.parametrize("how", [delete, delete_folder, truncate, empty, flip_a_bit, flip_a_bit_and_hide_it])
@pytest.mark.parametrize(("flow", "name"), [(arrays, "array"), (oddities, "odd")], ids=["array", "pickle"])
def test_damaged_bytes_are_a_miss_that_makes_the_object_whole_again(how: Callable[[Path], None], flow: Any, name: str) -> None:
    first = flow().steps[name]
    assert noted() == [name, "size"]
    damage(first.output, how)
    again = flow()
    assert noted() == [name], "what follows gets equal content and stays cached"
    assert {each: again.steps[each].status for each in again.steps} == {name: "completed", "size": "cached"}
    assert "stored bytes were lost" in again.steps[name].why[0]
    assert again.steps[name].output.record.object.digest == first.output.record.object.digest
    first.output.load()  # the version of then shares the object
    assert all(each.status == "cached" for each in flow().steps.values())


def test_the_run_says_that_bytes_were_lost(capsys: pytest.CaptureFixture[str]) -> None:
    damage(arrays().steps["array"].output, delete)
    arrays()
    assert "stored bytes were lost, made again" in capsys.readouterr().err


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> VersionView:
    """Give what a run stored where another release of a library was installed, of which an object was in the pickle."""
    environment = pickled.environment
    with monkeypatch.context() as there:
        there.setattr(pickled, "environment", lambda *classes: {**environment(*classes), "libraries": {"hypothesis": "0.1.0"}})
        there.setattr(pickled, "release_of", {"hypothesis": "0.1.0"}.get)
        version = oddities().steps["odd"].output
    assert noted() == ["odd", "size"]
    return version


@pytest.mark.usefixtures("foreign")
def test_what_another_release_pickled_is_made_again(capsys: pytest.CaptureFixture[str]) -> None:
    """A hit would be a trap for the steps that take it, which could not load it. The plan, the run and `why` say so."""
    said = r"the same call ran before, and what it gave cannot be read here: a .*Odd was pickled with hypothesis 0\.1\.0 \(here: "
    assert re.match(said, oddities.plan().steps["odd"].why[0])
    run = oddities()
    assert noted() == ["odd", "size"], "the bytes say what wrote them, so they are others"
    assert re.match(f"ran: {said}", run.steps["odd"].why[0])
    assert "another release pickled the earlier result, made again" in capsys.readouterr().err
    assert all(each.status == "cached" for each in oddities().steps.values())


@pytest.mark.filterwarnings("ignore:.*because somebody trusts it")
def test_what_another_release_pickled_is_given_when_somebody_trusts_it(foreign: VersionView) -> None:
    """Then the steps that take it can load it."""
    foreign.trust()
    assert all(each.status == "cached" for each in oddities().steps.values())
    assert size(foreign.load()) == 256 * 500


def test_large_objects_are_checked_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "VERIFY_LIMIT", 1000)
    version = arrays().steps["array"].output
    damage(version, flip_a_bit)
    assert arrays().steps["array"].status == "cached"
    damage(version, truncate)
    assert arrays().steps["array"].status == "completed"


def test_what_can_run_code_is_checked_by_digest_at_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "VERIFY_LIMIT", 1000)
    version = oddities().steps["odd"].output
    damage(version, flip_a_bit)
    assert oddities().steps["odd"].status == "completed"


# -- whose result


def test_a_result_never_comes_from_a_step_that_failed() -> None:
    @step(undeclared="off")
    def moody(n: int) -> int:
        if Path("fail").exists():
            raise RuntimeError("not today")
        return n

    @pipeline
    def flow() -> None:
        moody(1)

    Path("fail").touch()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            flow()
    Path("fail").unlink()
    assert [flow().steps["moody"].status for _ in range(2)] == ["completed", "cached"]
    Path("fail").touch()
    assert flow().steps["moody"].status == "cached"


def test_a_result_whose_outputs_were_refused_is_not_given() -> None:
    """A step that gave something of another type than it says has failed, though its function came to its end."""

    @step(undeclared="off")
    def wrong(n: int) -> int:
        return "text" if Path("wrong").exists() else n  # type: ignore[return-value]

    @pipeline
    def flow() -> None:
        wrong(1)

    Path("wrong").touch()
    with pytest.raises(TypeError):
        flow()
    Path("wrong").unlink()
    assert flow().steps["wrong"].status == "completed"


def test_a_result_is_given_across_pipelines_under_the_name_that_it_has_there() -> None:
    @pipeline
    def other() -> None:
        array(5000)

    arrays()
    noted()
    found = other().steps["array"]
    assert found.status == "cached"
    assert found.output.name == "other::array::output"
    assert noted() == []


def test_an_upstream_step_that_ran_again_with_equal_content_leaves_all_that_follows_cached() -> None:
    @step(undeclared="off", enable_cache=False)
    def load() -> Annotated[np.ndarray, "raw"]:
        note("load")
        return np.arange(5000.0)

    @step(undeclared="off")
    def double(data: np.ndarray) -> np.ndarray:
        note("double")
        return data * 2

    @pipeline
    def flow() -> None:
        size(double(load()))

    flow()
    assert noted() == ["load", "double", "size"]
    again = flow()
    assert noted() == ["load"]
    assert again.steps["load"].output.version == "2"
    assert [each.status for each in again.steps.values()] == ["completed", "cached", "cached"]


def test_deleting_the_run_that_made_a_result_keeps_it_for_those_who_used_it() -> None:
    first, second = arrays(), arrays()
    noted()
    Client().delete_pipeline_run(first)
    third = arrays()
    assert noted() == []
    assert [each.status for each in third.steps.values()] == ["cached", "cached"]
    assert third.steps["array"].output.version == second.steps["array"].output.version
    assert third.steps["array"].why[0].startswith("cached")


def test_deleting_all_runs_that_had_a_result_makes_it_a_miss() -> None:
    for run in (arrays(), arrays()):
        Client().delete_pipeline_run(run)
    assert [each.status for each in arrays().steps.values()] == ["completed", "completed"]


def test_what_was_made_with_caching_off_is_there_for_a_call_that_asks() -> None:
    """Also what a step without outputs has done: whether an earlier call counts is for the later one to say."""

    @step(undeclared="off")
    def make(n: int) -> int:
        note("make")
        return n

    @step(undeclared="off")
    def tell(n: int) -> None:
        note("tell")

    @pipeline
    def off() -> None:
        tell.with_options(enable_cache=False)(make.with_options(enable_cache=False)(1))

    @pipeline
    def on() -> None:
        tell.with_options(enable_cache=True)(make(1))

    off()
    off()
    assert noted() == ["make", "tell", "make", "tell"]
    assert [each.status for each in on().steps.values()] == ["cached", "cached"]
    assert noted() == []
