"""Why a step ran, in words."""

from dataclasses import replace
from typing import Any

import pytest

from lineal.engine.why import Evidence, explain, in_brief, nearest, value_text
from lineal.model import values
from lineal.model.records import CodeRecord, RunRecord, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.testing.records import an_object

INGREDIENTS = {
    "code": "c1",
    "inputs": {"data": "d1", "parts": {"list": ["p1", "p2"]}},
    "versions": {"data": "raw@3", "parts[0]": "part@1", "parts[1]": "part@2"},
    "outputs": {"model": "json/1"},
    "decision": "miss",
}
STEP = StepRunRecord("2", "r2", "train", "train", 0, Status.COMPLETED, cache_key="k2", parameters={"lr": 0.01}, ingredients=INGREDIENTS)
BEFORE = replace(STEP, id="1", run_id="r1", cache_key="k1")
RUN = RunRecord("r1", "training-1", "training", Status.COMPLETED, 1_780_000_000_000_000)
SINCE = "compared with run training-1 of 2026-05-28, 20:26"


def a_version(metadata: dict[str, Any], size: int) -> VersionRecord:
    return VersionRecord("id", "raw", "3", 3, an_object(size=size), "json/1", "list", "data", "step", 0, metadata=metadata)


def why(step: StepRunRecord = STEP, previous: StepRunRecord | None = BEFORE, **evidence: Any) -> list[str]:
    def explain_code(old: Any, new: Any) -> list[str]:
        return [f"helper changed from {old['is']} to {new['is']}"]

    return explain(Evidence(step, previous=previous, previous_run=RUN, **evidence), explain_code)


def with_ingredients(**changes: Any) -> StepRunRecord:
    return replace(STEP, ingredients={**INGREDIENTS, **changes})


def test_a_cached_step_names_the_run_that_its_result_is_from() -> None:
    assert why(replace(STEP, status=Status.CACHED), cached_run=RUN) == ["cached from run training-1 of 2026-05-28, 20:26"]
    yesterday = RUN.started + 86_400_000_000
    assert why(replace(STEP, status=Status.CACHED), cached_run=RUN, now=yesterday) == ["cached from run training-1 of yesterday, 20:26"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (replace(STEP, status=Status.SKIPPED, ingredients={}, error="step 'load' did not succeed"), "skipped: step 'load'"),
        (replace(STEP, status=Status.CANCELLED, ingredients={}), "cancelled: it never began"),
        (with_ingredients(decision="off"), "caching is off"),
        (with_ingredients(decision="lost"), "stored bytes were lost"),
    ],
)
def test_a_decision_that_needs_no_comparison_is_said(step: StepRunRecord, words: str) -> None:
    [sentence] = why(step)
    assert words in sentence


def test_the_first_time_is_said() -> None:
    assert why(previous=None) == ["ran: first time"]


def test_a_changed_parameter_shows_both_values() -> None:
    assert why(replace(STEP, parameters={"lr": 0.02})) == ["ran: parameter `lr` 0.01 -> 0.02", SINCE]


def test_equal_parameters_of_another_type_differ() -> None:
    previous = replace(BEFORE, parameters={"n": 1})
    assert why(replace(STEP, parameters={"n": True}), previous) == ["ran: parameter `n` 1 -> True", SINCE]


def test_new_and_gone_parameters_are_named() -> None:
    sentences = why(replace(STEP, parameters={"depth": 3}))
    assert sentences == ["ran: parameter `depth` is new: 3", "ran: parameter `lr` is gone; it was 0.01", SINCE]


def test_a_changed_input_shows_both_versions() -> None:
    step = with_ingredients(inputs={**INGREDIENTS["inputs"], "data": "d2"}, versions={**INGREDIENTS["versions"], "data": "raw@4"})  # type: ignore[dict-item]
    assert why(step) == ["ran: input `data` changed (v3 -> v4)", SINCE]


def test_a_changed_member_of_a_list_is_named_by_its_path() -> None:
    step = with_ingredients(
        inputs={"data": "d1", "parts": {"list": ["p1", "p3"]}},
        versions={**INGREDIENTS["versions"], "parts[1]": "part@3"},  # type: ignore[dict-item]
    )
    assert why(step) == ["ran: input `parts[1]` changed (v2 -> v3)", SINCE]


def test_inputs_that_come_and_go_are_named() -> None:
    assert why(with_ingredients(inputs={"data": "d1", "more": "m"})) == ["ran: input `more` is new", "ran: input `parts` is gone", SINCE]


def test_changed_code_is_explained_by_its_parts() -> None:
    step = with_ingredients(code="c2")
    code = {"code": CodeRecord("c2", {"is": "new"}, ""), "previous_code": CodeRecord("c1", {"is": "old"}, "")}
    assert why(step, **code) == ["ran: helper changed from old to new", SINCE]
    assert why(step) == ["ran: its code changed", SINCE]


def test_another_materializer_is_named() -> None:
    assert why(with_ingredients(outputs={"model": "json/2"})) == ["ran: materializer of output `model` changed: json/1 -> json/2", SINCE]


def test_no_difference_is_said_honestly() -> None:
    assert "its cache key changed" in why()[0]
    assert "was not there to be given" in why(replace(STEP, cache_key="k1"))[0]


def test_a_value_is_shown_short_and_safe() -> None:
    assert value_text(values.to_json((1, "a"))) == "(1, 'a')"
    assert value_text({"$artifact": "raw@3"}) == "raw@3"
    assert value_text("x" * 100, 10) == "'xxxxxxxx…"
    assert value_text("\x1b[31m") == "'\\x1b[31m'"


def test_a_value_of_a_class_that_is_not_loaded_shows_its_content() -> None:
    assert "nowhere:Gone" in value_text({"$type": "dataclass", "class": "nowhere:Gone", "fields": {}}, 200)


def test_an_input_that_grew_says_by_how_much() -> None:
    """Rows of what has rows, items of what has a length, else bytes."""

    def versions(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        both = ((3, old, 1000), (4, new, 3000))
        return {f"raw@{number}": a_version(metadata=facts, size=size) for number, facts, size in both}

    step = with_ingredients(inputs={**INGREDIENTS["inputs"], "data": "d2"}, versions={**INGREDIENTS["versions"], "data": "raw@4"})  # type: ignore[dict-item]
    for old, new, words in (
        ({"shape": [88, 3]}, {"shape": [100, 3]}, "12 rows more"),
        ({"rows": 100}, {"rows": 99}, "1 row fewer"),
        ({"length": 1}, {"length": 3}, "2 items more"),
        ({"shape": [5]}, {"shape": [5]}, "as many rows"),
        ({}, {"shape": [5]}, "2.0 kB more"),
    ):
        assert why(step, versions=versions(old, new))[0] == f"ran: input `data` changed (v3 -> v4: {words})"


def test_what_is_not_followed_is_said() -> None:
    code = CodeRecord("c1", {"not_followed": ["eval in train, line 3"]}, "")
    assert why(replace(STEP, parameters={"lr": 0.02}), code=code)[-1] == "not followed: eval in train, line 3"


def test_the_nearest_call_is_the_one_that_differs_in_the_fewest_things() -> None:
    """Of equals the first, which is the newest."""
    far = replace(BEFORE, id="far", parameters={"lr": 1.0}, ingredients={**INGREDIENTS, "code": "c0"})
    near = replace(BEFORE, id="near", ingredients={**INGREDIENTS, "code": "c0"})
    also_near = replace(BEFORE, id="also near", parameters={"lr": 2.0})
    assert nearest(STEP, [far, near, also_near]) is near
    assert nearest(STEP, []) is None


def test_several_reasons_are_given_in_brief() -> None:
    assert in_brief(["ran: a"]) == "ran: a"
    assert in_brief(["ran: a", "ran: b", "ran: c"]) == "ran: a, and 2 more"
