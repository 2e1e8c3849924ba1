"""What differs between two versions: values, facts, and what in their lineages differed first."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest

from lineal import Client, pipeline, step
from lineal.errors import PickleRefused, UsageError
from lineal.model.records import FileEntry
from lineal.views import VersionView
from lineal.views.difference import compare_files

SOURCE = """
    from typing import Annotated
    import pandas as pd
    from lineal import pipeline, step

    def scale(x):
        return x * 2

    @step
    def load(rows: int) -> Annotated[pd.DataFrame, "raw"]:
        return pd.DataFrame({"id": range(rows), "x": [float(n) for n in range(rows)]})

    @step
    def clean(raw: pd.DataFrame) -> Annotated[pd.DataFrame, "clean"]:
        return raw.assign(x=raw["x"].map(scale))

    @step
    def train(data: pd.DataFrame, rate: float) -> Annotated[dict[str, float], "model"]:
        return {"weight": float(data["x"].sum()) * rate, "rate": rate}

    @pipeline
    def training(rows: int = 5, rate: float = 1.0) -> None:
        train(clean(load(rows)), rate)
"""


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Give a function that writes the pipeline's file, with a text replaced, and imports it anew."""
    import importlib
    import sys

    monkeypatch.syspath_prepend(Path.cwd())
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(old: str = "", new: str = "") -> ModuleType:
        Path("compared_training.py").write_text(textwrap.dedent(SOURCE).replace(old, new) if old else textwrap.dedent(SOURCE))
        monkeypatch.delitem(sys.modules, "compared_training", raising=False)
        importlib.invalidate_caches()
        return importlib.import_module("compared_training")

    return make


def version(name: str, number: int) -> VersionView:
    return Client().get_artifact_version(name, number)


def lineage(one: VersionView, other: VersionView) -> list[tuple[str, str | None, list[str], list[str]]]:
    found = one.diff(other).to_json()["lineage"]
    return [(each["other"], each["step"], each["because"], each["inputs"]) for each in found]


def test_the_first_parameter_that_differs_is_named(write: Any) -> None:
    """It stands at the top, and what follows from it below."""
    module = write()
    module.training()
    module.training(rows=6)
    assert lineage(version("model", 1), version("model", 2)) == [
        ("raw@2", "load", ["parameter `rows` 5 -> 6"], []),
        ("clean@2", "clean", [], ["raw: raw@1 → raw@2"]),
        ("model@2", "train", [], ["data: clean@1 → clean@2"]),
    ]
    text = str(version("model", 1).diff(version("model", 2)))
    assert "first at raw@1 → raw@2 (step load): parameter `rows` 5 -> 6" in text
    assert "then at clean@1 → clean@2 (step clean): raw: raw@1 → raw@2" in text


def test_the_first_code_that_differs_is_named(write: Any) -> None:
    """By the helper that changed, and the equal input above it is not spoken of."""
    write().training()
    write("x * 2", "x * 3").training()
    found = lineage(version("model", 1), version("model", 2))
    assert [each[:2] for each in found] == [("clean@2", "clean"), ("model@2", "train")]
    assert found[0][2] == ["helper `scale` in `compared_training.py` changed (lines 6-7)"]


def test_a_difference_here_and_one_before_are_both_named(write: Any) -> None:
    """The own parameter, and the input that differs."""
    write().training(rate=0.5)
    write("x * 2", "x * 3").training()
    assert lineage(version("model", 1), version("model", 2))[1] == (
        "model@2", "train", ["parameter `rate` 0.5 -> 1.0"], ["data: clean@1 → clean@2"],
    )  # fmt: skip


@step(enable_cache=False)
def chance() -> Annotated[float, "chance"]:
    return float(np.random.default_rng().random())


@step(enable_cache=False)
def other_chance() -> Annotated[float, "chance"]:
    return float(np.random.default_rng().random())


@step
def two() -> tuple[Annotated[int, "low"], Annotated[int, "high"]]:
    return 1, 2


@pipeline
def gambling() -> None:
    chance()


@pipeline
def other_gambling() -> None:
    other_chance()


@pipeline
def pairing() -> None:
    two()


def test_what_nothing_explains_is_said_to_depend_on_chance_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same code, parameters and inputs, and another value."""
    gambling()
    gambling()
    [found] = lineage(version("chance", 1), version("chance", 2))
    assert found[2] == ["the same code, parameters and inputs gave something else: it depends on chance, or on what is not recorded"]
    monkeypatch.setattr("lineal.engine.run.environment", lambda folder: {"python": "9.9.9", "git_commit": "abc"})
    gambling()
    because = lineage(version("chance", 1), version("chance", 3))[0][2]
    assert "→ 9.9.9" in "".join(because)
    assert any(text.startswith("environment: git commit") and text.endswith("→ abc") for text in because)


def test_versions_of_different_makers_say_who_made_them() -> None:
    """Another step, another output of one run, or no step at all."""
    gambling()
    other_gambling()
    pairing()
    assert lineage(version("chance", 1), version("chance", 2))[0][2] == [
        "made by step chance of pipeline gambling, and by step other_chance of pipeline other_gambling"
    ]
    assert lineage(version("low", 1), version("high", 1))[0][2] == ["both were made by one run of the step, as outputs low and high"]


def test_a_table_is_compared_by_key(write: Any) -> None:
    """Text, HTML and JSON say the same."""
    write().training()
    write("x * 2", "x * 3").training()
    found = version("clean", 1).diff(version("clean", 2), key="id")
    facts = found.to_json()
    assert facts["values"]["kind"] == "table"
    assert facts["values"]["cells"][0] == {"row": "1", "column": "x", "before": "2.0", "after": "3.0"}
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert str(found).startswith("clean@1 → clean@2: 4 changed cells in 1 column, 1 column drifted\n")
    assert "  1    x       2.0     3.0" in str(found)
    assert repr(found) == "<difference clean@1 → clean@2: 4 changed cells in 1 column, 1 column drifted>"
    page = found._repr_html_()
    assert "<td" in page
    assert "changed cells" in page
    with pytest.raises(UsageError, match="no column 'nothing'"):
        version("clean", 1).diff(version("clean", 2), key="nothing")
    with pytest.raises(UsageError, match="these are a dict and a dict"):
        version("model", 1).diff(version("model", 2), key="id")


def test_what_a_value_holds_is_never_markup() -> None:
    """Names and values are escaped."""

    @step
    def speak(text: str) -> Annotated[dict[str, str], "speech"]:
        return {"<b>": text}

    @pipeline
    def speaking(text: str) -> None:
        speak(text)

    speaking("<script>1</script>")
    speaking("\x1b[31m")
    found = version("speech", 1).diff(version("speech", 2))
    assert "<script>" not in found._repr_html_()
    assert "<b>" not in found._repr_html_()
    assert "\x1b" not in str(found)


def test_facts_and_metadata_that_differ_are_listed(write: Any) -> None:
    """And those that are the same are not."""
    module = write()
    module.training()
    module.training(rows=6)
    rows = {row[0]: row[1:] for row in version("raw", 1).diff(version("raw", 2)).parts()[-2].rows}
    assert "digest" in rows
    assert "type" not in rows
    assert any(name.startswith("metadata") for name in rows)


def test_the_same_content_is_the_same_without_loading_it(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions with one digest need no look at the value."""
    write().training()
    monkeypatch.setattr("lineal.artifacts.Artifacts.load", lambda *_: 1 / 0)
    found = version("model", 1).diff(version("model", 1))
    assert found.same
    assert str(found) == "model@1 → model@1: the same content"
    assert found.to_json()["lineage"] == []


def test_what_cannot_be_loaded_is_compared_by_facts_and_lineage(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is said, and the rest is there."""
    module = write()
    module.training()
    module.training(rate=2.0)

    def refuse(*_: object) -> None:
        raise PickleRefused("it was not loaded")

    monkeypatch.setattr("lineal.artifacts.Artifacts.load", refuse)
    found = version("model", 1).diff(version("model", 2))
    assert found.summary == "the content differs; the values were not compared: it was not loaded"
    assert found.to_json()["values"] is None
    assert found.lineage[0].because == ("parameter `rate` 1.0 -> 2.0",)


def test_folders_are_compared_by_their_files_and_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Path by path, whatever their size."""

    @step
    def write_files(n: int) -> Annotated[Path, "files"]:
        folder = Path("out", str(n), "files")
        folder.mkdir(parents=True)
        (folder / "same").write_text("same")
        (folder / "changed").write_text(str(n))
        (folder / f"only{n}").write_text("")
        return folder

    @pipeline
    def writing(n: int) -> None:
        write_files(n)

    writing(1)
    writing(2)
    monkeypatch.setattr("lineal.artifacts.Artifacts.load", lambda *_: 1 / 0)
    found = version("files", 1).diff(version("files", 2))
    assert found.summary == "1 file added, 1 file removed, 1 file changed"
    assert [each["change"] for each in found.to_json()["values"]["files"]] == ["changed", "removed", "added"]


def test_equal_listings_are_the_same() -> None:
    """By digest."""
    files = [FileEntry("a", 1, "x")]
    assert compare_files(files, files).same


def test_values_that_are_equal_in_other_bytes_are_said_to_be_that() -> None:
    """Such as a table with other attributes."""

    @step
    def table(note: str) -> Annotated[pd.DataFrame, "table"]:
        made = pd.DataFrame({"x": [1]})
        made.attrs["note"] = note
        return made

    @pipeline
    def tabling(note: str) -> None:
        table(note)

    tabling("a")
    tabling("b")
    assert (
        version("table", 1).diff(version("table", 2)).summary == "the stored bytes differ, and nothing that is compared of the values does"
    )
