"""Runs side by side."""

from collections.abc import Callable
from typing import Annotated

import pytest

from lineal import log_metadata, pipeline, step
from lineal.errors import UsageError
from lineal.views import RunView
from lineal.views.run_comparison import RunComparison, compare_runs, sides_json


def rows(found: RunComparison, title: str) -> dict[str, tuple[tuple[str | None, ...], bool]]:
    section = next(each for each in found.sections if each.title == title)
    return {row.name: (row.values, row.same) for row in section.rows}


def test_what_differs_comes_first_and_what_is_the_same_is_told(training: Callable[..., RunView]) -> None:
    one, other = training(), training(rate=1.0)
    found = compare_runs([one, other])
    assert list(rows(found, "parameters").items()) == [("rate", (("0.5", "1.0"), False)), ("rows", (("3", "3"), True))]
    assert rows(found, "outputs")["load"] == (("numbers@1", "numbers@1"), True)
    assert rows(found, "outputs")["train"] == (("model@1", "model@2"), False)
    assert rows(found, "outputs")["evaluate.score"][1] is False
    assert rows(found, "metrics")["evaluate.score: value"] == (("0.5", "1.0"), False)
    assert all(same for _, same in rows(found, "code").values())
    assert rows(found, "steps")["load"][0][1] == "cached"
    assert found.same is False


def test_equal_outputs_of_two_versions_are_the_same(training: Callable[..., RunView]) -> None:
    """What counts is the content, not the number of the version."""
    one, other = training.with_options(enable_cache=False)(), training.with_options(enable_cache=False)()  # type: ignore[attr-defined]
    found = compare_runs([one, other])
    assert rows(found, "outputs")["train"] == (("model@1", "model@2"), True)
    assert found.same is True


def test_code_that_differs_is_told_by_step_with_its_diff(lineal_home: object) -> None:
    def made(factor: int) -> RunView:
        text = f"def scale(x: int) -> int:\n    return x * {factor}\n"
        space: dict[str, object] = {}
        exec(text, space)
        scale = step(space["scale"])  # type: ignore[call-overload]

        @pipeline
        def scaling() -> None:
            scale(2)

        return scaling()

    found = compare_runs([made(2), made(3)])
    (row,) = next(each for each in found.sections if each.title == "code").rows
    assert (row.name, row.same, row.values[0] != row.values[1]) == ("scale", False, True)


def test_what_was_logged_counts_for_a_cached_step_too(lineal_home: object) -> None:
    """A run that was answered from the cache has the metrics of what answered it; many calls of one step are one row of states."""

    @step
    def measure(k: int) -> Annotated[int, "measured"]:
        log_metadata({"score": k / 2, "label": "x", "good": True})
        return k

    @pipeline
    def measuring() -> None:
        for k in (1, 2):
            measure(k)

    found = compare_runs([measuring(), measuring()])
    metrics = rows(found, "metrics")
    assert metrics["measure: score"] == (("0.5", "0.5"), True)
    assert not {"measure: label", "measure: good"} & metrics.keys()
    assert rows(found, "steps") == {"measure": (("2 completed", "2 cached"), False)}


def test_what_a_comparison_is_made_of_is_given_for_each_run_by_itself(training: Callable[..., RunView]) -> None:
    """Text, what counts where that is another, and a version's id; how code differs, both ways."""
    one, other = training(), training(rate=1.0)
    found = sides_json([other, one])
    sides = found["sides"]
    assert isinstance(sides, dict)
    assert list(sides) == [str(other.id), str(one.id)]
    side = sides[str(one.id)]
    assert isinstance(side, dict)
    model = one.steps["train"].outputs["model"]
    assert side["parameters"] == [["rows", "3", None, None], ["rate", "0.5", None, None]]
    assert ["train", "model@1", model.digest, str(model.id)] in side["outputs"]
    assert ["load", "completed", None, None] in [[name, mark, None, None] for name, _, mark, _ in side["steps"]]
    assert found["diffs"] == {}
    assert sides_json([])["sides"] == {}


def test_a_step_of_one_run_only_is_missing_in_the_other(run: RunView, failed: RunView) -> None:
    found = compare_runs([run, failed])
    assert rows(found, "steps")["load"][0][1] is None
    assert rows(found, "code")["fail"][0][0] is None
    told = found.to_json()
    assert [each["id"] for each in told["runs"]] == [str(run.id), str(failed.id)]
    assert next(each for each in told["sections"] if each["title"] == "outputs")["rows"][0]["ids"][1] is None


def test_one_run_or_the_same_twice_is_no_comparison(run: RunView) -> None:
    for runs in ([run], [run, run], []):
        with pytest.raises(UsageError, match="give 2 to 10 different ones"):
            compare_runs(runs)
