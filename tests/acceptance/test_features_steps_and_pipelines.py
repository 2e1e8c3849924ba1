"""What is promised of steps and pipelines, sentence by sentence, through the public names only."""

import datetime as dt
import enum
import inspect
import math
import re
import uuid
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, Tuple, TypeVar, Union  # noqa: UP035 - users write them

import numpy as np
import pandas as pd
import pydantic
import pytest
from sklearn.linear_model import LinearRegression
from typing_extensions import TypeAliasType

import lineal
from lineal import ArtifactConfig, CachePolicy, Client, ExternalArtifact, Retry, get_pipeline_context, get_step_context, pipeline, step
from lineal.errors import (
    CallError,
    DefinitionError,
    HandleError,
    InputError,
    InvalidName,
    LinealError,
    LinealWarning,
    OutputError,
    ParameterError,
    UsageError,
)

T = TypeVar("T")
Alias = TypeAliasType("Alias", int | list[int])  # what `type Alias = ...` makes
UserId = NewType("UserId", int)


def test_the_names_of_the_import_line_are_there() -> None:
    """`from lineal import pipeline, step, ArtifactConfig, register_artifact, save_artifact, load_artifact`, and the client."""
    for name in ("pipeline", "step", "ArtifactConfig", "register_artifact", "save_artifact", "load_artifact"):
        assert name in lineal.__all__
        assert getattr(lineal, name) is not None
    from lineal.client import Client as FromModule

    assert FromModule is lineal.Client


OPTIONS: dict[str, Any] = {
    "name": "other", "enable_cache": False, "cache_policy": CachePolicy(), "enable_artifact_metadata": False,
    "enable_artifact_visualization": False, "enable_step_logs": False, "on_failure": print, "on_success": print, "retry": Retry(),
    "settings": {"memory": "4 GB"}, "extra": {"team": "blue"}, "substitutions": {"region": "eu"}, "tags": ["daily"], "model": "forest",
}  # fmt: skip


@step
def one() -> int:
    return 1


@step
def add(a: int, b: int = 1) -> int:
    return a + b


@step
def pair(n: int) -> tuple[Annotated[int, "low"], Annotated[int, "high"]]:
    return n - 1, n + 1


@step
def total(parts: Any) -> int:
    return sum(parts.values() if isinstance(parts, dict) else parts)


@step
def ten_times(n: int) -> Annotated[int, "tenfold"]:
    return n * 10


def said(option: str) -> AbstractContextManager[object]:
    """What is taken and has no effect says so, and nothing else says anything."""
    return pytest.warns(LinealWarning, match="has no effect") if option in ("settings", "model") else nullcontext()


@pytest.mark.parametrize("option", [*OPTIONS, "output_materializers"])
def test_step_takes_each_of_its_options(option: str) -> None:
    """`@step` takes every option that is promised, in the decorator, in `with_options` and in `configure`."""
    value = OPTIONS.get(option)

    def made() -> int:
        return 1

    with said(option):
        for changed in (step(**{option: value})(made), step(made).with_options(**{option: value}), step(made).configure(**{option: value})):
            assert getattr(changed.spec.options, option) == value
    assert step(made)() == 1


@pytest.mark.parametrize("option", OPTIONS)
def test_pipeline_takes_the_same_options(option: str) -> None:
    """`@pipeline` takes the options of `@step`, also `enable_artifact_visualization`."""

    def body() -> None:
        one()

    value = OPTIONS[option]
    with said(option):
        assert getattr(pipeline(**{option: value})(body).options, option) == value
        assert getattr(pipeline(body).configure(**{option: value}).options, option) == value
        assert getattr(pipeline(body).with_options(**{option: value}).overrides, option) == value


def test_with_options_gives_a_copy_and_configure_changes_in_place() -> None:
    """`.with_options(...)` leaves the original as it was, `.configure(...)` changes it and gives it back."""
    local = one.with_options()
    renamed = local.with_options(name="uno")
    assert (renamed.name, local.name) == ("uno", "one")
    assert local.configure(name="changed") is local
    assert local.name == "changed"


@pytest.mark.parametrize("where", ["step", "call", "pipeline", "run"])
def test_visualizations_are_switched_off_at_each_level(where: str) -> None:
    """`enable_artifact_visualization=False` holds on the step, on one call, on the pipeline and on one run."""
    off = {"enable_artifact_visualization": False}

    @step(**(off if where == "step" else {}))
    def table() -> Annotated[np.ndarray, "table"]:
        return np.arange(9.0)

    @pipeline(**(off if where == "pipeline" else {}))
    def showing() -> None:
        (table.with_options(**off) if where == "call" else table)()

    (showing.with_options(**off) if where == "run" else showing)()
    assert Client().get_artifact_version("table").visualizations == []


def test_tags_of_a_step_are_those_of_its_versions_and_tags_of_a_pipeline_those_of_its_runs() -> None:
    """Beside what `ArtifactConfig` says; one tag needs no list; what is no tag is refused when it is said."""

    @step(tags=["daily", "raw"])
    def made() -> Annotated[int, ArtifactConfig(name="made", tags=["gold", "raw"])]:
        return 1

    @pipeline(tags="nightly")
    def making() -> None:
        made()

    run = making()
    assert (run.tags, run.steps["made"].output.tags) == (["nightly"], ["gold", "raw", "daily"])
    assert [each.name for each in Client().list_artifact_versions(tags="daily")] == ["made"]
    with pytest.raises(InvalidName):
        step(tags=[""])(one.spec.function)


def test_extra_is_what_the_functions_contexts_give_back() -> None:
    """`extra=` of the step in `get_step_context()`, of the pipeline in `get_pipeline_context()`; which knows the run, in a body only."""
    seen: list[Any] = []

    @step(extra={"team": "blue"}, enable_cache=False)
    def asked() -> int:
        seen.append(get_step_context().extra)
        with pytest.raises(UsageError, match="get_step_context"):
            get_pipeline_context()
        return 1

    @pipeline
    def inner() -> None:
        seen.append(get_pipeline_context().name)

    @pipeline(extra={"team": "red"}, tags=["t"])
    def asking(n: int) -> None:
        asked.with_options(name="before")().load()  # type: ignore[attr-defined]
        context = get_pipeline_context()
        seen.append((context.name, context.parameters, context.extra, context.tags))
        seen.append((context.run_id, context.run_name, context.start_time))
        inner()

    run = asking("3")  # type: ignore[arg-type]
    assert seen == [{"team": "blue"}, ("asking", {"n": 3}, {"team": "red"}, ("t",)), (run.id, run.name, run.start_time), "asking"]
    with pytest.raises(UsageError, match="body of a pipeline"):
        get_pipeline_context()


def test_a_decorated_function_keeps_its_signature() -> None:
    """Name, docstring, signature and module are those of the function, for editors; tests/typing holds it for type checkers."""

    @step
    def train(rows: int, rate: float = 0.1) -> str:
        """Train."""
        return f"{rows}{rate}"

    assert (train.__name__, train.__doc__, train.__module__) == ("train", "Train.", __name__)
    assert list(inspect.signature(train).parameters) == ["rows", "rate"]


def test_calling_a_pipeline_runs_it_and_returns_the_run() -> None:
    """The call gives the run, which has ended."""

    @pipeline
    def working() -> None:
        add(one())

    run = working()
    assert run.status == "completed"
    assert run.steps["add"].output.load() == 2


def test_calling_a_step_in_a_body_records_it_and_gives_a_handle() -> None:
    """Nothing runs while the body goes through; what a call gives is a handle."""
    seen: list[str] = []

    @step(enable_cache=False)
    def loud() -> int:
        seen.append("ran")
        return 1

    @pipeline
    def working() -> None:
        handle: Any = loud()
        assert type(handle).__name__ == "Handle"
        seen.append("recorded")

    working()
    assert seen == ["recorded", "ran"]


def test_calling_a_step_anywhere_else_is_a_plain_call_with_the_same_checks() -> None:
    """Outside of a body a step gives its value, coerces and checks as in a run, and records nothing."""
    assert add(1, 2) == 3
    assert add("4") == 5  # type: ignore[arg-type]
    with pytest.raises(ParameterError):
        add("many")  # type: ignore[arg-type]

    @step
    def wrong() -> int:
        return "text"  # type: ignore[return-value]

    with pytest.raises(OutputError):
        wrong()
    assert Client().list_pipeline_runs().total == Client().list_artifact_versions().total == 0


def test_several_outputs_unpack_into_handles() -> None:
    """`low, high = pair(...)` gives a handle for each."""

    @pipeline
    def working() -> None:
        low, high = pair(5)
        total([low, high])

    assert working().steps["total"].output.load() == 10


@pytest.mark.parametrize(
    "misuse", [list, lambda h: h[0], lambda h: h == 1, lambda h: h != 1, bool], ids=["iterate", "index", "eq", "ne", "if"]
)
def test_a_handle_that_is_used_as_its_value_raises_a_clear_error(misuse: Any) -> None:
    """Iterating, indexing or comparing a single output, or `if handle:`, names the step and says `.load()`."""

    @pipeline
    def wrong() -> None:
        misuse(one())

    with pytest.raises(HandleError, match=r"'one'.*\.load\(\)"):
        wrong()


def test_passing_a_handle_makes_an_edge() -> None:
    """The consumer's input is the version that the producer made."""

    @pipeline
    def working() -> None:
        add(one())

    run = working()
    assert run.steps["add"].inputs["a"].id == run.steps["one"].output.id


@pytest.mark.parametrize("shape", [lambda h: [h, 5], lambda h: (h, 5), lambda h: {"a": h, "b": 5}], ids=["list", "tuple", "dict"])
def test_a_list_tuple_or_dict_of_handles_is_an_input_too(shape: Any) -> None:
    """Also mixed with literals; the edge is recorded."""

    @pipeline
    def working() -> None:
        total(shape(one()))

    run = working()
    assert run.steps["total"].output.load() == 6
    assert [each.id for each in run.steps["total"].inputs.values()] == [run.steps["one"].output.id]


def test_after_orders_without_data() -> None:
    """A call waits for those that `after=` names, handles or names, without an input."""
    order: list[str] = []

    @step(enable_cache=False)
    def note(name: str) -> None:
        order.append(name)

    @pipeline
    def ordered() -> None:
        note("late", after="early", id="late")  # type: ignore[call-arg]
        early = note("early", id="early")  # type: ignore[call-arg, func-returns-value]
        note("last", after=["late", early], id="last")  # type: ignore[call-arg]

    run = ordered()
    assert order == ["early", "late", "last"]
    assert not run.steps["last"].inputs


def test_the_same_step_twice_is_numbered_and_an_id_names_a_call() -> None:
    """The second call of `add` is `add_2`; `id=` gives a call its own name."""

    @pipeline
    def working() -> None:
        add(add(add(1), id="middle"))  # type: ignore[call-arg]
        add(9)

    assert list(working().steps) == ["add", "middle", "add_2", "add_3"]


def test_the_body_may_look_at_values() -> None:
    """`handle.load()` gives the value in the body, so `if` and `for` work on real results; only what the value needs has run."""
    ran: list[int] = []

    @step(enable_cache=False)
    def numbers(count: int) -> list[int]:
        ran.append(count)
        return list(range(count))

    @pipeline
    def looking() -> None:
        numbers(5, id="unneeded")  # type: ignore[call-arg]
        for n in numbers(3).load():  # type: ignore[attr-defined]
            if n > 0:
                add(n)
        assert ran == [3]

    run = looking()
    assert [run.steps[name].output.load() for name in ("add", "add_2")] == [2, 3]
    assert ran == [3, 5]


def test_a_body_that_never_looks_is_planned_as_a_whole() -> None:
    """An error at the end of the body comes before any step has run."""
    ran: list[int] = []

    @step(enable_cache=False)
    def loud() -> int:
        ran.append(1)
        return 1

    @pipeline
    def wrong() -> None:
        loud()
        add(loud(), c=1)  # type: ignore[call-arg]

    with pytest.raises(CallError):
        wrong()
    assert not ran


def test_the_outputs_of_a_run_map_names_to_versions() -> None:
    """`run.steps["split_data"].outputs["train_data"].load()` works as written."""

    @step
    def split_data(rows: list[int]) -> tuple[Annotated[list[int], "train_data"], Annotated[list[int], "test_data"]]:
        return rows[:2], rows[2:]

    @pipeline
    def splitting() -> None:
        split_data([1, 2, 3])

    run = splitting()
    assert run.steps["split_data"].outputs["train_data"].load() == [1, 2]
    assert list(run.steps["split_data"].outputs) == ["train_data", "test_data"]


def test_a_run_has_its_facts() -> None:
    """`status, name, id (UUID), pipeline, parameters, start_time, end_time, steps` in the order of the definition."""

    @pipeline
    def working(n: int, label: str = "x") -> None:
        late = one.with_options(name="late")(after="early")  # type: ignore[call-arg]
        one.with_options(name="early")()
        add(late)

    run = working(3)
    assert (run.status, run.pipeline, run.parameters) == ("completed", "working", {"n": 3, "label": "x"})
    assert run.name.startswith("working-")
    assert isinstance(run.id, uuid.UUID)
    assert run.start_time <= run.end_time
    assert list(run.steps) == ["late", "early", "add"]


def test_a_failed_step_fails_the_run_and_everything_finished_stays() -> None:
    """Independent branches go on, the original exception is raised at the end with the step's name, and what ended is a hit next time."""
    broken = Path("broken")
    broken.touch()

    @step(enable_cache=False)
    def fragile(n: int) -> int:
        if broken.exists():
            raise ZeroDivisionError("no luck")
        return n

    @pipeline
    def working() -> None:
        n = one()
        add(fragile(n))
        ten_times(n)

    with pytest.raises(ZeroDivisionError, match="no luck") as caught:
        working()
    assert "'fragile'" in "\n".join(caught.value.__notes__)
    run = Client().get_pipeline_run("latest")
    assert run.status == "failed"
    assert {name: str(each.status) for name, each in run.steps.items()} == {
        "one": "completed", "fragile": "failed", "add": "skipped", "ten_times": "completed",
    }  # fmt: skip
    broken.unlink()
    assert {name: str(each.status) for name, each in working().steps.items()} == {
        "one": "cached", "fragile": "completed", "add": "completed", "ten_times": "cached",
    }  # fmt: skip


@pytest.mark.parametrize("source", ["*args", "**kwargs", "after", "id"])
def test_arguments_without_a_fixed_name_are_refused_when_the_step_is_defined(source: str) -> None:
    """`*args`, `**kwargs` and the names `after` and `id`: a DefinitionError that names the argument."""
    made: dict[str, Any] = {}
    exec(f"def made({source}) -> int:\n    return 1\n", made)
    with pytest.raises(DefinitionError, match=source.strip("*")):
        step(made["made"])


# -- outputs


def outputs_of(made: Any) -> list[str]:
    """Run a step alone and give the names of its outputs."""

    @pipeline
    def alone() -> None:
        made()

    return list(alone().steps[made.name].outputs)


def test_the_outputs_follow_the_annotation_and_the_literal_return() -> None:
    """None: no output. One value: `output`. Several: a tuple annotation and a literal tuple of more than one element."""

    @step
    def none() -> None:
        pass

    @step
    def value() -> int:
        return 1

    @step
    def several() -> tuple[int, str]:
        return 1, "a"

    @step
    def old_style() -> Tuple[int, str]:  # noqa: UP006
        return 1, "a"

    @step
    def variable() -> tuple[int, str]:
        some_tuple = (1, "a")
        return some_tuple  # noqa: RET504 - that it is no literal is what is tested

    @step
    def nested() -> tuple[int, str]:
        def inner() -> tuple[int, str]:
            return 1, "a"

        return inner()

    @step
    def named_whole() -> Annotated[tuple[int, str], "x"]:
        return 1, "a"

    @step
    def bare() -> tuple:  # type: ignore[type-arg]
        return 1, "a"

    @step
    def anything() -> Any:
        return 1, "a"

    @step
    def unannotated():  # type: ignore[no-untyped-def]
        return 1, "a"

    @step
    def one_literal(flag: bool = True) -> tuple[int, str]:
        if flag:
            prepared = (1, "a")
            return prepared  # noqa: RET504 - as above
        return 2, "b"

    two = ["output_0", "output_1"]
    assert [outputs_of(each) for each in (none, value, several, old_style, variable, nested)] == [
        [],
        ["output"],
        two,
        two,
        ["output"],
        ["output"],
    ]
    assert [outputs_of(each) for each in (bare, anything, unannotated, one_literal)] == [["output"], ["output"], ["output"], two]
    assert outputs_of(named_whole) == ["x"]


def test_annotated_names_the_output_and_the_artifact() -> None:
    """By a name, or by an ArtifactConfig with name, version, tags, metadata and kind."""

    @step
    def named() -> tuple[
        Annotated[int, "plain"],
        Annotated[int, ArtifactConfig(name="full", version="v1", tags=["a"], run_metadata={"k": 1.5}, artifact_type="model")],
    ]:
        return 1, 2

    assert outputs_of(named) == ["plain", "full"]
    version = Client().get_artifact_version("full")
    assert (version.version, version.tags, version.data_type, version.metadata["k"]) == ("v1", ["a"], "model", 1.5)


def test_an_unnamed_outputs_artifact_is_called_after_pipeline_step_and_output() -> None:
    """`{pipeline}::{step}::{output}`."""

    @pipeline
    def working() -> None:
        one()

    assert working().steps["one"].output.name == "working::one::output"


@pytest.mark.parametrize(
    "annotation",
    [
        tuple[Annotated[int, "x"], Annotated[int, "x"]],
        tuple[Annotated[int, ""], int],
        tuple[Annotated[int, "x", "y"], int],
        tuple[Annotated[int, "x", ArtifactConfig(name="y")], int],
    ],
    ids=["duplicate", "empty", "two names", "name and config"],
)
def test_bad_names_are_errors_when_the_step_is_defined(annotation: Any) -> None:
    """Duplicate names, empty names, more than one name."""

    def made():  # type: ignore[no-untyped-def]
        return 1, 2

    made.__annotations__["return"] = annotation
    with pytest.raises(DefinitionError):
        step(made)


def test_date_and_time_are_the_runs_start_in_utc_for_the_whole_run() -> None:
    """`{date}` is 2023_06_15 and `{time}` is 14_30_45_123456, the same in each name, explicit version and run name."""

    @step
    def stamped() -> Annotated[int, ArtifactConfig(name="at_{date}_{time}", version="v_{time}")]:
        return 1

    @pipeline
    def stamping() -> None:
        stamped()
        stamped.with_options(enable_cache=False)()

    run = stamping.with_options(run_name="run_{date}_{time}")()
    date, time = f"{run.start_time:%Y_%m_%d}", f"{run.start_time:%H_%M_%S_%f}"
    assert run.name == f"run_{date}_{time}"
    assert {(each.output.name, each.output.version) for each in run.steps.values()} == {(f"at_{date}_{time}", f"v_{time}")}


def test_substitutions_come_from_step_pipeline_and_with_options_and_the_step_wins() -> None:
    """In artifact names, artifact versions and run names."""

    @step(substitutions={"who": "step"})
    def made() -> Annotated[int, ArtifactConfig(name="{who}_{where}", version="{where}_1")]:
        return 1

    @pipeline(substitutions={"who": "pipeline", "where": "eu"})
    def making() -> None:
        made()
        made.with_options(substitutions={"who": "call"})()

    run = making.with_options(run_name="by_{who}")()
    assert run.name == "by_pipeline"
    assert [(each.output.name, each.output.version) for each in run.steps.values()] == [("step_eu", "eu_1"), ("call_eu", "eu_1")]


def test_an_unknown_placeholder_is_an_error_before_anything_runs() -> None:
    """It names the placeholder and the remedy, and no run is recorded."""

    @step
    def made() -> Annotated[int, "data_{region}"]:
        raise AssertionError("it ran")

    @pipeline
    def making() -> None:
        made()

    with pytest.raises(InvalidName, match=r"\{region\}.*substitutions="):
        making()
    with pytest.raises(InvalidName, match=r"\{nobody\}"):
        making.with_options(run_name="{nobody}", substitutions={"region": "eu"})()
    assert Client().list_pipeline_runs().total == 0


def test_on_a_hit_the_name_is_the_new_one_and_feeds_downstream_steps() -> None:
    """A cached call gives its value under the name of this run, and a dynamically named output is an input, cached or not."""

    @step
    def made() -> Annotated[int, "data_{region}"]:
        return 7

    @pipeline
    def making(n: int) -> None:
        add(made(), n)

    making.with_options(substitutions={"region": "eu"})(1)
    run = making.with_options(substitutions={"region": "us"})(2)
    assert (str(run.steps["made"].status), run.steps["made"].output.name) == ("cached", "data_us")
    assert (run.steps["add"].inputs["a"].name, run.steps["add"].output.load()) == ("data_us", 9)


@pytest.mark.parametrize("template", ["{region.upper}", "{region[0]}", "{region:>9}", "{region!r}", "{}", "{0}", "{region", "region}"])
def test_only_plain_placeholders_are_understood(template: str) -> None:
    """No attribute or index access, no formats, no conversions, no stray braces."""

    def made() -> int:
        return 1

    made.__annotations__["return"] = Annotated[int, template]
    with pytest.raises(DefinitionError, match=r"placeholder|brace"):
        step(made)


def test_string_annotations_and_the_future_import_work() -> None:
    """What is written as text is resolved, outputs and names included."""
    space: dict[str, Any] = {"__name__": "written_as_text"}
    source = """
from __future__ import annotations
from typing import Annotated
from lineal import step

@step
def made(n: int) -> tuple[Annotated[int, "low"], "Annotated[str, 'high']"]:
    return n, str(n)
"""
    exec(compile(source, "written_as_text.py", "exec"), space)

    @pipeline
    def working() -> None:
        space["made"]("3")

    outputs = working().steps["made"].outputs
    assert {name: each.load() for name, each in outputs.items()} == {"low": 3, "high": "3"}


def test_the_annotations_of_typing_work() -> None:
    """`Union`, `Optional`, `Literal`, `TypeVar`, `Callable`, `NewType` and PEP 695 aliases, on inputs and outputs."""
    from collections.abc import Callable

    @step
    def given(
        a: Union[int, str],  # noqa: UP007 - users write it
        b: Optional[float],  # noqa: UP045
        c: Literal["x", "y"],
        d: UserId,
        e: T,
        f: list[UserId] | None = None,
    ) -> Union[dict[str, Any], None]:  # noqa: UP007
        return {"a": a, "b": b, "c": c, "d": d, "e": e, "f": f}

    @step
    def aliased(n: Alias) -> Alias:
        return [n] if isinstance(n, int) else n

    @step
    def function() -> Callable[[int], int]:
        return abs

    @step
    def called(function: Callable[[int], int]) -> int:
        return function(-3)

    @pipeline
    def working() -> None:
        given("1", None, "y", UserId(4), [5])
        given(1, 2, "x", UserId(4), {"k": 1}, [UserId(6)])
        called(function())
        aliased(3)

    with pytest.warns(lineal.errors.LinealWarning, match="pickle"):
        run = working()
    assert run.steps["given"].output.load() == {"a": "1", "b": None, "c": "y", "d": 4, "e": [5], "f": None}
    assert run.steps["given_2"].output.load() == {"a": 1, "b": 2.0, "c": "x", "d": 4, "e": {"k": 1}, "f": [6]}
    assert run.steps["called"].output.load() == 3
    assert run.steps["aliased"].output.load() == [3]

    @pipeline
    def wrong() -> None:
        given(1, None, "z", UserId(4), 1)  # type: ignore[arg-type]

    with pytest.raises(ParameterError, match="'c'"):
        wrong()


# -- checks at run time


def failing(value: Any, annotation: Any) -> tuple[Exception, list[str]]:
    """Run a step that returns the value under the annotation; give the error and what its success hook said."""
    heard: list[str] = []

    def made():  # type: ignore[no-untyped-def]
        return value() if callable(value) else value

    made.__annotations__["return"] = annotation
    bad = step(on_success=lambda: heard.append("success"))(made)

    @pipeline
    def failing_pipeline() -> None:
        bad()

    with pytest.raises(OutputError) as caught:
        failing_pipeline()
    return caught.value, heard


async def coroutine() -> int:
    return 1


@pytest.mark.parametrize(
    ("value", "annotation", "got"),
    [
        ("text", Annotated[int, "x"], "str"),
        (None, Annotated[int, "x"], "None"),
        ([1, "a"], Annotated[list[int], "x"], r"\[1\]"),
        (lambda: (n for n in [1]), Annotated[list[int], "x"], "generator"),
        (coroutine, Annotated[int, "x"], "coroutine"),
        (pd.Series([1]), Annotated[pd.DataFrame, "x"], "Series"),
    ],
    ids=["type", "none", "element", "generator", "coroutine", "series"],
)
def test_a_wrong_output_is_one_error_that_names_everything(value: Any, annotation: Any, got: str) -> None:
    """Before anything is saved and before success hooks: step, output, expected and got."""
    error, heard = failing(value, annotation)
    for part in ("'made'", "'x'"):
        assert part in str(error)
    assert re.search(got, str(error))
    assert heard == []
    assert Client().list_artifact_versions().total == 0


def test_a_wrong_count_of_outputs_is_an_error() -> None:
    """It names the step, the outputs and the number."""

    @step
    def short(flag: bool = False) -> tuple[Annotated[int, "a"], Annotated[int, "b"]]:
        if flag:
            return 1, 2
        return (1,)  # type: ignore[return-value]

    with pytest.raises(OutputError, match=r"'short'.*2 values.*a, b"):
        short()


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int, np.int32(3)), (float, np.float32(1.5)), (bool, np.True_), (str, np.str_("a")), (float, 3), (complex, 2.5)],
    ids=["int", "float", "bool", "str", "int for float", "float for complex"],
)
def test_numpy_scalars_pass_for_their_python_kind_and_int_for_float(annotation: Any, value: Any) -> None:
    """As PEP 484 has it for `float`; the value is stored."""

    def made():  # type: ignore[no-untyped-def]
        return value

    made.__annotations__["return"] = annotation
    bare = step(made)

    @pipeline
    def working() -> None:
        bare()

    assert working().steps["made"].output.load() == value


def test_inputs_are_checked_against_the_annotation() -> None:
    """An artifact of another type fails the step that takes it, with step, input, expected and got."""

    @step
    def text() -> str:
        return "x"

    @pipeline
    def wrong() -> None:
        add(text())  # type: ignore[arg-type]

    with pytest.raises(InputError, match=r"'add'.*'a'.*int.*str"):
        wrong()


def test_parameters_go_through_pydantic_with_coercion() -> None:
    """Text for a number, a dict for a model."""

    class Config(pydantic.BaseModel):
        depth: int
        rate: float = 0.1

    @step
    def take(n: int, config: Config, day: dt.date) -> str:
        return f"{n + 1} {config.depth} {day.year}"

    @pipeline
    def taking() -> None:
        take("3", {"depth": "7"}, "2026-05-04")  # type: ignore[arg-type]

    assert taking().steps["take"].output.load() == "4 7 2026"


class Predictor(Protocol):
    """What has a predict."""

    def predict(self, X: Any) -> Any:
        """Predict."""


@pytest.mark.parametrize("annotation", [Any, object, Predictor, inspect.Parameter.empty], ids=["Any", "object", "protocol", "none"])
def test_a_loose_annotation_takes_the_stored_type(annotation: Any) -> None:
    """The materializer is chosen from the value: `-> object` on a model is stored in the model's own format."""

    def train():  # type: ignore[no-untyped-def]
        return LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])

    def use(model):  # type: ignore[no-untyped-def]
        return float(model.predict([[2.0]])[0])

    if annotation is not inspect.Parameter.empty:
        train.__annotations__["return"] = use.__annotations__["model"] = annotation
    make, take = step(train), step(use)

    @pipeline
    def working() -> None:
        take(make())

    run = working()
    assert run.steps["use"].output.load() == pytest.approx(4.0)
    assert run.steps["train"].output.materializer.startswith("sklearn.skops/")


class Colour(enum.Enum):
    RED = "r"


@dataclass
class Plan:
    depth: int
    rates: list[float]


class Settings(pydantic.BaseModel):
    name: str
    when: dt.datetime


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True]}, Plan(3, [0.1]), Settings(name="x", when=dt.datetime(2026, 1, 2, tzinfo=dt.UTC)), dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC),
        uuid.UUID(int=5), Colour.RED, b"\x00\xff", {1, 2}, frozenset({3}), Path("a/b"), math.inf, -math.inf,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_parameters_are_restored_as_they_were(value: Any) -> None:
    """JSON literals, dataclasses, pydantic models, datetime, UUID, enums, bytes, sets, paths, infinities."""
    got: list[Any] = []

    @step(enable_cache=False)
    def take(value: Any) -> None:
        got.append(value)

    @pipeline
    def taking(value: Any) -> None:
        take(value)

    run = taking(value)
    for each in (got[0], Client().get_pipeline_run(run.name).parameters["value"]):
        assert type(each) is type(value)
        assert each == value


def test_nan_is_restored_as_nan() -> None:
    """And a second run with it is a hit."""

    @step
    def take(value: float) -> bool:
        return math.isnan(value)

    @pipeline
    def taking(value: float) -> None:
        take(value)

    assert taking(math.nan).steps["take"].output.load() is True
    again = taking(math.nan)
    assert math.isnan(again.parameters["value"])
    assert again.steps["take"].status == "cached"


@pytest.mark.parametrize("value", [pd.DataFrame({"a": [1]}), np.arange(3), lambda: 1], ids=["frame", "array", "lambda"])
def test_what_cannot_be_held_is_refused_when_the_pipeline_is_called(value: Any) -> None:
    """With the path to the value and both remedies, before anything runs."""

    @step
    def take(config: Any) -> int:
        raise AssertionError("it ran")

    @pipeline
    def taking() -> None:
        take({"deep": [1, value]})

    @pipeline
    def given(config: Any) -> None:
        take(config)

    for call in (taking, lambda: given({"deep": [1, value]})):
        with pytest.raises(ParameterError, match=r"config\['deep'\]\[1\]") as caught:
            call()
        assert "output of a step" in str(caught.value)
        assert "ExternalArtifact(value)" in str(caught.value)
    assert Client().list_pipeline_runs().total == 0


def test_every_error_derives_from_one_class() -> None:
    """What Lineal raises on purpose is a LinealError, and what Python would have raised as well."""
    with pytest.raises(LinealError):
        add("many")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        add()  # type: ignore[call-arg]
    with pytest.raises(KeyError):
        Client().get_artifact_version("nothing")


def test_an_external_artifact_is_the_remedy() -> None:
    """What was refused as a parameter is an artifact with `ExternalArtifact`."""

    @step
    def rows(frame: pd.DataFrame) -> int:
        return len(frame)

    @pipeline
    def counting() -> None:
        rows(ExternalArtifact(pd.DataFrame({"a": [1, 2]})))

    assert counting().steps["rows"].output.load() == 2
