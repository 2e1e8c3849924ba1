"""Where pickles are forbidden, the next materializer that needs none is taken; where there is none, the error says so."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from lineal import Client, save_artifact
from lineal.artifact_store.local import LocalArtifactStore
from lineal.artifacts import Artifacts, Item, Saved
from lineal.errors import LinealWarning, NoMaterializer, PickleRefused, UsageError
from lineal.materializers.matplotlib import FigureMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import registry
from lineal.model.records import VersionRecord
from lineal.workspace import Workspace, open_workspace


class Thing:
    """A value that only a pickle holds."""


def artifacts(folder: Path, pickle: str) -> Artifacts:
    return Artifacts(LocalArtifactStore(folder / "store"), registry, sync=False, pickle=pickle)


def record(saved: Saved) -> VersionRecord:
    return VersionRecord("id", "thing", "1", 1, saved.object, saved.materializer, saved.type, saved.data_type, "step", 0)


def test_a_figure_is_kept_whole_by_default(tmp_path: Path) -> None:
    """A run of one's own may unpickle what it made."""
    own = artifacts(tmp_path, "own")
    [saved] = own.save([Item("output 'figure'", Figure())])
    assert saved.materializer == "matplotlib.Figure/1"
    assert type(own.load(record(saved))) is Figure


def test_a_figure_is_kept_as_a_picture_where_pickles_are_forbidden(tmp_path: Path) -> None:
    """The next materializer for the type needs no pickle; what it cannot keep is said."""
    strict = artifacts(tmp_path, "forbid")
    with pytest.warns(LinealWarning, match="output 'figure' is kept as a picture only"):
        [saved] = strict.save([Item("output 'figure'", Figure())])
    assert saved.materializer == "matplotlib.picture/1"
    assert type(strict.load(record(saved))) is Figure


def test_a_stored_pickle_stays_closed_where_pickles_are_forbidden(tmp_path: Path) -> None:
    """A figure that was saved with its source under another setting is not loaded, but shows its picture."""
    [saved] = artifacts(tmp_path, "own").save([Item("output 'figure'", Figure())])
    with pytest.raises(PickleRefused):
        artifacts(tmp_path, "forbid").load(record(saved))


@pytest.mark.parametrize("value", [Thing(), [Thing()]], ids=["alone", "inside"])
def test_what_only_a_pickle_holds_is_refused(value: Any, tmp_path: Path) -> None:
    """Where no materializer is safe the error names the one there is, and the remedy."""
    with pytest.raises(NoMaterializer, match=r'pickle = "forbid" does not allow it'):
        artifacts(tmp_path, "forbid").save([Item("output 'thing'", value)])


def test_a_materializer_that_was_given_is_not_replaced(tmp_path: Path) -> None:
    """Who names an unsafe one gets an error, not another format."""
    with pytest.raises(NoMaterializer, match=r"only matplotlib\.Figure/1 can save"):
        artifacts(tmp_path, "forbid").save([Item("output 'figure'", Figure(), FigureMaterializer())])


def test_what_runs_no_code_needs_no_trust() -> None:
    """A decision that changes nothing is none."""
    with pytest.raises(UsageError, match=r"stored as json/1, which runs no code"):
        save_artifact([1], "plain").trust()
    assert Client().get_artifact_version("plain").trusts == []


def test_trust_reaches_worker_processes() -> None:
    """They have bytes only, and ask the facts when a pickle of others is an input."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinealWarning)  # said once for each type
        version = save_artifact(Thing(), "thing", materializer=CloudpickleMaterializer)
    workspace = open_workspace()
    theirs = replace(version.record, save_type="uploaded")
    with pytest.raises(PickleRefused):
        workspace.artifacts.load(theirs)
    version.trust()
    assert type(workspace.artifacts.load(theirs)) is Thing
    only_bytes = Workspace(workspace.settings)  # as a worker opens it
    assert type(only_bytes.artifacts.load(theirs)) is Thing
