"""The table of states on the page about the data model is what the code says."""

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "data-model.md"


def test_the_states_on_the_page_are_those_of_the_code() -> None:
    """The block is run, and what it prints stands below it."""
    code, shown = re.findall(r"```python\n(.*?)```\s+```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    assert printed.getvalue() == shown


def test_every_table_is_on_the_page() -> None:
    """A table that nobody explained cannot be added."""
    schema = (PAGE.parents[1] / "src" / "lineal" / "metadata_store" / "schema.sql").read_text(encoding="utf-8")
    tables = re.findall(r"^CREATE TABLE (\w+)", schema, re.MULTILINE)
    page = PAGE.read_text(encoding="utf-8")
    assert [table for table in tables if f"`{table}`" not in page] == []
