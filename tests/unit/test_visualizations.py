"""Visualizations from a step to a person: made when a value is saved, switched off at every level, shown anywhere."""

import json
import sys
import types
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest

from lineal import Client, pipeline, step
from lineal.errors import LinealWarning
from lineal.materializers.base import BytesMaterializer
from lineal.materializers.registry import register_materializer
from lineal.saving import save_artifact
from lineal.types import CSVString, HTMLString, JSONString, MarkdownString, Visualization

TEXTS = {"html": HTMLString("<p>hi"), "markdown": MarkdownString("# hi"), "csv": CSVString("a\n1"), "json": JSONString("[1]")}


@step
def make_frame(rows: int = 3) -> Annotated[pd.DataFrame, "frame"]:
    return pd.DataFrame({"a": np.arange(rows, dtype=np.float64), "b": ["x"] * rows})


@step
def make_texts() -> tuple[
    Annotated[HTMLString, "html"], Annotated[MarkdownString, "markdown"], Annotated[CSVString, "csv"], Annotated[JSONString, "json"]
]:
    return TEXTS["html"], TEXTS["markdown"], TEXTS["csv"], TEXTS["json"]


@pipeline
def frames(rows: int = 3) -> None:
    make_frame(rows)


@pipeline
def texts() -> None:
    make_texts()


def newest(name: str = "frame") -> Any:
    return Client().get_artifact_version(name)


def test_a_version_lists_its_visualizations_with_kind_content_and_title() -> None:
    frames()
    [shown] = newest().visualizations
    assert (shown.kind, shown.title) == ("html", "Table")
    assert "3 rows" in shown.content


def test_visualizations_are_loaded_lazily_with_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    frames()
    version = newest()
    asked: list[str] = []
    store = type(version.workspace.metadata)
    whole = store.visualizations
    monkeypatch.setattr(store, "visualizations", lambda self, uid: asked.append(uid) or whole(self, uid))
    assert asked == []
    assert version.visualizations is version.visualizations
    assert asked == [version.record.id]


@pytest.mark.parametrize("level", ["step", "pipeline", "call", "run", "setting"])
def test_visualizations_are_switched_off_at_each_level(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    off = {"enable_artifact_visualization": False}
    made = make_frame.with_options(**off) if level == "step" else make_frame

    @pipeline(**off if level == "pipeline" else {})
    def body() -> None:
        (made.with_options(**off) if level == "call" else made)(4)

    if level == "setting":
        monkeypatch.setenv("LINEAL_VISUALIZATIONS", "off")
    (body.with_options(**off) if level == "run" else body)()
    assert newest().visualizations == []
    assert newest().metadata["shape"] == [4, 2]


def test_what_a_step_says_beats_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_VISUALIZATIONS", "off")

    @pipeline
    def body() -> None:
        make_frame.with_options(enable_artifact_visualization=True)(4)

    body()
    assert len(newest().visualizations) == 1


@pytest.mark.parametrize("kind", TEXTS)
def test_text_types_come_back_exactly_and_are_their_own_visualization(kind: str) -> None:
    texts()
    version = newest(kind)
    assert type(version.load()) is type(TEXTS[kind])
    assert version.load() == TEXTS[kind]
    assert [(each.kind, each.content) for each in version.visualizations] == [(kind, str(TEXTS[kind]))]
    assert version.materializer == f"text.{kind}/1"


@pytest.mark.parametrize("value", [5, "text", {"accuracy": 0.9}, [1, [2]], b"\0\1", None, np.float64(0.5)])
def test_what_is_stored_as_a_person_reads_it_stores_no_visualization_and_has_one(value: Any) -> None:
    version = save_artifact(value, "plain")
    assert version.workspace.metadata.visualizations(version.record.id) is None
    assert len(version.visualizations) == 1


def test_a_custom_visualization_is_kept_and_a_failing_one_fails_nothing() -> None:
    class Thing(dict):
        pass

    class ThingMaterializer(BytesMaterializer):
        id = "tests.seen_thing/1"

        def dumps(self, value: Thing) -> bytes:
            return json.dumps(value).encode()

        def loads(self, data: bytes, type_: Any) -> Thing:
            return Thing(json.loads(data))

        def visualize(self, value: Thing) -> Any:
            yield Visualization("markdown", "# One", "First")
            raise RuntimeError("no second")

    register_materializer(ThingMaterializer, Thing)

    @step
    def make_thing() -> Annotated[Thing, "thing"]:
        return Thing(a=1)

    @pipeline
    def things() -> None:
        make_thing()

    with pytest.warns(
        LinealWarning, match=r"no visualization of output 'thing'.*tests.seen_thing/1 raised RuntimeError: no second; 1 made"
    ):
        run = things()
    assert run.status == "completed"
    assert newest("thing").visualizations == [Visualization("markdown", "# One", "First")]
    assert newest("thing").load() == {"a": 1}


def test_a_cached_result_under_another_name_has_its_visualizations() -> None:
    @step
    def make(day: str = "x") -> Annotated[pd.DataFrame, "frame-{day}"]:
        return pd.DataFrame({"a": [1]})

    @pipeline
    def daily() -> None:
        make()

    daily.with_options(substitutions={"day": "monday"})()
    daily.with_options(substitutions={"day": "tuesday"})()
    first, second = newest("frame-monday"), newest("frame-tuesday")
    assert second.run.steps["make"].status == "cached"
    assert first.visualizations == second.visualizations != []


@pytest.mark.parametrize("durability", ["step", "run", "off"])
def test_visualizations_are_kept_under_every_durability(durability: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_DURABILITY", durability)
    matrix = np.arange(2400.0).reshape(40, 60)

    @step
    def make() -> Annotated[np.ndarray, "matrix"]:
        return matrix

    @pipeline
    def arrays() -> None:
        make()

    arrays()
    assert [each.kind for each in newest("matrix").visualizations] == ["html", "image"]
    companion = newest("matrix").workspace.metadata.visualizations(newest("matrix").record.id)
    assert (companion.object.boot is None) is (durability != "off")


def test_a_worker_process_visualizes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")
    frames(5)
    assert "5 rows" in newest().visualizations[0].content


def test_what_was_saved_outside_of_steps_is_visualized() -> None:
    version = save_artifact(pd.DataFrame({"a": [1]}), "outside")
    assert [each.title for each in version.visualizations] == ["Table"]
    assert save_artifact(pd.DataFrame({"a": [2]}), "outside", include_visualizations=False).visualizations == []


def test_in_a_terminal_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    frames()
    newest().visualize()
    printed = capsys.readouterr().out
    assert printed.startswith("frame@1\n3 rows")
    assert "float64" in printed
    newest().visualize(title="My table")
    assert capsys.readouterr().out.startswith("My table\n")


def test_what_cannot_be_printed_is_named_with_the_command_that_opens_it(capsys: pytest.CaptureFixture[str]) -> None:
    version = save_artifact(HTMLString("<script>1</script>"), "my page")
    version.visualize()
    assert "to see it: lineal artifact visualize 'my page@1' --open" in capsys.readouterr().out


def test_in_a_notebook_it_is_displayed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    module, inner = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    module.get_ipython = lambda: types.SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    inner.display = lambda bundle, raw: shown.append(bundle)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", inner)
    frames()
    newest().visualize()
    assert "frame@1" in shown[0]["text/html"]
    assert "3 rows" in shown[1]["text/html"]


def test_as_files(tmp_path: Path) -> None:
    frames()
    index = newest().visualize_to(tmp_path / "shown")
    assert [path.name for path in sorted(index.parent.iterdir())] == ["0.html", "index.html"]
    assert "3 rows" in index.read_text(encoding="utf-8")


def test_a_hostile_value_does_no_harm_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A17: column names, values and index labels with markup and escape sequences."""
    hostile = '<img src=x onerror="alert(1)">\x1b]0;x\x07'
    version = save_artifact(pd.DataFrame({hostile: [hostile]}, index=pd.Index([hostile], name=hostile)), "hostile")
    page = version.visualize_to(tmp_path / "shown").read_text(encoding="utf-8")
    assert "<img" not in page
    version.visualize()
    assert not {"\x1b", "\x07"} & set(capsys.readouterr().out)


@pytest.mark.parametrize("only_artifact", [True, False])
def test_visualizations_and_their_bytes_go_when_the_data_is_pruned(only_artifact: bool) -> None:
    version = save_artifact(np.arange(2400.0).reshape(40, 60), "matrix")
    store = version.workspace.artifact_store
    assert len(list(store.digests())) == 2
    Client().prune_artifacts(only_artifact=only_artifact)
    assert list(store.digests()) == []
    assert version.workspace.metadata.visualizations(version.record.id) is None
    if only_artifact:
        assert newest_of_any_state("matrix").visualizations == []


def newest_of_any_state(name: str) -> Any:
    return Client().get_artifact_version(name, "1")
