"""`pipeline.plan(...)`: what would run, what is cached and why, without running a step or recording anything."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from lineal import CachePolicy, Client, ExternalArtifact, pipeline, save_artifact, step
from lineal.errors import CallError, HandleError, InvalidName, NoMaterializer, NotFound, ParameterError
from lineal.metadata_store.connections import Connections


def note(name: str) -> None:
    with Path("calls.txt").open("a", encoding="utf-8") as file:
        print(name, file=file)


def calls() -> list[str]:
    path = Path("calls.txt")
    return path.read_text(encoding="utf-8").split() if path.exists() else []


@step
def load(rows: int) -> list[int]:
    note("load")
    return list(range(rows))[:3]


@step
def clean(data: list[int]) -> list[int]:
    note("clean")
    return data


@step
def train(data: list[int], rate: float) -> float:
    note("train")
    return sum(data) * rate


@step
def tell(model: float) -> None:
    note("tell")


@pipeline
def training(rows: int = 5, rate: float = 0.5) -> None:
    train(clean(load(rows)), rate)


def states(plan: Any) -> dict[str, str]:
    return {name: each.state.value for name, each in plan.steps.items()}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def facts(home: Path) -> list[list[Any]]:
    database = sqlite3.connect(home / "lineal.db")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [database.execute(f"SELECT * FROM {name}").fetchall() for name in tables]


# -- what it says


def test_before_the_first_run_every_step_would_run_for_the_first_time() -> None:
    plan = training.plan()
    assert states(plan) == {"load": "runs", "clean": "runs", "train": "runs"}
    assert all(each.why == ("first time",) for each in plan.steps.values())
    assert calls() == []


def test_after_a_run_every_step_is_cached_and_says_from_which_run() -> None:
    run = training()
    plan = training.plan()
    assert states(plan) == {"load": "cached", "clean": "cached", "train": "cached"}
    assert {each.cached_from for each in plan.steps.values()} == {run.name}
    assert str(plan.forecast) == "none of 3 steps would run: every result is there"


def test_the_reasons_are_those_that_why_gives_for_the_run() -> None:
    training()
    planned = training.plan(rate=0.7)
    assert states(planned) == {"load": "cached", "clean": "cached", "train": "runs"}
    assert planned.steps["train"].why[0] == "parameter `rate` 0.5 -> 0.7"
    run = training(rate=0.7)
    said = {name: [sentence.removeprefix("ran: ") for sentence in each.why] for name, each in run.steps.items()}
    assert {name: list(each.why) for name, each in planned.steps.items()} == said


def test_a_step_after_one_that_would_run_depends_on_what_that_gives() -> None:
    """It may give what it gave before, and then the other is cached after all: here it does."""
    training()
    plan = training.plan(rows=7)
    assert states(plan) == {"load": "runs", "clean": "depends", "train": "depends"}
    assert (plan.steps["clean"].depends_on, plan.steps["train"].depends_on) == (("load",), ("clean",))
    assert plan.steps["clean"].why == ("it runs unless `load` gives what it has worked on before",)
    assert [each.status.value for each in training(rows=7).steps.values()] == ["completed", "cached", "cached"]


def test_of_a_step_that_depends_is_said_what_else_is_new() -> None:
    training()
    why = training.plan(rows=7, rate=0.7).steps["train"].why
    assert why[0] == "it runs unless `clean` gives what it has worked on before"
    assert why[1] == "parameter `rate` 0.5 -> 0.7"


def test_a_step_whose_code_was_never_recorded_runs_whatever_comes_in() -> None:
    training()

    @step(name="clean")
    def better(data: list[int]) -> list[int]:
        return data[::-1]

    @pipeline(name="training")
    def edited(rows: int) -> None:
        train(better(load(rows)), 0.5)

    plan = edited.plan(7)
    assert states(plan) == {"load": "runs", "clean": "runs", "train": "depends"}
    assert any("`clean`" in each for each in plan.steps["clean"].why)
    assert not any("input" in each for each in plan.steps["clean"].why)  # of what is not known nothing is said


def test_the_same_call_twice_runs_once() -> None:
    @pipeline
    def twice() -> None:
        load(3)
        load(3)

    plan = twice.plan()
    assert states(plan) == {"load": "runs", "load_2": "depends"}
    assert plan.steps["load_2"].why[0] == "`load` is the same call: its result is taken"
    assert [each.status.value for each in twice().steps.values()] == ["completed", "cached"]


def test_a_step_that_is_never_cached_runs_also_when_its_input_is_not_known() -> None:
    @pipeline
    def telling(rows: int) -> None:
        tell(train(clean(load(rows)), 1.0))

    telling(3)
    assert states(telling.plan(3))["tell"] == "runs"
    plan = telling.plan(5)
    assert states(plan) == {"load": "runs", "clean": "depends", "train": "depends", "tell": "runs"}
    assert plan.steps["tell"].why[0].startswith("caching is off for this step")
    assert (plan.forecast.runs, plan.forecast.may_run) == (2, 2)


def test_expired_and_lost_results_are_said() -> None:
    @step(cache_policy=CachePolicy(expires_after=0))
    def fresh() -> int:
        return 1

    @step
    def array() -> np.ndarray:
        return np.arange(9000.0)

    @pipeline
    def flow() -> None:
        fresh()
        array()

    version = flow().steps["array"].output
    version.path.parent.chmod(0o755)
    version.path.unlink()
    plan = flow.plan()
    assert states(plan) == {"fresh": "runs", "array": "runs"}
    assert "older than the cache policy allows" in plan.steps["fresh"].why[0]
    assert "its stored bytes were lost" in plan.steps["array"].why[0]


def test_an_input_that_does_not_count_leaves_a_step_cached() -> None:
    @step(cache_policy=CachePolicy(ignored_inputs=["data"]))
    def constant(data: list[int]) -> int:
        return 1

    @pipeline
    def flow(rows: int) -> None:
        constant(load(rows))

    flow(3)
    assert states(flow.plan(4)) == {"load": "runs", "constant": "cached"}
    assert [each.status.value for each in flow(4).steps.values()] == ["completed", "cached"]


def test_ids_of_versions_that_are_not_made_yet_are_new_ones() -> None:
    @step(cache_policy=CachePolicy(include_artifact_ids=True))
    def by_id(data: list[int]) -> int:
        return len(data)

    @step
    def named(rows: int) -> Annotated[list[int], "named_{time}"]:
        return list(range(rows))

    @pipeline
    def flow() -> None:
        by_id(named(3))

    flow()
    assert states(flow.plan()) == {"named": "cached", "by_id": "runs"}
    assert [each.status.value for each in flow().steps.values()] == ["cached", "completed"]


def test_a_policy_that_looks_at_files_depends_on_the_steps_before_that_run() -> None:
    Path("table.csv").write_text("1", encoding="utf-8")

    @step(enable_cache=True)
    def write(text: str) -> None:
        Path("table.csv").write_text(text, encoding="utf-8")

    @step(cache_policy=CachePolicy(file_dependencies=["table.csv"]))
    def read() -> str:
        return Path("table.csv").read_text(encoding="utf-8")

    @pipeline
    def flow(text: str) -> None:
        read(after=write(text))

    flow("1")
    assert states(flow.plan("1")) == {"write": "cached", "read": "cached"}
    plan = flow.plan("2")
    assert states(plan) == {"write": "runs", "read": "depends"}
    assert plan.steps["read"].why[0] == "`write` would or may run before it, and may change what its cache policy looks at"
    assert flow("2").steps["read"].output.load() == "2"


def test_a_cache_func_is_asked_when_it_can_be() -> None:
    def size(data: list[int]) -> int:
        return len(data)

    @step(cache_policy=CachePolicy(cache_func=size))
    def counted(data: list[int]) -> int:
        return len(data)

    @pipeline
    def flow(rows: int) -> None:
        counted(load(rows))

    flow(3)
    assert states(flow.plan(3)) == {"load": "cached", "counted": "cached"}
    assert states(flow.plan(5)) == {"load": "runs", "counted": "depends"}


def test_a_cache_func_that_raises_fails_its_step_and_no_other() -> None:
    def broken() -> str:
        raise ValueError("no network\nat all")

    @step(cache_policy=CachePolicy(cache_func=broken))
    def fetch() -> int:
        return 1

    @pipeline
    def flow() -> None:
        clean([1])
        train(fetch(), 1.0)  # type: ignore[arg-type]

    plan = flow.plan()
    assert states(plan) == {"clean": "runs", "fetch": "fails", "train": "runs"}
    assert plan.steps["fetch"].why == ("its cache policy raises ValueError: no network",)


# -- values from outside


def test_values_from_outside_are_compared_and_not_stored(lineal_home: Path) -> None:
    @step
    def total(table: Any, names: list[str]) -> float:
        return float(np.sum(table))

    @pipeline
    def flow(size: int) -> None:
        total(ExternalArtifact(np.arange(float(size))), ExternalArtifact(["a"]))

    flow(9000)
    before = files(lineal_home / "store"), facts(lineal_home)
    assert states(flow.plan(9000)) == {"total": "cached"}
    plan = flow.plan(9001)
    assert states(plan) == {"total": "runs"}
    assert plan.steps["total"].why[0].startswith("input `table` changed (v1 -> new)")
    assert (files(lineal_home / "store"), facts(lineal_home)) == before


def test_a_version_that_is_gone_is_an_error_as_in_a_run() -> None:
    save_artifact([1], "numbers")
    version = Client().get_artifact_version("numbers")
    save_artifact([2], "numbers")
    Client().prune_artifacts("numbers", only_artifact=True, keep_last=1)
    gone = Client().get_artifact_version(str(version.id))

    @pipeline
    def flow() -> None:
        clean(gone)  # type: ignore[arg-type]

    with pytest.raises(NotFound, match="numbers@1, which the pipeline was given, was deleted or pruned"):
        flow.plan()


# -- the body


def test_a_body_that_looks_at_cached_values_goes_on() -> None:
    @pipeline
    def careful(rows: int) -> None:
        data = load(rows)
        if len(data.load()) > 2:  # type: ignore[attr-defined]
            train(data, 1.0)

    careful(3)
    careful(2)
    assert states(careful.plan(3)) == {"load": "cached", "train": "cached"}
    assert states(careful.plan(2)) == {"load": "cached"}
    assert careful.plan(3).stopped_at is None


def test_a_body_that_looks_at_a_value_that_is_not_there_ends_the_plan() -> None:
    reached = []

    @pipeline
    def careful(rows: int) -> None:
        data = clean(load(rows))
        try:
            value = data.load()  # type: ignore[attr-defined]
        except Exception:
            reached.append("a wrong branch")
        reached.append(value)
        train(data, 1.0)

    plan = careful.plan(3)
    assert states(plan) == {"load": "runs", "clean": "runs"}
    assert plan.stopped_at == "clean.output"
    assert "clean.output, which is not there yet, so what follows is not planned" in str(plan)
    assert (reached, calls()) == ([], [])


def test_pipelines_in_pipelines_and_order_without_data_are_planned() -> None:
    @pipeline
    def outer() -> None:
        tell(1.0, after="load")
        training(3)

    plan = outer.plan()
    assert states(plan) == {"tell": "runs", "load": "runs", "clean": "runs", "train": "runs"}
    assert plan.steps["tell"].upstream == ("load",)


def test_a_plan_made_inside_of_a_body_leaves_the_run_alone() -> None:
    seen = []

    @pipeline
    def outer() -> None:
        seen.append(states(training.plan()))
        load(3)

    assert list(outer().steps) == ["load"]
    assert seen == [{"load": "runs", "clean": "runs", "train": "runs"}]


# -- nothing is recorded, and wrong calls are refused


def test_nothing_is_recorded(lineal_home: Path) -> None:
    training()
    before = files(lineal_home / "store"), facts(lineal_home), sorted(path.name for path in lineal_home.iterdir())
    for arguments in ({}, {"rows": 9}, {"rate": 9.0}):
        training.plan(**arguments)
    assert (files(lineal_home / "store"), facts(lineal_home), sorted(path.name for path in lineal_home.iterdir())) == before
    assert calls() == ["load", "clean", "train"]


def test_what_a_run_refuses_a_plan_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    @pipeline
    def empty() -> None:
        pass

    @pipeline
    def unknown_order() -> None:
        load(1, after="nobody")  # type: ignore[call-arg]

    @pipeline
    def branching() -> None:
        if load(1):
            load(2)

    class Odd:
        pass

    @step
    def odd() -> Odd:
        return Odd()

    @pipeline
    def pickled() -> None:
        odd()

    for refused, error in ((empty, CallError), (unknown_order, CallError), (branching, HandleError)):
        with pytest.raises(error):
            refused.plan()
    with pytest.raises(InvalidName, match="unknown placeholder"):
        training.with_options(run_name="{nothing}").plan()
    with pytest.raises(ParameterError):
        training.plan(rows="many")  # type: ignore[arg-type]
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")
    with pytest.raises(NoMaterializer, match="nothing was run"):
        pickled.plan()


# -- what it costs


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    seen: list[str] = []
    open_ = Connections._open

    def traced(self: Connections) -> sqlite3.Connection:
        connection = open_(self)
        connection.set_trace_callback(seen.append)
        return connection

    monkeypatch.setattr(Connections, "_open", traced)

    def count(action: Callable[[], object]) -> int:
        seen.clear()
        action()
        return len(seen)

    return count


@step
def add(n: int, salt: int) -> int:
    return n + 1


@pipeline
def chain(start: int, length: int, salt: int = 0) -> None:
    for _ in range(length):
        start = add(start, salt)


def test_a_plan_takes_one_statement_for_each_step(statements: Callable[[Callable[[], object]], int]) -> None:
    """Cached or not; and a few more, however many steps there are."""
    chain(0, 20)
    for salt in (0, 1):
        short, long = (statements(lambda length=length, salt=salt: chain.plan(0, length, salt)) for length in (5, 20))
        assert long - short <= 15
        assert short <= 5 + 5


def test_a_plan_of_many_steps_is_quick_to_ask_for(statements: Callable[[Callable[[], object]], int]) -> None:
    """Steps that only depend on others share their code, and its look-up."""
    chain(0, 3)
    assert statements(lambda: chain.plan(7, 50)) <= 6
