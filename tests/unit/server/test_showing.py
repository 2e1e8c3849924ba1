"""The dashboard's pages below a cell."""

import html
import re

import pytest

import lineal
from lineal import Client, save_artifact
from lineal.errors import NotFound, UsageError
from lineal.server.exporting import export_run, export_version
from lineal.server.showing import Shown, show
from lineal.views import RunView


def page_of(shown: Shown) -> str:
    found = re.fullmatch(r'<iframe sandbox="allow-scripts" title="Lineal" style="[^"]*" srcdoc="([^"]*)"></iframe>', shown._repr_html_())
    assert found is not None
    return html.unescape(found[1])


def test_a_run_and_a_version_are_shown_as_they_are_exported(run: RunView) -> None:
    version = run.steps["count"].output
    assert page_of(show(run)) == export_run(Client(), run)
    assert page_of(show(version)) == export_version(Client(), version)
    assert page_of(show(f"{version.name}@{version.version}")) == export_version(Client(), version)


def test_everything_is_shown_without_a_word(run: RunView) -> None:
    page = page_of(lineal.show())
    assert 'content="#/"' in page
    assert f"/runs/{run.id}" in page


def test_hostile_names_stay_inside_the_frame() -> None:
    """No quotation mark ends the attribute, and no tag the data."""
    version = save_artifact({"a": '"></iframe><script>alert(1)</script>'}, "data", user_metadata={"x": '"><script>'})
    assert "<script>" not in show(version)._repr_html_()


def test_outside_of_a_notebook_it_says_what_to_do(run: RunView) -> None:
    assert "lineal up" in repr(show(run))


def test_what_is_not_there_or_cannot_be_is_refused(run: RunView) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        show("nowhere")
    with pytest.raises(UsageError, match="height"):
        show(run, height=10)
