"""`add_tags`, `remove_tags` and the tags and pins of views."""

from typing import Annotated

import pytest

from lineal import ArtifactConfig, Client, add_tags, pipeline, remove_tags, step
from lineal.errors import InvalidName, NotFound, UsageError
from lineal.model.naming import check_tags
from lineal.views import RunView


@step
def train(rate: float) -> Annotated[float, ArtifactConfig(name="model", tags=["made"])]:
    add_tags("nightly")
    return rate


@pipeline(tags=["t"])
def training(rate: float) -> None:
    train(rate)


@pytest.fixture
def runs() -> list[RunView]:
    """Give two runs."""
    return [training(0.1), training(0.2)]


def tags(version: int) -> list[str]:
    return Client().get_artifact_version("model", version).tags


def test_functions_tag_versions_and_runs(runs: list[RunView]) -> None:
    """By name, the newest by default, or a run; inside a step without a target the run of the step."""
    add_tags(["a", "b"], artifact_name="model")
    add_tags("a", artifact_name="model", artifact_version=1)
    remove_tags(["b", "nothing"], artifact_name="model", artifact_version="latest")
    add_tags("x", run=runs[0].name)
    remove_tags("t", run=runs[0].name)
    assert (tags(1), tags(2)) == (["made", "a"], ["made", "a"])
    assert runs[0].refresh().tags == ["nightly", "x"]
    assert Client().list_pipeline_runs(tags=["nightly", "t"]).total == 1


def test_one_version_of_an_artifact_holds_production(runs: list[RunView]) -> None:
    """Setting an exclusive tag on another version moves it."""
    for version in (1, 2):
        add_tags("production", artifact_name="model", artifact_version=version, exclusive=True)
    assert (tags(1), tags(2)) == (["made"], ["made", "production"])
    [current] = Client().list_artifact_versions("model", tags="production")
    assert current.version == "2"


def test_artifacts_have_tags_of_their_own(runs: list[RunView]) -> None:
    """By function, by view and by client; a list of artifacts finds them beside those of versions, a list of versions does not."""
    add_tags(["eu", "gold"], artifact="model")
    remove_tags("gold", artifact="model")
    view = Client().get_artifact("model")
    assert view.tags == ["eu"]
    assert view.add_tags("team-a").remove_tags(["eu", "nothing"]).tags == ["team-a"]
    assert Client().update_artifact("model", add_tags=["b", "c"], remove_tags="team-a").tags == ["b", "c"]
    assert Client().get_artifact("model").to_json()["tags"] == ["b", "c"]
    assert [each.name for each in Client().list_artifacts(tags=["b", "made"])] == ["model"]
    assert Client().list_artifacts(tags="gold").total == 0
    assert Client().list_artifact_versions(tags="b").total == 0
    assert tags(2) == ["made"]
    assert "team-a" in view._repr_html_()


def test_a_step_tags_an_artifact(runs: list[RunView]) -> None:
    """Also the one that it makes a version of: the artifact is there before that version is."""

    @step
    def again() -> Annotated[float, "model"]:
        add_tags("seen", artifact="model")
        return 0.5

    @pipeline
    def once_more() -> None:
        again()

    once_more()
    assert Client().get_artifact("model").tags == ["seen"]


def test_views_tag_and_pin_themselves(runs: list[RunView]) -> None:
    """And show what they are now."""
    view = Client().get_artifact_version("model", 1).add_tags("gold", exclusive=True).remove_tags(["made"]).pin()
    assert (view.tags, view.pinned) == (["gold"], True)
    assert view.unpin().pinned is False
    assert runs[1].add_tags(["a", "b"]).remove_tags("a").tags == ["t", "nightly", "b"]


def test_a_target_that_does_not_fit_is_refused(runs: list[RunView]) -> None:
    """With what to pass instead."""
    for given, message in (
        ({}, "pass artifact=, artifact_name= or run="),
        ({"artifact_name": "model", "run": "x"}, "pass one of artifact="),
        ({"artifact_version": 1}, "artifact_name="),
        ({"run": runs[0].name, "exclusive": True}, "pass artifact_name="),
    ):
        with pytest.raises(UsageError, match=message):
            add_tags("x", **given)  # type: ignore[arg-type]
    for target in ("artifact", "artifact_name"):
        with pytest.raises(NotFound, match="did you mean 'model'"):
            add_tags("x", **{target: "modle"})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="pass artifact_name="):
        add_tags("x", artifact="model", exclusive=True)


def test_a_step_cannot_tag_the_version_that_it_is_about_to_make() -> None:
    """It would tag an earlier one."""

    @step
    def early() -> Annotated[int, "thing"]:
        add_tags("x", artifact_name="thing")
        return 1

    @pipeline
    def hasty() -> None:
        early()

    with pytest.raises(UsageError, match=r"ArtifactConfig\(tags="):
        hasty()


@pytest.mark.parametrize("wrong", ["", " x", "x ", "a\nb", "\u200b", "x" * 256, 3, [1], None])
def test_a_tag_is_short_printable_text(wrong: object) -> None:
    """A tag from anywhere is safe to show."""
    with pytest.raises(InvalidName, match="tag"):
        check_tags(wrong)


def test_tags_come_once_and_in_order() -> None:
    """Composed characters are one spelling."""
    assert check_tags(["b", "a", "b", "e\u0301"]) == ["b", "a", "\u00e9"]
    assert check_tags("a b") == ["a b"]
