"""What differs between two cache policies, in words."""

from typing import Any

import pytest

from lineal.engine.why_policy import counted, policy_changes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({}, {}, []),
        ({}, {"left_out": ["step_code"]}, ["cache policy changed: changes of the step's code do not count any more"]),
        ({"left_out": ["package_versions"]}, {}, ["cache policy changed: versions of packages count now"]),
        ({}, {"artifact_ids": True}, ["cache policy changed: ids of inputs count now"]),
        ({"ignored_inputs": ["a"]}, {"ignored_inputs": ["a", "b"]}, ["cache policy changed: ignored inputs are a, b"]),
        ({"ignored_inputs": ["a"]}, {}, ["cache policy changed: ignored inputs are none"]),
        (
            {"files": {"a": "1", "b": "1"}},
            {"files": {"b": "2", "c": "1"}},
            ["file `a` is no longer declared", "file `b` changed", "file `c` is declared now"],
        ),
        ({"environment": {"MODE": "1"}}, {"environment": {"MODE": ""}}, ["environment variable `MODE` changed"]),
        ({"sources": {"prep.clean": "1"}}, {"sources": {"prep.clean": "2"}}, ["declared code `prep.clean` changed"]),
        ({}, {"cache_func": {"code": "c", "result": 1}}, ["cache_func is used now"]),
        ({"cache_func": {"code": "c", "result": 1}}, {}, ["cache_func is no longer used"]),
        (
            {"cache_func": {"code": "c", "result": 1}},
            {"cache_func": {"code": "d", "result": "2"}},
            ["what cache_func gives changed: 1 -> '2'"],
        ),
        ({"cache_func": {"code": "c", "result": 1}}, {"cache_func": {"code": "d", "result": 1}}, ["the code of cache_func changed"]),
        ({"expires_after": 1.0}, {"expires_after": 2.0}, []),
    ],
)
def test_each_difference_is_a_sentence(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert policy_changes(old, new) == said


def test_what_comes_from_users_stays_on_its_line() -> None:
    [sentence] = policy_changes({}, {"files": {"a\nb": "1"}})
    assert "\n" not in sentence


def test_a_part_counts_unless_it_is_left_out() -> None:
    assert counted({}, "step_code")
    assert not counted({"left_out": ["step_code"]}, "step_code")
