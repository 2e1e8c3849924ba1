"""What a cache policy takes, and what it refuses."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineal import CachePolicy, pipeline, step
from lineal.errors import DefinitionError
from lineal.graph.policy import arguments_for


def test_one_name_or_path_stands_for_a_list_of_one() -> None:
    """`file_dependencies="data.csv"` is not eight files."""
    policy = CachePolicy(ignored_inputs="seed", file_dependencies=Path("data.csv"), source_dependencies="prep.clean", environment="MODE")  # type: ignore[arg-type]
    assert policy.ignored_inputs == ("seed",)
    assert policy.file_dependencies == ("data.csv",)
    assert policy.source_dependencies == ("prep.clean",)
    assert policy.environment == ("MODE",)


def test_a_policy_can_be_compared_and_used_as_a_key() -> None:
    assert CachePolicy(ignored_inputs=["a"]) == CachePolicy(ignored_inputs=("a",))
    assert len({CachePolicy(), CachePolicy(), CachePolicy(include_step_code=False)}) == 2


def test_expires_after_is_a_timedelta_or_seconds() -> None:
    assert CachePolicy(expires_after=timedelta(minutes=2)).seconds == 120
    assert CachePolicy(expires_after=1.5).seconds == 1.5
    assert CachePolicy().seconds is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"include_step_code": 1}, "include_step_code of a CachePolicy takes True or False, got 1"),
        ({"ignored_inputs": [3]}, "names of arguments, got 3"),
        ({"ignored_inputs": [""]}, "names of arguments, got ''"),
        ({"file_dependencies": [None]}, "paths, got None"),
        ({"file_dependencies": [b"x"]}, "paths, got b'x'"),
        ({"source_dependencies": ["prep/clean.py"]}, "got 'prep/clean.py'"),
        ({"environment": [1]}, "names of environment variables, got 1"),
        ({"cache_func": "now"}, "a function, got 'now'"),
        ({"expires_after": -1}, "0 or more, got -1"),
        ({"expires_after": True}, "got True"),
        ({"expires_after": float("nan")}, "got nan"),
        ({"expires_after": timedelta(days=-1)}, "got datetime.timedelta"),
    ],
)
def test_what_a_policy_cannot_use_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match="CachePolicy takes") as caught:
        CachePolicy(**given)
    assert words in str(caught.value)


def test_ignoring_an_input_that_the_step_does_not_have_is_an_error_at_definition() -> None:
    with pytest.raises(DefinitionError, match=r"step 'train' has no input 'sede' to ignore; there are: data, seed"):

        @step(cache_policy=CachePolicy(ignored_inputs=["sede"]))
        def train(data: int, seed: int) -> int:
            return data


def test_a_cache_func_that_needs_something_else_than_inputs_is_an_error_at_definition() -> None:
    with pytest.raises(DefinitionError, match=r"cache_func of step 'fetch' takes 'uri', which is no input of the step; there are: url"):

        @step(cache_policy=CachePolicy(cache_func=lambda uri: uri))
        def fetch(url: str) -> str:
            return url


def test_a_pipelines_policy_may_ignore_what_only_some_of_its_steps_have() -> None:
    @step
    def one(a: int) -> int:
        return a

    @pipeline(cache_policy=CachePolicy(ignored_inputs=["seed"]))
    def work() -> None:
        one(1)

    assert work().status == "completed"


@pytest.mark.parametrize("option", [{"cache_policy": "never"}, {"undeclared": "warn"}])
def test_an_option_of_another_kind_is_refused(option: dict[str, Any]) -> None:
    name = next(iter(option))
    for decorator in (step, pipeline):
        with pytest.raises(DefinitionError, match=name):

            @decorator(**option)
            def work() -> int:
                return 1


def test_a_cache_func_is_called_with_the_inputs_that_it_names() -> None:
    names = ["a", "b", "c"]
    assert arguments_for(lambda: 1, names, "step 's'") == []
    assert arguments_for(lambda b, x=1: 1, names, "step 's'") == ["b"]
    assert arguments_for(lambda a, *rest, c: 1, names, "step 's'") == ["a", "c"]
    assert arguments_for(lambda **inputs: 1, names, "step 's'") == names
    with pytest.raises(DefinitionError, match="'b'"):
        arguments_for(lambda b, /: 1, names, "step 's'")  # it cannot be given by name
