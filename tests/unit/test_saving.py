"""`save_artifact`, `load_artifact` and `ExternalArtifact`, outside and inside of steps, in this process and in worker processes."""

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import (
    ArtifactConfig,
    BytesMaterializer,
    Client,
    ExternalArtifact,
    Materializer,
    load_artifact,
    log_metadata,
    pipeline,
    register_materializer,
    save_artifact,
    step,
)
from lineal.errors import (
    DefinitionError,
    InputError,
    InvalidName,
    MaterializerError,
    NoMaterializer,
    NotFound,
    ParameterError,
    UsageError,
    VersionExists,
)
from lineal.materializers.registry import registry


class Upper(BytesMaterializer):
    """Saves text in capitals, so that it shows who saved it."""

    id = "tests.Upper/1"
    types = (str,)

    def dumps(self, value: str) -> bytes:
        return value.upper().encode()

    def loads(self, data: bytes, type_: Any) -> str:
        return data.decode()


@pytest.fixture(params=["local", "processes"])
def orchestrator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run steps in this process, and in worker processes."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", request.param)
    yield request.param
    if request.param == "processes":
        from lineal.workspace import open_workspace

        open_workspace()._workers().shutdown(cancel_futures=True)


def count_versions() -> int:
    return Client().list_artifact_versions().total


# -- save and load, in any script


@pytest.mark.parametrize("value", [1, "text", [1, (2, {3})], {"a": None}, b"\x00" * 100_000, Path("file.txt")])
def test_the_same_materializers_as_in_a_step_in_any_script(value: object):
    """What a script saves is stored as a step's output is, and is there at once."""
    Path("file.txt").write_text("content")

    @step
    def give() -> Annotated[object, "made"]:
        return value

    @pipeline
    def giving():
        give()

    giving()
    saved = save_artifact(value, "saved")
    made = Client().get_artifact_version("made")
    assert (saved.digest, saved.materializer, saved.type) == (made.digest, made.materializer, made.type)
    assert (saved.name, saved.version, saved.save_type, saved.step, saved.run) == ("saved", "1", "manual", None, None)
    back = load_artifact("saved")
    assert back == value or back.read_text() == "content"
    assert type(back) is type(value)


def test_everything_that_is_said_of_a_version_is_kept():
    """Version, kind, tags and metadata; numbers go on."""
    version = save_artifact([1], "numbers", "gold", "statistics", ["a", "b"], {"rows": 1})
    assert (version.version, version.data_type, version.tags) == ("gold", "statistics", ["a", "b"])
    assert version.metadata["rows"] == 1
    assert save_artifact([2], "numbers", tags="single").tags == ["single"]
    assert [save_artifact([n], "numbers").version for n in range(2)] == ["2", "3"]
    assert "length" not in save_artifact([1], "bare", extract_metadata=False).metadata


def test_the_same_explicit_version_again_changes_nothing_and_other_content_is_refused():
    """By number or by name."""
    for version in (7, "v1"):
        first = save_artifact("x", "model", version)
        assert save_artifact("x", "model", version).id == first.id
        with pytest.raises(VersionExists, match=r"exists with other content .*choose another version"):
            save_artifact("y", "model", version)
    assert save_artifact("y", "model").version == "8"


def test_a_materializer_can_be_given_as_class_or_instance():
    """And what was saved is loaded by the materializer recorded with it."""
    for given in (Upper, Upper()):
        assert save_artifact("loud", "text", materializer=given).materializer == "tests.Upper/1"
        assert load_artifact("text") == "LOUD"
    with pytest.raises(UsageError, match="a materializer is a subclass"):
        save_artifact("x", "text", materializer=str)


def test_a_registered_materializer_is_used_everywhere(monkeypatch: pytest.MonkeyPatch):
    """`register_materializer`, `Materializer` and `BytesMaterializer` are names of the front door."""

    class Thing:
        pass

    class Folder(Materializer):
        id = "tests.Thing/1"

        def save(self, value: Thing, folder: Path) -> None:
            (folder / "thing").touch()

        def load(self, folder: Path, type_: Any) -> Thing:
            return Thing()

    register_materializer(Folder, Thing)
    try:
        assert save_artifact(Thing(), "thing").materializer == "tests.Thing/1"
        assert isinstance(load_artifact("thing"), Thing)
    finally:
        registry._types.pop(Thing)
        registry._changed()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": "../x"}, InvalidName, "artifact name '../x' is not allowed"),
        ({"name": "latest"}, InvalidName, "reserved"),
        ({"version": "01"}, InvalidName, "leading zeros"),
        ({"version": "latest"}, InvalidName, "reserved"),
        ({"artifact_type": "picture"}, UsageError, "must be one of data, model, schema, statistics, service; got 'picture'"),
        ({"tags": [""]}, InvalidName, "tag"),
        ({"user_metadata": {"f": len}}, UsageError, "metadata of artifact 'a'"),
        ({"user_metadata": {"big": "x" * 10_000_000}}, UsageError, "takes more than 1,048,576 bytes"),
    ],
)
def test_what_is_said_is_checked_before_anything_is_written(lineal_home: Path, arguments: dict[str, Any], error: type, message: str):
    """Nothing half is kept."""
    with pytest.raises(error, match=message):
        save_artifact(b"x" * 100_000, **{"name": "a", **arguments})
    assert count_versions() == 0
    assert not list((lineal_home / "store").glob("objects/*/*"))


def test_a_failed_save_keeps_nothing_and_gives_the_value_back(monkeypatch: pytest.MonkeyPatch):
    """On the exception that is raised."""
    monkeypatch.setenv("LINEAL_PICKLE", "forbid")
    value = threading.Lock()
    with pytest.raises(NoMaterializer, match=r"artifact 'lock' is a _thread\.lock"):
        save_artifact(value, "lock")
    monkeypatch.setenv("LINEAL_PICKLE", "own")
    with pytest.raises(MaterializerError) as caught:
        save_artifact(value, "lock")
    assert caught.value.value is value
    assert count_versions() == 0


# -- finding


def test_get_artifact_version_in_every_form():
    """UUID, name, or id prefix; version as str or int; None or "latest" is the newest."""
    first, second = save_artifact(1, "number"), save_artifact(2, "number")
    named = save_artifact(3, "number", "v1.0")
    get = Client().get_artifact_version
    assert get("number").id == get("number", None).id == get("number", "latest").id == named.id
    assert get("number", 1) == get("number", "1") == get(first.id) == get(str(first.id)) == get(str(first.id)[:23]) == first
    assert get("number", "v1.0") == named
    assert load_artifact(second.id) == load_artifact(str(second.id)) == load_artifact("number", 2) == load_artifact("number", "2") == 2
    assert load_artifact("number") == load_artifact("number", "latest") == 3


def test_a_name_is_only_ever_a_name():
    """Also one that looks like an id, or like the beginning of another name."""
    version = save_artifact(1, "numbers")
    prefix = str(version.id)[:8]
    assert save_artifact("other", prefix).load() == load_artifact(prefix) == "other"
    for missing in ("number", "number*", "NUMBERS"):
        with pytest.raises(NotFound):
            load_artifact(missing)


def test_a_name_is_the_same_however_it_was_typed():
    """An accent as a letter of its own, as some systems write it, makes no other name."""
    save_artifact(1, "re\u0301sume\u0301")
    assert load_artifact("r\u00e9sum\u00e9") == load_artifact("re\u0301sume\u0301") == load_artifact("re\u0301sume\u0301", 1) == 1


def test_what_is_missing_names_the_closest_names():
    """As a KeyError that can be read."""
    save_artifact(1, "training_data")
    for wrong in ("trainingdata", "training_dat", "training data"):
        with pytest.raises(KeyError, match="training_data"):
            load_artifact(wrong)
    with pytest.raises(NotFound, match="has no version '9'; the newest is '1'"):
        load_artifact("training_data", 9)
    with pytest.raises(NotFound):
        load_artifact(uuid.uuid4())


# -- inside a step


@step(enable_cache=False)
def busy(rounds: int) -> Annotated[int, "total"]:
    total = 0
    for n in range(rounds):
        total += load_artifact("start")
        saved = save_artifact({"round": n}, "rounds", tags=["side"])
        assert saved.load() == {"round": n}
        assert load_artifact("rounds") == {"round": n}
    total += Client().get_artifact_version("other", 1).load()
    log_metadata({"seen": True}, artifact_name="rounds")
    return total


@step
def after(total: int) -> Annotated[int, "final"]:
    return total + len(Client().list_artifact_versions("rounds"))


@pipeline
def working(rounds: int):
    after(busy(rounds))


def test_inside_a_step_what_is_loaded_and_saved_is_recorded_as_further_inputs_and_outputs(orchestrator: str):
    """With edges in both directions, under names that no argument and no output can have; usable at once."""
    start, other = save_artifact(10, "start"), save_artifact(5, "other")
    run = working(2)
    done = run.steps["busy"]
    assert {name: version.id for name, version in done.inputs.items()} == {"start@1": start.id, "other@1": other.id}
    assert list(done.outputs) == ["total", "rounds@1", "rounds@2"]
    assert done.output.load() == 25
    assert run.steps["after"].output.load() == 27
    saved = Client().get_artifact_version("rounds", 2)
    assert (saved.step.name, saved.run.name, saved.tags, saved.metadata["seen"]) == ("busy", run.name, ["side"], True)
    assert {each.name for each in saved.upstream()} == {"start", "other"}
    assert {each.name for each in start.downstream()} >= {"rounds", "total", "final"}
    assert [each.name for each in start.consumers] == ["busy"]


def test_the_edge_of_a_load_knows_its_kind_and_each_version_counts_once(orchestrator: str):
    """Loaded by its own doing, however often; the argument that it has too is another input."""
    start = save_artifact(10, "start")

    @step
    def twice(given: int) -> int:
        version = Client().get_artifact_version("start")
        return given + version.load() + version.data + load_artifact("start")

    @pipeline
    def loading():
        twice(Client().get_artifact_version("start"))

    run = loading()
    assert run.steps["twice"].output.load() == 40
    assert {name: version.id for name, version in run.steps["twice"].inputs.items()} == {"given": start.id, "start@1": start.id}


def test_what_a_failed_step_saved_stays(orchestrator: str):
    """It was acknowledged; its maker is the failed step run."""

    @step
    def failing() -> int:
        save_artifact([1, 2], "partial")
        raise ValueError("no luck")

    @pipeline
    def broken():
        failing()

    with pytest.raises(ValueError, match="no luck"):
        broken()
    version = Client().get_artifact_version("partial")
    assert version.load() == [1, 2]
    assert version.step.status == "failed"
    assert list(version.step.outputs) == ["partial@1"]


def test_what_a_cached_step_saved_is_no_part_of_the_cached_call():
    """It is not saved again, and does not come up among the outputs of the run that used the cache."""

    @step
    def saving(x: int) -> int:
        save_artifact(x, "inner")
        return x

    @pipeline
    def once(x: int):
        saving(x)

    once(1)
    again = once(1)
    assert again.steps["saving"].status == "cached"
    assert list(again.steps["saving"].outputs) == ["output"]
    assert Client().list_artifact_versions("inner").total == 1


def test_an_explicit_version_saved_by_a_step_again_is_given_again():
    """Same content: no new version, and the step still has it among its outputs."""

    @step(enable_cache=False)
    def release() -> None:
        save_artifact("x", "release", "1.0")

    @pipeline
    def releasing():
        release()

    releasing()
    run = releasing()
    assert list(run.steps["release"].outputs) == ["release@1.0"]
    assert Client().list_artifact_versions("release").total == 1


def test_a_step_saves_into_the_store_of_its_run_wherever_it_goes(orchestrator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also after it has changed into a folder with a store of its own."""
    (tmp_path / "elsewhere/.lineal").mkdir(parents=True)
    folder = str(tmp_path / "elsewhere")

    @step
    def roaming(folder: str) -> int:
        import os

        home = Path.cwd()
        os.chdir(folder)
        os.environ["LINEAL_HOME"] = folder
        try:
            save_artifact(1, "found")
        finally:
            os.chdir(home)
        return 1

    @pipeline
    def travelling(folder: str):
        roaming(folder)

    monkeypatch.setenv("LINEAL_HOME", home := str(tmp_path / "home"))
    run = travelling(folder)
    monkeypatch.setenv("LINEAL_HOME", home)
    assert list(run.steps["roaming"].outputs) == ["output", "found@1"]
    assert Client().get_artifact_version("found").load() == 1


@pytest.mark.parametrize("durability", ["step", "run", "off"])
def test_what_is_saved_outside_of_a_run_is_as_durable_as_can_be_asked_for(durability: str, monkeypatch: pytest.MonkeyPatch):
    """With durability `run` there is no end of a run to wait for."""
    monkeypatch.setenv("LINEAL_DURABILITY", durability)
    version = save_artifact(b"x" * 100_000, "bytes")
    assert (version.record.object.boot is None) is (durability != "off")
    assert (Client().get_artifact_version("bytes").record.object.boot is None) is (durability != "off")


# -- external artifacts


@step
def total(parts: list[int], factor: int = 1) -> int:
    return sum(parts) * factor


@pipeline
def totals(parts: Any, factor: int = 1):
    total(parts, factor)


def test_an_external_artifact_is_stored_by_content_so_the_second_run_hits(orchestrator: str):
    """Once, when the pipeline runs; the input edge is recorded; other content is another version and a miss."""
    first = totals(ExternalArtifact([1, 2]))
    version = first.steps["total"].inputs["parts"]
    assert (version.name, version.version, version.save_type, version.load()) == ("totals::total.parts", "1", "external", [1, 2])
    assert [each.run.name for each in version.consumers] == [first.name]
    second = totals(ExternalArtifact([1, 2]))
    assert second.steps["total"].status == "cached"
    assert second.steps["total"].inputs["parts"].id == version.id
    third = totals(ExternalArtifact([1, 3]))
    assert third.steps["total"].status == "completed"
    assert third.steps["total"].inputs["parts"].version == "2"
    assert totals(ExternalArtifact([1, 2])).steps["total"].status == "cached"
    assert third.parameters["parts"] == {"$external": "list"}


def test_the_same_external_artifact_given_twice_is_one():
    """In one argument and in several."""
    shared = ExternalArtifact([1])

    @step
    def lengths(parts: dict[str, Any], more: list[int]) -> int:
        return sum(map(len, parts.values())) + len(more)

    @pipeline
    def sharing():
        lengths({"a": shared, "b": ExternalArtifact([2, 3]), "c": shared}, shared)
        lengths({"a": shared, "b": [4]}, [5])

    run = sharing()
    assert run.steps["lengths"].output.load() == 5
    names = {name: str(version.name) for name, version in run.steps["lengths"].inputs.items()}
    assert names == {
        "parts['a']": "sharing::lengths.parts.0",
        "parts['b']": "sharing::lengths.parts.1",
        "parts['c']": "sharing::lengths.parts.0",
        "more": "sharing::lengths.parts.0",
    }
    assert count_versions() == 4


def test_nothing_is_stored_when_a_later_check_of_the_call_fails(lineal_home: Path):
    """Before anything ran, nothing is kept, and no run is recorded."""

    @pipeline
    def wrong():
        total(ExternalArtifact(list(range(100_000))))
        total([1], object())

    with pytest.raises(ParameterError):
        wrong()

    @pipeline
    def unsaveable():
        total(ExternalArtifact([1, 2]))
        total(ExternalArtifact(threading.Lock()))

    with pytest.raises(MaterializerError) as caught:
        unsaveable()
    assert "the external artifact for 'parts' of step 'total_2' of pipeline 'unsaveable'" in str(caught.value)
    assert count_versions() == 0
    assert Client().list_pipeline_runs().total == 0
    assert not list((lineal_home / "store").glob("objects/*/*"))


def test_an_external_artifact_is_stored_when_the_pipeline_runs_not_when_it_is_made():
    """What it holds by then counts."""
    value = [1]
    external = ExternalArtifact(value)
    assert count_versions() == 0
    value.append(2)
    assert totals(external).steps["total"].output.load() == 3
    value.append(3)
    assert totals(external).steps["total"].output.load() == 6


def test_an_external_artifact_is_checked_like_any_input_and_private_to_the_step():
    """Against the annotation; and a step that changes it changes nobody else's."""

    @step
    def spoil(parts: list[int]) -> int:
        parts.append(100)
        return len(parts)

    @pipeline
    def spoiling(parts: Any):
        spoil(parts)

    value = [1]
    assert spoiling(ExternalArtifact(value)).steps["spoil"].output.load() == 2
    assert value == [1]
    with pytest.raises(InputError, match="'parts'"):
        totals(ExternalArtifact("text"))


def test_an_external_artifact_can_have_a_materializer_and_plain_calls_take_its_value():
    """As steps are tested like functions."""

    @step
    def echo(text: str) -> str:
        return text

    @pipeline
    def echoing():
        echo(ExternalArtifact("quiet", materializer=Upper))

    run = echoing()
    assert run.steps["echo"].output.load() == "QUIET"
    assert run.steps["echo"].inputs["text"].materializer == "tests.Upper/1"
    assert total(ExternalArtifact([1, 2]), 2) == 6


def test_what_is_an_artifact_already_is_refused():
    """With the way to do it."""
    version = save_artifact([1], "x")
    for what in (version, ExternalArtifact(1)):
        with pytest.raises(UsageError, match="is an artifact already; pass it"):
            ExternalArtifact(what)
    with pytest.raises(UsageError, match="stands for an artifact"):
        save_artifact(ExternalArtifact(1), "y")

    @pipeline
    def mixing():
        save_artifact(total([1]), "handle")

    with pytest.raises(UsageError, match=r"stands for an artifact and is no value; save what its load\(\) gives"):
        mixing()


def test_an_external_artifact_reads_well():
    """In messages, without its value."""
    assert repr(ExternalArtifact([1] * 1000)) == "<external artifact, a list>"


# -- ArtifactConfig


def test_an_artifact_config_says_everything_about_a_version(orchestrator: str):
    """Name, version, tags, metadata and kind."""

    @step
    def model() -> Annotated[int, ArtifactConfig(name="m", version="v1", tags=["a"], run_metadata={"x": [1, None]}, artifact_type="model")]:
        return 3

    @pipeline
    def training():
        model()

    version = training().steps["model"].outputs["m"]
    assert (version.name, version.version, version.tags, version.data_type) == ("m", "v1", ["a"], "model")
    assert version.metadata["x"] == [1, None]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"artifact_type": "picture"}, "unknown artifact_type"),
        ({"tags": "daily"}, "must have a list of tags"),
        ({"tags": [1]}, "a tag must be a str"),
        ({"run_metadata": {"f": len}}, "metadata cannot hold"),
        ({"version": "0"}, "versions count from 1"),
        ({"name": "a/b"}, "not allowed"),
    ],
)
def test_an_artifact_config_is_checked_when_the_step_is_defined(config: dict[str, Any], message: str):
    """Not when its first long run has ended."""
    with pytest.raises(DefinitionError, match=message):

        @step
        def model() -> Annotated[int, ArtifactConfig(**config)]:
            return 3
