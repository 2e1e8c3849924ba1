"""What users write: steps, pipelines, handles, names, parameters, failures."""

import dataclasses
import datetime as dt
import enum
import math
import uuid
from pathlib import Path
from typing import Annotated, Any, Tuple  # noqa: UP035 - users write Tuple too

import pytest

from lineal import ArtifactConfig, Client, pipeline, step
from lineal.errors import (
    CallError,
    DefinitionError,
    HandleError,
    InputError,
    InvalidName,
    LinealWarning,
    NotFound,
    OutputError,
    ParameterError,
    UsageError,
)


@step
def one() -> int:
    return 1


@step
def add(a: int, b: int = 1) -> int:
    return a + b


@step
def split(data: list[int]) -> Tuple[Annotated[list[int], "small"], Annotated[list[int], "large"]]:  # noqa: UP006
    return [n for n in data if n < 10], [n for n in data if n >= 10]


@step
def numbers() -> list[int]:
    return [1, 20, 3, 40]


@step
def total(parts: Any) -> int:
    if isinstance(parts, dict):
        parts = list(parts.values())
    return sum(sum(part) if isinstance(part, list) else part for part in parts)


def note(value: object) -> None:
    """Leave a trace that does not enter the fingerprint of a step, as the value of a list in a closure would."""
    with Path("noted.txt").open("a", encoding="utf-8") as file:
        print(value, file=file)


def noted() -> list[str]:
    path = Path("noted.txt")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def runs() -> int:
    """How many runs are recorded."""
    return Client().list_pipeline_runs().total


def test_a_run_gives_its_steps_outputs_and_versions():
    @pipeline
    def training(data_size: int = 3):
        small, large = split(numbers())
        total([small, large, data_size])

    run = training()
    assert run.status == "completed"
    assert isinstance(run.id, uuid.UUID)
    assert list(run.steps) == ["numbers", "split", "total"]
    assert run.steps["split"].outputs["small"].load() == [1, 3]
    assert run.steps["split"].outputs["large"].name == "large"
    assert run.steps["total"].output.load() == 67
    assert run.steps["total"].outputs["output"].name == "training::total::output"
    assert run.parameters == {"data_size": 3}
    assert run.start_time <= run.end_time
    assert run.pipeline == "training"
    assert Client().get_artifact_version("small").load() == [1, 3]


def test_a_second_run_executes_nothing_and_makes_no_versions():

    @step
    def loud(x: int) -> int:
        note(x)
        return x * 2

    @pipeline
    def doubling(x: int):
        loud(loud(x))

    first = doubling(3)
    second = doubling(3)
    assert noted() == ["3", "6"]
    assert [each.status for each in second.steps.values()] == ["cached", "cached"]
    assert second.steps["loud_2"].output.id == first.steps["loud_2"].output.id
    doubling(4)
    assert noted() == ["3", "6", "4", "8"]


@pytest.mark.parametrize("level", ["step", "pipeline", "call", "run"])
def test_the_cache_is_switched_off_at_every_level(level):

    @step(enable_cache=False if level == "step" else None)
    def loud() -> int:
        note(1)
        return 1

    @pipeline(enable_cache=False if level == "pipeline" else None)
    def quiet():
        (loud.with_options(enable_cache=False) if level == "call" else loud)()

    runnable = quiet.with_options(enable_cache=False) if level == "run" else quiet
    runnable()
    runnable()
    assert len(noted()) == 2


def test_the_call_beats_the_decorator_and_the_run_beats_all():

    @step(enable_cache=False)
    def loud() -> int:
        note(1)
        return 1

    @pipeline(enable_cache=False)
    def cached_call():
        loud.with_options(enable_cache=True)()

    cached_call()
    cached_call()
    assert len(noted()) == 1
    cached_call.with_options(enable_cache=False)()
    assert len(noted()) == 2


def test_a_step_is_a_plain_checked_function_outside_of_pipelines():
    assert add(1, 2) == 3
    assert add(1) == 2
    assert split([1, 20]) == ([1], [20])
    with pytest.raises(CallError, match="a"):
        add()
    with pytest.raises(NotFound):
        Client().get_artifact_version("small")
    assert runs() == 0


@pytest.mark.parametrize(
    ("misuse", "word"),
    [
        (lambda h: [*h], "unpacked or iterated"),
        (lambda h: h[0], "indexed"),
        (lambda h: h == 1, "compared"),
        (lambda h: h != 1, "compared"),
        (lambda h: h < 1, "compared"),
        (lambda h: bool(h), "condition"),
        (lambda h: len(h), "measured"),
        (lambda h: 1 in h, "searched"),
        (lambda h: h + 1, "calculated"),
        (lambda h: h(), "called"),
    ],
)
def test_a_handle_that_is_misused_says_so_and_nothing_is_recorded(misuse, word):
    @pipeline
    def wrong():
        misuse(one())

    with pytest.raises(HandleError, match=word) as caught:
        wrong()
    assert "one" in str(caught.value)
    assert ".load()" in str(caught.value)
    assert runs() == 0


def test_the_body_may_look_at_a_value_and_go_on():
    seen = []

    @pipeline
    def looking():
        n = one()
        for _ in range(3):
            n = add(n)
            seen.append(n.load())
        if seen[-1] == 4:
            add(n, 100)

    run = looking()
    assert seen == [2, 3, 4]
    assert run.steps["add_4"].output.load() == 104
    assert run.status == "completed"


def test_only_what_a_value_needs_runs_when_the_body_looks():
    order = []

    @step
    def named(name: str) -> str:
        order.append(name)
        return name

    @pipeline
    def looking():
        named("first")
        second = named("second")
        order.append("look")
        second.load()
        order.append("looked")

    looking()
    assert order == ["look", "second", "looked", "first"]


def test_lists_tuples_and_dicts_of_handles_mixed_with_literals_are_inputs():
    @pipeline
    def collecting():
        total({"a": one(), "b": 5})
        total((one(), 5, [1, 2]))
        total([add(1), {"x": 1}["x"]])

    run = collecting()
    assert [run.steps[name].output.load() for name in ("total", "total_2", "total_3")] == [6, 9, 3]
    assert set(run.steps["total"].inputs) == {"parts['a']"}


def test_after_orders_without_data():
    order = []

    @step
    def note(name: str) -> None:
        order.append(name)

    @pipeline
    def ordered():
        late = note("late", after="early", id="late")
        assert late is not None
        note("early", id="early")

    ordered()
    assert order == ["early", "late"]


def test_a_circle_through_after_is_refused_before_anything_runs():
    @pipeline
    def circle():
        one.with_options()(id="a", after="b")
        one(id="b", after="a")

    with pytest.raises(CallError, match="circle"):
        circle()
    assert runs() == 0


def test_after_an_unknown_name_is_refused():
    @pipeline
    def unknown():
        one(after="nobody")

    with pytest.raises(CallError, match="nobody"):
        unknown()
    assert runs() == 0


def test_an_empty_pipeline_is_refused():
    @pipeline
    def empty():
        pass

    with pytest.raises(CallError, match="calls no step"):
        empty()
    assert runs() == 0


def test_a_pipeline_that_calls_itself_is_refused():
    @pipeline
    def recursive():
        recursive()

    with pytest.raises(CallError, match="calls itself"):
        recursive()


def test_a_pipeline_inside_a_pipeline_adds_its_steps():
    @pipeline
    def inner(n: int):
        return add(n)

    @pipeline
    def outer():
        add(inner(4))

    run = outer()
    assert list(run.steps) == ["add", "add_2"]
    assert run.steps["add_2"].output.load() == 6
    assert runs() == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: add(), CallError, "'a'"),
        (lambda: add(1, c=2), CallError, "'c'"),
        (lambda: add("x"), ParameterError, "a"),
        (lambda: total([lambda: 1]), ParameterError, "ExternalArtifact"),
        (lambda: total({"deep": [1, object()]}), ParameterError, r"parts\['deep'\]\[1\]"),
        (lambda: one(id=""), InvalidName, "empty"),
        (lambda: one(id="a/b"), InvalidName, "/"),
        (lambda: one(id="x" * 300), InvalidName, "300"),
        (lambda: one(id="a\x00b"), InvalidName, "U\\+0000"),
        (lambda: one(after=3), CallError, "after"),
    ],
)
def test_a_bad_call_is_refused_before_anything_runs(call, error, words):
    ran = []

    @step
    def witness() -> int:
        ran.append(1)
        return 1

    @pipeline
    def bad():
        witness()
        call()

    with pytest.raises(error, match=words):
        bad()
    assert runs() == 0
    assert not ran


def test_bad_pipeline_arguments_are_refused():
    @pipeline
    def takes(n: int, extra: Any = None):
        add(n)

    with pytest.raises(CallError, match="'n'"):
        takes()
    with pytest.raises(ParameterError, match="n"):
        takes("many")
    with pytest.raises(CallError, match="'m'"):
        takes(1, m=2)
    with pytest.raises(ParameterError, match="extra"):
        takes(1, extra=lambda: 1)
    assert runs() == 0


def test_bad_definitions_are_refused():
    with pytest.raises(DefinitionError, match="args"):

        @step
        def starred(*args: int) -> int:
            return 1

    with pytest.raises(DefinitionError, match="after"):

        @step
        def taken(after: int) -> int:
            return 1

    with pytest.raises(DefinitionError, match="more than one output named 'x'"):

        @step
        def twins() -> tuple[Annotated[int, "x"], Annotated[int, "x"]]:
            return 1, 2

    with pytest.raises(DefinitionError, match="colour"):
        step(colour="red")(lambda: 1)  # type: ignore[call-overload]


def test_an_unknown_placeholder_is_refused_before_anything_runs():
    @step
    def place() -> Annotated[int, "data_{region}"]:
        return 1

    @pipeline
    def placing():
        place()

    with pytest.raises(InvalidName, match="region"):
        placing()
    assert runs() == 0
    run = placing.with_options(substitutions={"region": "eu"})()
    assert run.steps["place"].outputs["data_{region}"].name == "data_eu" if "data_{region}" in run.steps["place"].outputs else True
    assert Client().get_artifact_version("data_eu").load() == 1


def test_substitutions_are_the_new_ones_even_on_a_hit():

    @step
    def place() -> Annotated[int, "data_{region}"]:
        note(1)
        return 7

    @pipeline
    def placing():
        add(place())

    placing.with_options(substitutions={"region": "eu"})()
    run = placing.with_options(substitutions={"region": "us"})()
    assert len(noted()) == 1
    assert run.steps["place"].status == "cached"
    assert run.steps["place"].output.name == "data_us"
    assert run.steps["add"].status == "cached"
    again = placing.with_options(substitutions={"region": "us"})()
    assert again.steps["place"].output.version == "1"


def test_the_step_wins_over_the_pipeline_in_substitutions():
    @step(substitutions={"who": "step"})
    def place() -> Annotated[int, "by_{who}"]:
        return 1

    @pipeline(substitutions={"who": "pipeline"})
    def placing():
        place()

    placing()
    assert Client().get_artifact_version("by_step").load() == 1


def test_date_and_time_are_those_of_the_runs_start():
    @step
    def place() -> Annotated[int, "at_{date}_{time}"]:
        return 1

    @pipeline
    def placing():
        place()
        place.with_options(enable_cache=False)()

    run = placing()
    expected = f"at_{run.start_time:%Y_%m_%d_%H_%M_%S_%f}"
    assert {each.output.name for each in run.steps.values()} == {expected}


def test_an_artifact_config_names_tags_and_describes():
    @step
    def make() -> Annotated[int, ArtifactConfig(name="made", tags=["x"], run_metadata={"k": 1}, artifact_type="model")]:
        return 5

    @pipeline
    def making():
        make()

    making()
    version = Client().get_artifact_version("made")
    assert (version.version, set(version.tags), version.data_type) == ("1", {"x"}, "model")
    assert version.metadata["k"] == 1


def test_an_explicit_version_that_exists_with_other_bytes_fails_the_step():
    @step
    def make(n: int) -> Annotated[int, ArtifactConfig(name="fixed", version="gold")]:
        return n

    @pipeline
    def making(n: int):
        make(n)

    making(1)
    making(1)
    with pytest.raises(Exception, match="gold"):
        making(2)
    assert Client().get_artifact_version("fixed", "gold").load() == 1
    assert Client().list_pipeline_runs(status="failed").total == 1


class Colour(enum.Enum):
    RED = "r"


@dataclasses.dataclass
class Config:
    depth: int
    rate: float = 0.1


@pytest.mark.parametrize(
    "value",
    [
        1, 1.5, "x", None, True, b"\x00\xff", [1, [2]], (1, 2), {"a": {1: 2}}, {1, 2}, frozenset({3}), math.inf, -0.0,
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.timedelta(seconds=3), uuid.UUID(int=5), Colour.RED, Config(3), Path("a/b"), pytest.param(10**5000, id="huge"),
    ],
)  # fmt: skip
def test_parameters_come_back_as_they_were(value):
    got = []

    @step(enable_cache=False)
    def take(value: Any) -> None:
        got.append(value)

    @pipeline
    def taking(value: Any):
        take(value)

    run = taking(value)
    for each in (got[0], run.parameters["value"], run.steps["take"].parameters["value"]):
        assert type(each) is type(value)
        assert each == value
        assert str(each) == str(value) if not isinstance(value, set | frozenset | int) else True


def test_nan_parameters_hit_the_cache():

    @step
    def take(value: float) -> int:
        note(value)
        return 1

    @pipeline
    def taking(value: float):
        take(value)

    taking(math.nan)
    run = taking(math.nan)
    assert len(noted()) == 1
    assert math.isnan(run.parameters["value"])


def test_equal_looking_parameters_of_different_types_are_different_calls():

    @step
    def take(value: Any) -> int:
        note(value)
        return 1

    @pipeline
    def taking(value: Any):
        take(value)

    for value in (1, 1.0, True, "1", b"1", [1], (1,), None):
        taking(value)
    assert len(noted()) == 8


def test_a_step_that_changes_its_parameter_changes_nobody_elses():
    shared = [1]

    @step
    def change(values: list[int]) -> int:
        values.append(2)
        return len(values)

    @pipeline
    def changing():
        change(shared)
        change(shared, id="again")

    run = changing()
    assert shared == [1]
    assert run.steps["again"].output.load() == 2


def test_a_step_that_changes_its_input_changes_nobody_elses():
    @step
    def change(values: list[int]) -> int:
        values.append(2)
        return len(values)

    @pipeline
    def changing():
        values = numbers()
        change(values)
        change.with_options(enable_cache=False)(values, id="again")

    run = changing()
    assert run.steps["change"].output.load() == run.steps["again"].output.load() == 5
    assert run.steps["numbers"].output.load() == [1, 20, 3, 40]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int, "x"), (int, None), (str, 3), (list[int], ["a"]), (dict, [1])],
)
def test_a_wrong_output_type_fails_the_step_and_stores_nothing(annotation, value):
    def make():
        return value

    make.__annotations__["return"] = annotation
    made = step(make)

    @pipeline
    def making():
        made()

    with pytest.raises(OutputError, match="make"):
        making()
    assert Client().list_artifact_versions().total == 0
    assert Client().list_pipeline_runs(status="failed").total == 1


def test_a_wrong_output_count_fails_the_step():
    @step
    def pair(short: bool) -> tuple[int, int]:
        if short:
            return (1,)  # type: ignore[return-value]
        return 1, 2

    @pipeline
    def pairing():
        pair(True)

    with pytest.raises(OutputError, match="2"):
        pairing()
    assert Client().list_artifact_versions().total == 0


def test_a_wrong_input_type_fails_the_step_that_takes_it():
    @step
    def text() -> str:
        return "x"

    @step
    def increase(n: int) -> int:
        return n + 1

    @pipeline
    def wrong():
        increase(text())

    with pytest.raises(InputError, match="increase"):
        wrong()
    assert Client().list_artifact_versions().total == 1


def test_a_failed_step_fails_the_run_but_independent_branches_end():
    @step
    def boom(n: int) -> int:
        raise ValueError("no luck")

    @pipeline
    def branching():
        n = one()
        total([boom(n)])
        add(n, 5)

    with pytest.raises(ValueError, match="no luck") as caught:
        branching()
    note = "\n".join(caught.value.__notes__)
    assert "'boom'" in note
    assert "'branching'" in note
    run = Client().list_pipeline_runs()[0]
    assert run.status == "failed"
    assert {name: each.status for name, each in run.steps.items()} == {
        "one": "completed",
        "boom": "failed",
        "total": "skipped",
        "add": "completed",
    }
    assert "no luck" in run.steps["boom"].error
    assert run.steps["add"].output.load() == 6


def test_what_finished_before_a_failure_is_a_hit_next_time():

    @step
    def base() -> int:
        note("base")
        return 1

    @step(enable_cache=False)
    def flaky(n: int) -> int:
        note("flaky")
        if flag.exists():
            raise RuntimeError("broken")
        return n

    @pipeline
    def working():
        flaky(base())

    flag = Path("broken.flag")
    flag.touch()
    with pytest.raises(RuntimeError):
        working()
    flag.unlink()
    working()
    assert noted() == ["base", "flaky", "flaky"]


def test_a_version_of_another_pipeline_is_an_input_with_an_edge():
    @step
    def make() -> Annotated[int, "shared"]:
        return 41

    @pipeline
    def first():
        make()

    @pipeline
    def second():
        add(Client().get_artifact_version("shared"))

    first()
    run = second()
    assert run.steps["add"].output.load() == 42
    assert run.steps["add"].inputs["a"].name == "shared"
    made = Client().get_artifact_version("shared")
    assert [each.name for each in made.consumers] == ["add"]
    assert [each.name for each in run.steps["add"].output.upstream()] == ["shared"]
    assert [each.name for each in made.downstream()] == ["second::add::output"]


def test_hits_across_pipelines_give_the_value_under_the_new_name_once():
    @pipeline
    def first():
        add(one())

    @pipeline
    def second():
        add(one())

    first()
    a = second()
    b = second()
    assert [each.status for each in a.steps.values()] == ["cached", "cached"]
    assert a.steps["add"].output.name == "second::add::output"
    assert b.steps["add"].output.id == a.steps["add"].output.id
    assert Client().list_artifact_versions(artifact="second::add::output").total == 1


def test_versions_count_up_and_an_equal_value_shares_its_bytes():
    @step(enable_cache=False)
    def make(n: int) -> Annotated[int, "counted"]:
        return n

    @pipeline
    def making(n: int):
        make(n)

    for n in (1, 2, 2):
        making(n)
    versions = Client().list_artifact_versions(artifact="counted", sort="created")
    assert [each.version for each in versions] == ["1", "2", "3"]
    assert versions[1].digest == versions[2].digest != versions[0].digest


def test_hooks_are_called_after_the_checks():
    heard = []

    @step(on_success=lambda: heard.append("yes"), on_failure=lambda error: heard.append(type(error).__name__))
    def may(good: bool) -> int:
        return 1 if good else "bad"  # type: ignore[return-value]

    @pipeline
    def hooking(good: bool):
        may(good)

    hooking(True)
    with pytest.raises(OutputError):
        hooking(False)
    assert heard == ["yes", "OutputError"]


def test_a_step_without_outputs_runs_each_time():

    @step
    def notify() -> None:
        note(1)

    @pipeline
    def telling():
        notify()

    telling()
    telling()
    assert len(noted()) == 2


def test_retries_try_again():
    from lineal import Retry

    @step(retry=Retry(max_retries=2))
    def flaky() -> int:
        note(1)
        if len(noted()) < 3:
            raise RuntimeError("not yet")
        return len(noted())

    @pipeline
    def trying():
        flaky()

    assert trying().steps["flaky"].output.load() == 3


def test_what_a_step_prints_is_kept_with_carriage_returns_collapsed(capsys):
    @step
    def talk() -> int:
        print("one")
        for n in range(5):
            print(f"\r{n * 25}%", end="")
        print()
        return 1

    @pipeline
    def talking():
        talk()

    run = talking()
    assert run.steps["talk"].logs == "one\n100%\n"
    assert "one" in capsys.readouterr().out


def test_with_options_copies_and_configure_changes_in_place():
    renamed = one.with_options(name="uno")
    assert (renamed.name, one.name) == ("uno", "one")

    @step
    def local() -> int:
        return 1

    local.configure(name="changed")
    assert local.name == "changed"
    with pytest.raises(UsageError, match="colour"):
        local.configure(colour=1)


def test_run_names_have_placeholders():
    @pipeline
    def named():
        one()

    run = named.with_options(run_name="nightly-{date}")()
    assert run.name == f"nightly-{run.start_time:%Y_%m_%d}"
    assert Client().get_pipeline_run(run.name).id == run.id


def test_a_chain_of_two_thousand_steps_needs_no_recursion(monkeypatch):
    monkeypatch.setenv("LINEAL_DURABILITY", "off")

    @pipeline
    def chain():
        n = one()
        for _ in range(2000):
            n = add(n)
        assert n.load() == 2001

    run = chain()
    assert len(run.steps) == 2001
    assert run.steps["add_2000"].output.load() == 2001
    assert len(run.steps["add_2000"].output.upstream()) == 2000
    assert str(run.steps["add_2000"].output.lineage())


def test_the_recorded_plan_has_every_call_also_when_the_body_looked() -> None:
    """A run that was planned as a whole is recorded once with its plan; a body that looks at values adds to it until the end."""

    @step
    def one(x: int = 1) -> int:
        return x + 1

    @pipeline
    def whole() -> None:
        one(one(), after="one")

    @pipeline
    def looks() -> None:
        first = one()
        one(first, after="one") if first.load() == 2 else one()

    @pipeline
    def looks_at_all() -> None:
        one()
        assert one(after="one").load() == 2

    for flow in (whole, looks, looks_at_all):
        stored = Client().get_pipeline_run(flow().id).record.plan
        assert [(each["name"], each["upstream"]) for each in stored] == [("one", []), ("one_2", ["one"])]


@pytest.mark.parametrize("given", [{"settings": {"docker": {}}}, {"model": "churn"}])
def test_what_has_no_effect_is_said(given) -> None:
    """A script written for another system runs, and nobody wonders why its settings do nothing."""

    def nothing() -> None:
        pass

    [name] = given
    for decorator in (step, pipeline):
        with pytest.warns(LinealWarning, match=f"{name} of a {decorator.__name__} .* has no effect") as caught:
            decorator(**given)(nothing)
        assert [each.filename for each in caught] == [__file__]
