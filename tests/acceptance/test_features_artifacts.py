"""What is promised of artifacts and versions, sentence by sentence, through the public names only.

More is proven elsewhere:

- the client's get, list, update and delete: tests/unit/test_client.py::test_versions_are_filtered,
  tests/unit/test_client.py::test_runs_are_filtered, tests/unit/test_client.py::test_a_page_knows_how_many_there_are
- progress while a folder is hashed: tests/unit/engine/test_bar.py::test_lines_where_there_is_no_terminal
- copies that are gone when the process ends: tests/unit/test_registering.py::test_copies_are_gone_when_the_process_ends
- copies by reflink: tests/unit/test_registering.py::test_a_copy_lies_beside_the_store_when_only_there_blocks_can_be_shared
"""

import datetime as dt
import json
import os
import subprocess
import sys
import unicodedata
import uuid
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest

from lineal import (
    Client,
    ExternalArtifact,
    add_tags,
    get_step_context,
    load_artifact,
    log_metadata,
    pipeline,
    register_artifact,
    remove_tags,
    save_artifact,
    step,
)
from lineal.engine.bar import ReadingBar
from lineal.errors import (
    ArtifactCorrupted,
    DataChanged,
    InvalidName,
    LinealError,
    NotFound,
    PathNotFound,
    UsageError,
    VersionExists,
)


@step
def numbers(count: int) -> Annotated[list[int], "numbers"]:
    return list(range(count))


@step
def total(values: Any) -> Annotated[int, "total"]:
    return int(sum(values))


@pipeline
def adding(count: int) -> None:
    total(numbers(count))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with files at two depths."""
    root = tmp_path / "given" / "images"
    (root / "deep/er").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "deep/er/b.txt").write_text("bb")
    return root


# -- finding


@pytest.mark.parametrize("version", [2, "2", None, "latest"])
def test_a_version_is_found_by_name_and_version(version: Any) -> None:
    """As text or number; None and "latest" are the newest."""
    save_artifact(1, "n")
    newest = save_artifact(2, "n")
    assert Client().get_artifact_version("n", version) == newest
    assert Client().get_artifact_version("n", 1).load() == 1


def test_a_version_is_found_by_its_id_and_by_the_beginning_of_it() -> None:
    """UUID, text of it, and a prefix."""
    saved = save_artifact(1, "n")
    for given in (saved.id, str(saved.id), str(saved.id)[:18]):
        assert Client().get_artifact_version(given) == saved


def test_a_name_is_only_ever_a_name() -> None:
    """An artifact that is called as another version's id is found by that name; a version of a name is never taken for an id."""
    first = save_artifact("first", "plain")
    second = save_artifact("second", str(first.id))
    assert Client().get_artifact_version(str(first.id)) == second
    with pytest.raises(NotFound):
        Client().get_artifact_version("plain", str(first.id))


def test_what_is_missing_is_a_key_error_with_the_closest_names() -> None:
    """For a name and for a version."""
    save_artifact(1, "weights")
    with pytest.raises(KeyError, match="did you mean 'weights'"):
        Client().get_artifact_version("weigths")
    with pytest.raises(KeyError, match="weights"):
        Client().get_artifact_version("weights", 7)


# -- a version


def test_a_version_has_its_facts() -> None:
    """`id, name, version, uri, type, digest, size, data_type, materializer, save_type, created, tags, metadata, visualizations, pinned`."""
    before = dt.datetime.now(dt.UTC)
    version = save_artifact(np.arange(4), "grid", tags=["x"], user_metadata={"k": 1})
    assert isinstance(version.id, uuid.UUID)
    assert (version.name, version.version, version.type, version.data_type) == ("grid", "1", "numpy.ndarray", "data")
    assert (version.save_type, version.tags, version.pinned) == ("manual", ["x"], False)
    assert version.materializer.startswith("numpy")
    assert len(version.digest) == 64
    assert version.size > 32
    assert version.uri
    assert before <= version.created <= dt.datetime.now(dt.UTC)
    assert (version.metadata["k"], version.metadata["shape"]) == (1, [4])
    assert [each.kind for each in version.visualizations] == ["html"]


def test_a_version_loads_its_value_and_keeps_it_as_data() -> None:
    """`load()` gives a private value each time, `data` one that this view keeps."""
    version = save_artifact([1, 2], "n")
    version.load().append(3)
    assert version.load() == [1, 2]
    assert version.data == [1, 2]
    assert version.data is version.data


def test_a_version_is_downloaded_at_any_depth(folder: Path, tmp_path: Path) -> None:
    """`download(path)` copies all files, makes the folder, and refuses to overwrite."""
    version = register_artifact(folder, "images")
    target = version.download(tmp_path / "new" / "place")
    assert (target / "images/deep/er/b.txt").read_text() == "bb"
    with pytest.raises(UsageError):
        version.download(target)


def test_a_version_names_its_files_and_their_place() -> None:
    """`files` with path and size; `path` is the place itself, read-only."""
    version = save_artifact(np.arange(50_000.0), "grid")
    assert [(each.path, each.size) for each in version.files] == [("data.npy", version.size)]
    assert np.array_equal(np.load(version.path), np.arange(50_000.0))
    assert not version.path.stat().st_mode & 0o222


def test_a_version_shows_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """`visualize()` prints in a terminal."""
    save_artifact(pd.DataFrame({"a": [1, 2]}), "table").visualize()
    assert "table@1" in capsys.readouterr().out


def test_a_version_knows_its_step_its_run_and_its_consumers() -> None:
    """`consumers` has each step run that used it, of any pipeline."""
    run = adding(4)

    @pipeline
    def other() -> None:
        total.with_options(enable_cache=False)(Client().get_artifact_version("numbers"))

    later = other()
    version = Client().get_artifact_version("numbers")
    assert (version.step.name, version.run) == ("numbers", run)  # type: ignore[union-attr]
    assert [(each.name, each.run) for each in version.consumers] == [("total", run), ("total", later)]


def test_a_version_leads_up_and_down_its_lineage() -> None:
    """`upstream()`, `downstream()`, and `lineage()`, a graph that shows itself in a notebook, as text and as JSON."""
    adding(4)
    source, result = Client().get_artifact_version("numbers"), Client().get_artifact_version("total")
    assert result.upstream() == [source]
    assert source.downstream() == [result]
    graph = result.lineage()
    assert str(graph).splitlines()[0].startswith("total@1 (int")
    assert "numbers@1" in str(graph)
    assert "numbers@1" in graph._repr_html_()
    assert {each["name"] for each in json.loads(json.dumps(graph.to_json()))["versions"]} == {"numbers", "total"}


def test_two_versions_are_compared() -> None:
    """`a.diff(b)` says what differs, in value, facts and lineage."""
    adding(3)
    adding(4)
    text = str(Client().get_artifact_version("numbers", 1).diff(Client().get_artifact_version("numbers", 2)))
    assert "numbers@1" in text
    assert "numbers@2" in text
    assert "count" in text, "the parameter that changed first"


def test_a_version_is_an_input_like_any_other_also_across_pipelines() -> None:
    """The edge is recorded."""
    adding(3)

    @step
    def first(parts: list[list[int]]) -> int:
        return len(parts)

    @pipeline
    def another() -> None:
        first([Client().get_artifact_version("numbers"), [1]])

    done = another()
    assert done.steps["first"].output.load() == 2
    assert [(name, each.name) for name, each in done.steps["first"].inputs.items()] == [("parts[0]", "numbers")]


def test_inside_a_step_loads_and_saves_are_recorded() -> None:
    """`load_artifact`, `get_artifact_version(...).load()` and `save_artifact` are further inputs and outputs."""
    save_artifact(1, "a")
    save_artifact(2, "b")

    @step
    def busy() -> int:
        value = load_artifact("a") + Client().get_artifact_version("b").load()
        save_artifact(value, "c")
        return int(value)

    @pipeline
    def working() -> None:
        busy()

    done = working().steps["busy"]
    assert list(done.inputs) == ["a@1", "b@1"]
    assert list(done.outputs) == ["output", "c@1"]
    assert {each.name for each in Client().get_artifact_version("c").upstream()} == {"a", "b"}


# -- saving and loading


def test_save_artifact_takes_all_that_can_be_said() -> None:
    """Name, version, kind, tags, metadata; the same version again with other content is refused, with the same it is the same."""
    said: Any = {"version": "v1", "artifact_type": "statistics", "tags": ["x", "y"], "user_metadata": {"by": "hand"}}
    version = save_artifact({"a": 1}, "facts", **said)
    assert (version.version, version.data_type, version.tags, version.metadata["by"]) == ("v1", "statistics", ["x", "y"], "hand")
    assert save_artifact({"a": 1}, "facts", "v1") == version
    with pytest.raises(VersionExists, match="v1"):
        save_artifact({"a": 2}, "facts", "v1")
    assert load_artifact("facts", "v1") == {"a": 1}


def test_a_script_saves_with_the_same_materializers_as_a_step() -> None:
    """A new process that only saves stores a table in the same bytes as a step does."""

    @step
    def table() -> Annotated[pd.DataFrame, "by_step"]:
        return pd.DataFrame({"a": [1, 2], "b": ["x", None]})

    @pipeline
    def making() -> None:
        table()

    making()
    script = (
        "import pandas as pd\nfrom lineal import save_artifact\nsave_artifact(pd.DataFrame({'a': [1, 2], 'b': ['x', None]}), 'by_script')"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    first, second = Client().get_artifact_version("by_step"), Client().get_artifact_version("by_script")
    assert (first.digest, first.materializer) == (second.digest, second.materializer)


def test_an_external_artifact_is_stored_by_content() -> None:
    """Positional; the second run with equal content is a hit."""

    @step
    def rows(frame: pd.DataFrame) -> int:
        return len(frame)

    @pipeline
    def counting(frame: pd.DataFrame) -> None:
        rows(frame)

    assert counting(ExternalArtifact(pd.DataFrame({"a": [1, 2]}))).steps["rows"].status == "completed"
    again = counting(ExternalArtifact(pd.DataFrame({"a": [1, 2]})))
    assert again.steps["rows"].status == "cached"
    assert again.steps["rows"].inputs["frame"].save_type == "external"


# -- registering


@pytest.mark.parametrize("mode", ["reference", "copy"])
def test_any_file_or_folder_is_registered(folder: Path, mode: Any) -> None:
    """Path or `file://` URL, with version, kind, tags and metadata; by reference its place is the place itself."""
    version = register_artifact(
        f"file://{folder}", "images", version="v1", artifact_type="model", tags=["t"], artifact_metadata={"k": 1}, mode=mode
    )
    assert (version.version, version.data_type, version.tags, version.save_type) == ("v1", "model", ["t"], "registered")
    assert (version.metadata["k"], version.metadata["files"]) == (1, 2)
    assert (version.path == folder) is (mode == "reference")
    assert (version.path / "deep/er/b.txt").read_text() == "bb"


def test_what_is_registered_must_exist() -> None:
    """A FileNotFoundError that names the path; nothing is recorded."""
    with pytest.raises(FileNotFoundError, match="nowhere"):
        register_artifact("nowhere", "images")
    assert issubclass(PathNotFound, LinealError)
    assert Client().list_artifact_versions().total == 0


def test_links_that_lead_outside_fifos_and_devices_are_refused_with_a_list(folder: Path) -> None:
    """All of them in one error, and nothing is recorded."""
    (folder / "out").symlink_to(folder.parent)
    (folder / "null").symlink_to("/dev/null")
    os.mkfifo(folder / "pipe")
    with pytest.raises(UsageError, match=r"3 things") as caught:
        register_artifact(folder, "images")
    for name in ("out", "null", "pipe"):
        assert name in str(caught.value)
    assert Client().list_artifact_versions().total == 0


def test_a_registered_folder_loads_as_a_private_copy_under_its_own_name(folder: Path) -> None:
    """A `pathlib.Path`, writable; what is changed there changes nothing else."""
    version = register_artifact(folder, "images")
    loaded = version.load()
    assert isinstance(loaded, Path)
    assert loaded.name == "images"
    (loaded / "a.txt").write_text("changed")
    assert (folder / "a.txt").read_text() == "a"
    assert (version.load() / "a.txt").read_text() == "a"


def test_a_private_copy_is_cleaned_up_when_the_step_ends(folder: Path) -> None:
    """What a step loads is gone after it."""
    register_artifact(folder, "images")

    @step
    def look(images: Path) -> str:
        assert (images / "a.txt").exists()
        return str(images)

    @pipeline
    def looking() -> None:
        look(Client().get_artifact_version("images"))

    assert not Path(looking().steps["look"].output.load()).exists()


def test_registered_data_that_changed_is_noticed(folder: Path) -> None:
    """Loading says which file differs and what to do."""
    version = register_artifact(folder, "images")
    (folder / "a.txt").write_text("other and longer")
    with pytest.raises(ArtifactCorrupted, match=r"a\.txt"):
        version.load()


# -- metadata, tags, contexts


def test_metadata_is_logged_on_versions_steps_and_runs() -> None:
    """Numbers, text, booleans, datetimes, lists and dicts, as they were."""
    facts = {"n": 1, "x": 0.5, "s": "text", "b": True, "at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "l": [1, "a"], "d": {"k": None}}

    @step
    def made() -> Annotated[int, "made"]:
        log_metadata(facts)
        log_metadata(facts, infer_artifact=True)
        return 1

    @pipeline
    def making() -> None:
        made()

    run = making()
    log_metadata(facts, run=run.name)
    log_metadata({"later": 2}, artifact_name="made")
    version = Client().get_artifact_version("made")
    assert run.steps["made"].metadata == facts
    assert run.refresh().metadata == facts
    assert {key: version.metadata[key] for key in (*facts, "later")} == {**facts, "later": 2}


def test_metadata_that_cannot_be_held_is_refused_with_its_path() -> None:
    """And metadata of 10 MB, too: it belongs into an artifact."""
    save_artifact(1, "n")
    with pytest.raises(UsageError, match=r"\['deep'\]\[1\]"):
        log_metadata({"key": {"deep": [1, object()]}}, artifact_name="n")
    with pytest.raises(UsageError, match="more than 1,048,576 bytes at key 'key'"):
        log_metadata({"key": "x" * 10_000_000}, artifact_name="n")
    assert "key" not in Client().get_artifact_version("n").metadata


def test_metadata_is_queried_with_typed_comparisons() -> None:
    """`metadata="accuracy > 0.9 and split == 'test'"`: a number is never text."""
    for accuracy, split in ((0.95, "test"), (0.8, "test"), (0.99, "train"), ("0.97", "test")):
        save_artifact(0, "model", user_metadata={"accuracy": accuracy, "split": split})
    found = Client().list_artifact_versions("model", metadata="accuracy > 0.9 and split == 'test'")
    assert [each.version for each in found] == ["1"]


def test_tags_come_and_go_and_one_version_holds_an_exclusive_one() -> None:
    """`add_tags`, `remove_tags`, `exclusive=True`."""
    for _ in range(2):
        save_artifact(1, "model")
        add_tags("production", artifact_name="model", exclusive=True)
    add_tags(["a", "b"], artifact_name="model")
    remove_tags("a", artifact_name="model")
    add_tags("forest", artifact="model")
    assert [each.name for each in Client().list_artifacts(tags="forest")] == ["model"], "of the artifact itself"
    assert Client().get_artifact_version("model", 1).tags == []
    assert Client().get_artifact_version("model", 2).tags == ["production", "b"]


def test_a_step_knows_its_context() -> None:
    """`get_step_context()` names run, pipeline, step and the artifacts of the outputs."""
    seen: list[Any] = []

    @step(enable_cache=False)
    def looking() -> Annotated[int, "seen"]:
        context = get_step_context()
        seen.append((context.run_name, context.run_id, context.pipeline, context.step_name, dict(context.outputs)))
        return 1

    @pipeline
    def working() -> None:
        looking()

    run = working()
    assert seen == [(run.name, str(run.id), "working", "looking", {"seen": "seen"})]
    with pytest.raises(UsageError):
        get_step_context()


# -- the client


def test_lists_page_sort_and_filter() -> None:
    """`tags=`, `name=`, `created=`, `metadata=`; `total` counts all that fit."""
    for n in range(5):
        save_artifact(n, f"n{n % 2}", tags=["even" if n % 2 == 0 else "odd"], user_metadata={"n": n})
    client = Client()
    page = client.list_artifact_versions(sort="created", limit=2, offset=1)
    assert ([each.load() for each in page], page.total) == ([1, 2], 5)
    assert [each.load() for each in client.list_artifact_versions(name="n*", tags="odd")] == [3, 1]
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    yesterday = f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=1):%Y-%m-%d}"
    assert client.list_artifact_versions(created=f">{yesterday}", metadata="n >= 3").total == 2
    assert client.list_artifact_versions(created=f"2020-01-01..{yesterday}").total == 0
    assert today > yesterday
    assert [each.name for each in client.list_artifacts(sort="name")] == ["n0", "n1"]


def test_an_unknown_field_is_an_error_that_names_the_known_ones() -> None:
    """As a filter and as what to sort by."""
    for call in (
        lambda: Client().list_artifact_versions(colour="red"),
        lambda: Client().list_pipeline_runs(colour="red"),
        lambda: Client().list_artifacts(sort="colour"),
    ):
        with pytest.raises(UsageError, match=r"colour.*name"):
            call()


def test_the_store_of_the_active_stack_is_a_real_folder() -> None:
    """`Client().active_stack.artifact_store.path`: frameworks write their checkpoints below it, and these are registered."""
    path = Path(Client().active_stack.artifact_store.path) / "checkpoints"
    path.mkdir(parents=True)
    (path / "weights.bin").write_text("w")
    assert (register_artifact(path, "checkpoints").load() / "weights.bin").read_text() == "w"


# -- bad input


NAMES = [
    "", ".", "..", "../x", "a/b", "a\\b", "-x", ".hidden", "CON", "nul.txt", "x" * 300, "a\nb", "a\u202eb", "a\u200bb", "x.", "x ", " x", "%2e%2e",
    "a\x00b", "{nobody}",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_bad_name_is_refused_with_the_reason_before_anything_is_written(name: str, folder: Path) -> None:
    """In every way in: save, register, output names."""
    for call in (lambda: save_artifact(1, name), lambda: register_artifact(folder, name)):
        with pytest.raises(InvalidName, match=r"not allowed|empty|brace|placeholder"):
            call()
    assert Client().list_artifact_versions().total == 0


@pytest.mark.parametrize("name", ["größe", "数据", "a b", "run::step::out", "v1.2-rc+3"])
def test_a_good_name_is_taken(name: str) -> None:
    """Letters of any script; a name that was typed in another form is the same."""
    save_artifact(1, unicodedata.normalize("NFD", name))
    assert Client().get_artifact_version(name).load() == 1


def test_a_file_that_changes_while_it_is_hashed_is_not_registered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DataChanged error that names it."""
    monkeypatch.setattr(ReadingBar, "begin", lambda self, files, size: (folder / "a.txt").write_text("b"))
    with pytest.raises(DataChanged, match=r"a\.txt"):
        register_artifact(folder, "images")
    assert Client().list_artifact_versions().total == 0
