"""What is promised of visualizations, sentence by sentence, through the public names only.

Shown in a notebook that is executed for real: tests/acceptance/test_notebook.py::test_a_table_is_shown_below_its_cell_as_part_of_the_page,
tests/acceptance/test_notebook.py::test_arrays_figures_models_and_text_are_shown_below_their_cells. That what is shown can do no harm:
tests/unit/test_visualizations.py::test_a_hostile_value_does_no_harm_anywhere. That a gigabyte costs milliseconds is a figure of `make bench`;
here the sample's bound is held.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from lineal import Client, Materializer, pipeline, save_artifact, step
from lineal.errors import LinealWarning
from lineal.types import CSVString, HTMLString, JSONString, MarkdownString, Visualization


def frame(rows: int) -> pd.DataFrame:
    """A table of numbers and words, with something missing."""
    chance = np.random.default_rng(0)
    return pd.DataFrame(
        {"size": chance.normal(size=rows), "word": chance.choice(["a", "b"], rows), "gap": np.where(np.arange(rows) % 4 == 0, np.nan, 1.0)}
    )


def test_in_a_terminal_it_prints_what_can_be_printed_and_names_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    """A table as a table; a picture by the command that opens it."""
    save_artifact(frame(20), "table").visualize()
    assert "20 rows" in capsys.readouterr().out
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    save_artifact(figure, "figure").visualize()
    assert "lineal artifact visualize figure@1 --open" in capsys.readouterr().out


def test_the_title_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    """`visualize(title=)`; else it is name and version."""
    version = save_artifact(MarkdownString("# x"), "note")
    version.visualize(title="What came of it")
    assert capsys.readouterr().out.startswith("What came of it\n")
    version.visualize()
    assert capsys.readouterr().out.startswith("note@1\n")


class Shown:
    """A value with a visualization of each kind."""


class ShownMaterializer(Materializer):
    id = "test.Shown/1"
    types = (Shown,)

    def save(self, value: Shown, folder: Path) -> None:
        (folder / "shown.txt").write_text("shown")

    def load(self, folder: Path, type_: Any) -> Shown:
        return Shown()

    def visualize(self, value: Shown) -> Iterator[Visualization]:
        for kind, content in KINDS.items():
            yield Visualization(kind, content, f"as {kind}")  # type: ignore[arg-type]


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
KINDS = {"html": "<b>x</b>", "image": PNG, "csv": "a,b\n1,2\n", "markdown": "# x", "json": '{"a": 1}'}


def test_visualizations_list_kind_and_content() -> None:
    """Html, image, csv, markdown, json."""
    version = save_artifact(Shown(), "shown", materializer=ShownMaterializer)
    assert {each.kind: each.content for each in version.visualizations} == KINDS
    assert [each.title for each in version.visualizations] == [f"as {kind}" for kind in KINDS]


@pytest.mark.parametrize("cls", [HTMLString, MarkdownString, CSVString, JSONString])
def test_the_text_types_are_their_own_visualization(cls: type[str]) -> None:
    """The content is the text."""
    text = '{"a": 1}' if cls is JSONString else "a,b\n1,2\n"
    [visualization] = save_artifact(cls(text), "text").visualizations
    assert visualization.content == text


def test_they_are_made_when_the_value_is_saved() -> None:
    """They are there after the source is gone, without loading the value."""
    version = save_artifact(frame(50), "table")
    Client().prune_artifacts(only_artifact=False, dry_run=True)
    assert [(each.kind, each.title) for each in Client().get_artifact_version(version.id).visualizations] == [("html", "Table")]


def test_they_are_made_from_a_bounded_sample() -> None:
    """Of a long table a sample is looked at, which is said, and what is kept is as small as for a short one."""
    long, short = (save_artifact(frame(rows), "table").visualizations[0].content for rows in (400_000, 2_000))
    assert "sample" in str(long)
    assert "400,000 rows" in str(long)
    assert len(long) < 2 * len(short) < 200_000


@pytest.mark.parametrize("level", ["step", "pipeline", "call", "run", "save", "setting"])
def test_they_are_switched_off_at_each_level(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step, pipeline, call, run, one `save_artifact`, and the setting."""
    off = {"enable_artifact_visualization": False}

    @step(**(off if level == "step" else {}))
    def table() -> Annotated[np.ndarray, "table"]:
        return np.arange(9.0)

    @pipeline(**(off if level == "pipeline" else {}))
    def showing() -> None:
        (table.with_options(**off) if level == "call" else table)()

    if level == "setting":
        monkeypatch.setenv("LINEAL_VISUALIZATIONS", "off")
    if level == "save":
        save_artifact(np.arange(9.0), "table", include_visualizations=False)
    else:
        (showing.with_options(**off) if level == "run" else showing)()
    assert Client().get_artifact_version("table").visualizations == []


class Broken(ShownMaterializer):
    """Cannot show what it saves."""

    id = "test.BrokenShown/1"

    def visualize(self, value: Shown) -> Iterator[Visualization]:
        yield Visualization("markdown", "the first is good")
        raise RuntimeError("no picture")


def test_they_never_fail_a_step() -> None:
    """What fails is a warning; the value and the other visualizations are kept."""

    @step(output_materializers=Broken)
    def made() -> Shown:
        return Shown()

    @pipeline
    def making() -> None:
        made()

    with pytest.warns(LinealWarning, match="no picture"):
        run = making()
    assert run.status == "completed"
    assert [each.content for each in run.steps["made"].output.visualizations] == ["the first is good"]


@pytest.mark.parametrize("name", ["table", "array", "image", "metrics"])
def test_pages_are_self_contained_and_know_light_and_dark(name: str, tmp_path: Path) -> None:
    """One file without scripts or addresses of elsewhere, in the colours that the reader prefers."""
    values = {
        "table": frame(30),
        "array": np.arange(100.0),
        "image": np.zeros((8, 8, 3), np.uint8),
        "metrics": {"accuracy": 0.9, "rows": 12},
    }
    page = save_artifact(values[name], name).visualize_to(tmp_path / "shown")
    for path in page.parent.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script|(?:src|href)=[\"']?(?:https?:)?//|@import|url\((?!data:)", text), path.name
        assert "color-scheme" in text


def test_a_table_shows_schema_sample_histograms_and_missing_values() -> None:
    """For each column."""
    text = str(save_artifact(frame(100), "table").visualizations[0].content)
    for part in ("100 rows", "float64", "2 different", "25 % missing", "<svg"):
        assert part in text


def test_an_array_shows_shape_and_histogram_and_an_image_itself() -> None:
    """A matrix of numbers as a heat map, pixels as a picture."""
    text = str(save_artifact(np.random.default_rng(0).normal(size=500), "array").visualizations[0].content)
    assert "500" in text
    assert "<svg" in text
    picture = save_artifact(np.zeros((40, 60, 3), np.uint8), "image").visualizations
    assert any(each.kind == "image" or "data:image/png" in str(each.content) for each in picture)
