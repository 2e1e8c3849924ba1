"""What a cache key was made of, beside the earlier call."""

import pytest

from lineal import Client, pipeline, step
from lineal.engine.key_parts import KeyPart
from lineal.views import RunView


@step
def load(n: int) -> list[int]:
    return list(range(n))


@step
def scale(values: list[int], rate: float) -> list[float]:
    return [value * rate for value in values]


@pipeline
def scaling(n: int = 3, rate: float = 0.5) -> None:
    scale(load(n), rate)


def parts(run: RunView, name: str) -> dict[tuple[str, str], KeyPart]:
    return {(part.kind, part.name): part for part in run.steps[name].key_parts[0]}


@pytest.mark.usefixtures("lineal_home")
def test_what_changed_comes_first_and_the_rest_is_the_same() -> None:
    first, second = scaling(), scaling(rate=0.7)
    found, compared = second.steps["scale"].key_parts
    assert compared == first
    assert found[0] == KeyPart("parameter", "rate", "0.5", "0.7", same=False)
    assert all(part.same for part in found[1:])
    assert {part.kind for part in found} == {"code", "python", "parameter", "input", "output"}


@pytest.mark.usefixtures("lineal_home")
def test_inputs_count_by_content_and_are_named_by_version() -> None:
    scaling()
    found = parts(scaling(n=4), "scale")
    assert found["input", "values"] == KeyPart("input", "values", "scaling::load::output@1", "scaling::load::output@2", same=False)
    assert found["parameter", "rate"].same


@pytest.mark.usefixtures("lineal_home")
def test_a_first_call_has_nothing_to_compare_with() -> None:
    run = scaling()
    found, compared = run.steps["scale"].key_parts
    assert compared is None
    assert {part.same for part in found} == {None}
    assert parts(run, "scale")["input", "values"].new == "scaling::load::output@1"
    assert all(part.old is None for part in found)


@pytest.mark.usefixtures("lineal_home")
def test_an_answer_of_the_cache_is_the_same_in_all_parts() -> None:
    first, second = scaling(), scaling()
    found, compared = second.steps["scale"].key_parts
    assert compared == first
    assert all(part.same for part in found)
    assert parts(second, "scale")["code", "code"].old == parts(second, "scale")["code", "code"].new


@pytest.mark.usefixtures("lineal_home")
def test_a_step_that_never_began_has_no_parts() -> None:
    @step
    def breaks() -> int:
        raise ValueError("no")

    @pipeline
    def broken() -> None:
        scale([breaks()], 0.5)

    with pytest.raises(ValueError, match="no"):
        broken()
    failed = Client().get_pipeline_run("latest")
    assert failed.steps["scale"].key_parts == ([], None)
