"""`run.resume()`: what has finished is given again, what failed or changed runs, with the parameters of before."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import ArtifactConfig, CachePolicy, Client, ExternalArtifact, pipeline, save_artifact, step
from lineal.errors import LinealWarning, NotFound, UsageError
from lineal.views import RunView


def note(name: str) -> None:
    with Path("calls.txt").open("a", encoding="utf-8") as file:
        print(name, file=file)


def calls() -> list[str]:
    path = Path("calls.txt")
    return path.read_text(encoding="utf-8").split() if path.exists() else []


@dataclass
class Config:
    rate: float = 0.5
    tags: set[str] = field(default_factory=set)


@step
def load(rows: int) -> list[int]:
    note("load")
    return list(range(rows))


@step(enable_cache=False)
def query(data: list[int]) -> Annotated[list[int], "rows"]:
    note("query")
    return data[::-1]


@step(cache_policy=CachePolicy(expires_after=0))
def fetch() -> int:
    note("fetch")
    return 7


@step
def tell(data: list[int]) -> None:
    note("tell")


@step
def train(data: list[int], number: int, config: Config) -> float:
    note("train")
    if not Path("ok").exists():
        raise ValueError("not yet")
    return sum(data) * config.rate + number


@step
def wrap(value: Any) -> list[Any]:
    note("wrap")
    if not Path("ok").exists():
        raise ValueError("not yet")
    return [value]


@pipeline
def training(config: Config, rows: int = 3) -> None:
    data = query(load(rows))
    tell(data)
    train(data, fetch(), config)


@pipeline
def wrapping(value: Any) -> None:
    wrap(value)


@step
def named(rows: int) -> Annotated[int, ArtifactConfig(name="size_{region}")]:
    if not Path("ok").exists():
        raise ValueError("not yet")
    return rows


@pipeline
def naming() -> None:
    named(3)


def failed(flow: Any, *args: Any, **kwargs: Any) -> RunView:
    with pytest.raises(ValueError, match="not yet"):
        flow(*args, **kwargs)
    return Client().get_pipeline_run("latest")


def states(run: RunView) -> dict[str, str]:
    return {name: str(each.status) for name, each in run.steps.items()}


def test_a_plain_second_run_after_a_failure_takes_what_has_finished_from_the_cache() -> None:
    failed(training, Config())
    Path("ok").touch()
    run = training(Config())
    assert states(run) == {"load": "cached", "query": "completed", "tell": "completed", "fetch": "completed", "train": "completed"}


def test_resuming_runs_only_what_failed() -> None:
    """Not what is never cached, nor what has expired, nor what is run for what it does: all of that has finished in this very run."""
    run = failed(training, Config(2.0, {"a", "b"}), rows=4)
    again = failed(run.resume)
    Path("ok").touch()
    last = again.resume()
    assert states(last) == {"load": "cached", "query": "cached", "tell": "cached", "fetch": "cached", "train": "completed"}
    assert last.parameters == {"config": Config(2.0, {"a", "b"}), "rows": 4}
    assert last.steps["train"].output.load() == 6 * 2.0 + 7
    assert calls() == ["load", "query", "tell", "fetch", "train", "train", "train"]
    assert last.environment["resumes"] == again.name
    query_from = last.steps["query"].cached_from
    assert query_from is not None
    assert query_from.run.name == run.name
    assert last.steps["query"].why[0].startswith("cached from run training-")
    assert Client().get_artifact_version("rows").version == "1"


def test_what_changed_since_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = failed(training, Config())
    Path("ok").touch()

    @step(enable_cache=False, name="query")
    def better(data: list[int]) -> Annotated[list[int], "rows"]:
        note("better")
        return [*data, 5]

    monkeypatch.setitem(globals(), "query", better)
    assert states(run.resume()) == {"load": "cached", "query": "completed", "tell": "completed", "fetch": "cached", "train": "completed"}


@step(enable_cache=False)
def text() -> str:
    note("text")
    return "x" * 50_000


@pipeline
def texts() -> None:
    wrap(text())


def test_bytes_that_are_lost_are_made_again() -> None:
    run = failed(texts)
    Path("ok").touch()
    file = run.steps["text"].output.path
    file.parent.chmod(0o755)
    file.unlink()
    resumed = run.resume()
    assert states(resumed) == {"text": "completed", "wrap": "completed"}
    assert "stored bytes were lost" in resumed.steps["text"].why[0]


@pytest.mark.parametrize(
    "value", [{"$artifact": "rows@1"}, {"$external": "list"}, {"a": (1, 2.0, None)}, float("inf"), {1, 2}, b"\x00", Config(0.1, {"x"})]
)
def test_parameters_are_given_exactly_as_they_were(value: Any) -> None:
    run = failed(wrapping, value)
    Path("ok").touch()
    found = run.resume().steps["wrap"].output.load()[0]
    assert (found, type(found)) == (value, type(value))


@pipeline
def late(value: Any) -> None:
    wrap(value, id="last", after=wrap(1))  # type: ignore[call-arg]


def test_a_version_is_given_again_and_one_that_is_gone_is_said() -> None:
    save_artifact([1, 2], "numbers")
    version = Client().get_artifact_version("numbers")
    save_artifact([3], "numbers")
    run = failed(late, version)
    Path("ok").touch()
    assert run.resume().steps["last"].output.load() == [[1, 2]]
    Path("ok").unlink()
    run = failed(late.with_options(enable_cache=False), Client().get_artifact_version("numbers"))
    Client().delete_artifact_version("numbers", 2)
    with pytest.raises(NotFound, match=r"the parameter 'value' of run late-.* was numbers@2, which is gone"):
        run.resume()


def test_what_cannot_be_given_again_is_said() -> None:
    run = failed(wrapping, ExternalArtifact([1]))
    with pytest.raises(UsageError, match=r"the parameter 'value' of run wrapping-.* was an ExternalArtifact, which is not kept"):
        run.resume()


def test_a_parameter_that_the_pipeline_has_no_more_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    run = failed(training, Config())

    @pipeline(name="training")
    def changed(config: Config) -> None:
        train([1], 2, config)

    monkeypatch.setitem(globals(), "training", changed)
    with pytest.raises(UsageError, match=r"'rows' of run training-.* is no parameter of the pipeline 'training' any more"):
        run.resume()


def test_options_of_this_run_hold_again_as_far_as_they_are_plain() -> None:
    run = failed(naming.with_options(substitutions={"region": "eu"}, run_name="{region}-{time}", on_failure=note))
    Path("ok").touch()
    with pytest.warns(LinealWarning, match=r"was given options that are not kept, and goes on without them: on_failure"):
        resumed = run.resume()
    assert resumed.name.startswith("eu-")
    assert resumed.steps["named"].outputs["size_{region}"].name == "size_eu"


def test_only_what_did_not_succeed_is_resumed() -> None:
    Path("ok").touch()
    run = training(Config())
    with pytest.raises(UsageError, match="has completed, so there is nothing to resume"):
        run.resume()
    with pytest.raises(UsageError, match="has completed"):
        Client().resume_pipeline_run(run.name)
