"""The setting `table_format`: which format tables are written in, and that it matters to nobody who reads them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from lineal import Client, load_artifact, pipeline, save_artifact, step
from lineal.workspace import open_workspace

TABLES = {
    "frame": pd.DataFrame({"a": [1, 2], "c": pd.Categorical(["x", None])}),
    "series": pd.Series([1.5, None], name="s"),
    "index": pd.Index(["a", "b"], name="i"),
    "polars": pl.DataFrame({"a": [1, 2]}),
    "arrow": pa.table({"a": [1, 2]}),
}


@pytest.fixture
def as_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the format for what is saved from here on."""
    monkeypatch.setenv("LINEAL_TABLE_FORMAT", "parquet")


def same(one: object, other: object) -> bool:
    return bool(one.equals(other))  # type: ignore[attr-defined]  # every kind of table has it


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.usefixtures("as_parquet")
def test_tables_are_stored_as_parquet_and_read_under_either_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The materializer is recorded with the version, so the setting of the reader does not matter; nor does that of the writer."""
    saved = save_artifact(TABLES[name], name)
    assert [each.path for each in saved.files] == ["data.parquet"]
    assert saved.materializer.endswith(".parquet/1")
    monkeypatch.setenv("LINEAL_TABLE_FORMAT", "arrow")
    assert same(load_artifact(name), TABLES[name])
    again = save_artifact(TABLES[name], name)
    assert [each.path for each in again.files] == ["data.arrow"]
    monkeypatch.setenv("LINEAL_TABLE_FORMAT", "parquet")
    assert same(load_artifact(name), TABLES[name])


@pytest.mark.usefixtures("as_parquet")
def test_tables_inside_containers_are_parquet_too() -> None:
    """The elements of a list are saved as they would be alone."""
    saved = save_artifact({"frame": TABLES["frame"], "n": 1}, "both")
    assert "items/0/data.parquet" in [each.path for each in saved.files]
    assert same(saved.load()["frame"], TABLES["frame"])


@pytest.mark.usefixtures("as_parquet")
def test_what_parquet_cannot_keep_is_stored_as_arrow() -> None:
    """Nothing fails and nothing is lost: such a column makes the table an Arrow file."""
    frame = pd.DataFrame({"a": [1], "no fields": pd.Series([{}], dtype=pd.ArrowDtype(pa.struct([])))})
    saved = save_artifact(frame, "frame")
    assert (saved.materializer, [each.path for each in saved.files]) == ("pandas.DataFrame/1", ["data.arrow"])
    pd.testing.assert_frame_equal(load_artifact("frame"), frame)


@pytest.mark.usefixtures("as_parquet")
def test_another_process_reads_it_by_its_id_alone() -> None:
    """The id leads to the library's file in a process that has seen no table yet."""
    save_artifact(TABLES["arrow"], "table")
    code = "import lineal; table = lineal.load_artifact('table'); assert table['a'].to_pylist() == [1, 2]"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_format_enters_the_key_of_a_step_that_names_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changing it has the step run again, once; the step after it sees other bytes. Changing back finds both first results."""

    @step
    def make() -> Annotated[pd.DataFrame, "made"]:
        return pd.DataFrame({"a": [1, 2]})

    @step
    def count(made: pd.DataFrame) -> Annotated[int, "rows"]:
        return len(made)

    @pipeline
    def counting() -> None:
        count(make())

    def statuses(table_format: str) -> list[str]:
        monkeypatch.setenv("LINEAL_TABLE_FORMAT", table_format)
        return [str(each.status) for each in counting().steps.values()]

    assert statuses("arrow") == ["completed", "completed"]
    assert statuses("parquet") == ["completed", "completed"]
    assert statuses("parquet") == ["cached", "cached"]
    assert statuses("arrow") == ["cached", "cached"]
    assert [each.materializer for each in Client().list_artifact_versions("made", sort="created")] == [
        "pandas.DataFrame/1",
        "pandas.DataFrame.parquet/1",
    ]


@pytest.mark.usefixtures("as_parquet")
def test_worker_processes_write_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting goes with the step to where it runs."""
    here = os.getpid()
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")
    monkeypatch.setattr("lineal.orchestrators.local.available_cores", lambda: 1)  # each worker costs its start

    @step
    def make() -> Annotated[pa.Table, "made"]:
        assert os.getpid() != here
        return pa.table({"a": [1, 2]})

    @pipeline
    def making() -> None:
        make()

    try:
        making()
        assert [each.path for each in Client().get_artifact_version("made").files] == ["data.parquet"]
    finally:
        open_workspace()._workers().shutdown(cancel_futures=True)


def test_parquet_files_are_opened_by_other_tools(as_parquet: None, tmp_path: Path) -> None:
    """The file is ordinary Parquet."""
    folder = save_artifact(TABLES["frame"], "frame").download(tmp_path / "out")
    assert list(pd.read_parquet(folder / "data.parquet")["a"]) == [1, 2]
