"""What can only be pickled is said before the step runs; a value that could not be saved is not lost."""

import code
import os
import subprocess
import sys
import textwrap
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict, TypeVar

import numpy as np
import pytest

from lineal import Client, pipeline, step
from lineal.engine.precheck import unsafe_outputs
from lineal.errors import LinealWarning, MaterializerError, NoMaterializer
from lineal.materializers import Materializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.pipelines import Step


class Thing: ...


class Kin:
    """A class with a subclass that has a materializer."""


class Kindred(Kin): ...


class Abstract(ABC):
    @abstractmethod
    def go(self) -> None: ...


class Goes(Protocol):
    def go(self) -> None: ...


class Row(TypedDict):
    n: int


@dataclass
class Point:
    x: int


class KindredMaterializer(Materializer):
    id = "test.kindred/1"
    types = (Kindred,)


Name = NewType("Name", Thing)
Any_ = TypeVar("Any_", bound=Thing)


@pytest.fixture
def own() -> Registry:
    made = Registry(CloudpickleMaterializer())
    made.register(KindredMaterializer)
    return made


def returning(annotation: Any) -> Step[..., Any]:
    def function() -> None: ...

    function.__annotations__["return"] = annotation
    return step(function)


@pytest.mark.parametrize(
    "annotation",
    [Thing, Annotated[Thing, "thing"], Optional[Thing], Thing | None, list[Thing], dict[str, list[Thing]], Name, Any_, Callable],  # noqa: UP045
)
def test_a_type_that_can_only_be_pickled_is_found(own: Registry, annotation: Any) -> None:
    """Also inside of containers, and where the other member of a union is None."""
    expected = [] if annotation is Callable else [Thing]
    assert [each.cls for each in unsafe_outputs(returning(annotation).spec, own)] == expected


@pytest.mark.parametrize(
    "annotation",
    [
        None, int, Any, object, str | Thing, Literal["a"], Row, Point, list, list[Any], list[int], dict[str, Any], tuple[int, ...], Path,
        np.ndarray, Abstract, Goes, Kin, Kindred, TypeVar("T"),
    ],
)  # fmt: skip
def test_what_has_a_materializer_or_will_only_be_told_by_the_value_is_not(own: Registry, annotation: Any) -> None:
    """A step whose value may turn out well is not held up."""
    assert unsafe_outputs(returning(annotation).spec, own) == ()


def test_a_later_registration_counts(own: Registry) -> None:
    """What was found is remembered only until something is registered."""
    spec = returning(Thing).spec
    assert unsafe_outputs(spec, own)
    own.register(KindredMaterializer, Thing)
    assert unsafe_outputs(spec, own) == ()


def note(name: str) -> None:
    with Path("ran.txt").open("a") as file:
        file.write(f"{name}\n")


def ran() -> list[str]:
    return Path("ran.txt").read_text().split() if Path("ran.txt").exists() else []


@step
def prepare() -> int:
    note("prepare")
    return 1


@step
def train(n: int) -> Annotated[Thing, "model"]:
    note("train")
    return Thing()


@pipeline
def training() -> None:
    train(prepare())


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.materializers.pickled._told", set())


def test_under_forbid_nothing_runs_and_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names output, step and type, and comes before the first step, however far away the output is."""
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")
    with pytest.raises(NoMaterializer, match=r"output 'model' of step 'train' \(.*Thing: cloudpickle/1\).*register a materializer"):
        training()
    assert ran() == []
    assert Client().list_pipeline_runs() == []


def test_under_forbid_a_body_that_looks_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a look needs is checked before it runs."""
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")

    @pipeline
    def looking() -> None:
        train(prepare()).load()

    with pytest.raises(NoMaterializer, match="nothing was run"):
        looking()
    assert ran() == []
    assert Client().list_pipeline_runs() == []


def test_under_forbid_a_given_materializer_that_can_run_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A safe one for the same type is not."""
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")

    @pipeline
    def pickling() -> None:
        prepare.with_options(output_materializers=CloudpickleMaterializer)()

    with pytest.raises(NoMaterializer, match=r"output 'output' of step 'prepare' \(given: cloudpickle/1\)"):
        pickling()


def test_otherwise_one_note_per_type_comes_before_the_step_runs() -> None:
    """The note is not repeated when the value is saved, nor by the next run; a cached step says nothing."""
    with pytest.warns(
        LinealWarning, match=r"output 'model' of step 'train' of pipeline 'training' is a .*Thing, .* will be pickled"
    ) as told:
        training()
    assert len(told) == 1
    assert ran() == ["prepare", "train"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert training().steps["train"].status == "cached"
        training.with_options(enable_cache=False)()


def test_the_note_comes_before_the_work() -> None:
    """Who wants to stop there can: warnings as errors stop the run before the step has run."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LinealWarning):
            training()
    assert ran() == ["prepare"]


class Stuck:
    """A value that cannot be saved."""

    weight = 42

    def __reduce__(self) -> Any:
        raise TypeError("no")


@step
def long_work() -> Annotated[Any, "model"]:
    return Stuck()


@pipeline
def working() -> None:
    long_work()


def test_a_failed_save_gives_the_value_on_the_exception() -> None:
    """In a script it can be saved another way."""
    with pytest.raises(MaterializerError, match=r"output 'model' of step 'long_work'.* that cloudpickle/1 cannot pickle") as caught:
        working()
    assert type(caught.value.value) is Stuck
    assert caught.value.value.weight == 42


def test_a_failed_save_gives_the_value_in_a_notebook_too(capsys: pytest.CaptureFixture[str]) -> None:
    """An interactive session keeps the last exception, as a notebook does, and the value hangs on it."""
    session = code.InteractiveInterpreter({"working": working})
    session.runsource("working()")
    assert "MaterializerError" in capsys.readouterr().err
    session.runsource("import sys; model = sys.last_value.value")
    assert type(session.locals["model"]) is Stuck


def test_a_refused_value_is_not_lost_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the value told that it can only be pickled, it hangs on the error of the policy."""
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")

    @step
    def work() -> object:
        return Thing()

    @pipeline
    def working_blindly() -> None:
        work()

    with pytest.raises(NoMaterializer) as caught:
        working_blindly()
    assert type(caught.value.value) is Thing


SCRIPT = """
    from pathlib import Path
    from lineal import pipeline, step
    from lineal.errors import MaterializerError
    from lineal.materializers import BaseMaterializer

    class Thing:
        def __init__(self, n): self.n = n

    class ThingMaterializer(BaseMaterializer):
        ASSOCIATED_TYPES = (Thing,)
        def save(self, value): raise OSError("no such drive")
        def load(self, data_type): return data_type(1)

    @step
    def make() -> Thing:
        return Thing(41)

    @pipeline
    def making():
        make()

    try:
        making()
    except MaterializerError as error:
        print(error.value.n, error)
"""


@pytest.mark.parametrize("orchestrator", ["local", "processes"])
def test_a_script_gets_the_value_back_from_wherever_the_step_ran(orchestrator: str) -> None:
    """Also from a worker process, as far as the value can travel."""
    Path("things.py").write_text(textwrap.dedent(SCRIPT))
    environment = {**os.environ, "LINEAL_ORCHESTRATOR": orchestrator}
    done = subprocess.run([sys.executable, "things.py"], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("41 output 'output' of step 'make' of pipeline 'making', a things.Thing, could not be saved by things.")
