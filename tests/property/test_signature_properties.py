"""Fast paths of calls and checks equal the plain way."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.errors import CallError
from lineal.graph.fits import accepts
from lineal.graph.signature import bind, signature_of


def none() -> None: ...
def one(a: int) -> None: ...
def mixed(a: int, b: int = 2, *, c: int, d: int = 4) -> None: ...
def named(*, a: int = 1, b: int) -> None: ...
def defaults(a: int = 1, b: int = 2, c: int = 3) -> None: ...


FUNCTIONS: list[Callable[..., None]] = [none, one, mixed, named, defaults]


@given(
    st.sampled_from(FUNCTIONS),
    st.lists(st.integers(), max_size=4),
    st.dictionaries(st.sampled_from("abcde"), st.integers(), max_size=4),
)
def test_binding_equals_pythons_own(function: Callable[..., None], args: list[int], kwargs: dict[str, int]) -> None:
    """The same calls are refused, and the same values arrive under the same names in the same order."""
    signature = signature_of(function, "f")
    try:
        plain = inspect.signature(function).bind(*args, **kwargs)
    except TypeError:
        with pytest.raises(CallError):
            bind(signature, "f", args, kwargs)
    else:
        plain.apply_defaults()
        assert list(bind(signature, "f", args, kwargs).items()) == list(plain.arguments.items())


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2) | st.binary(max_size=2)
ANNOTATIONS = st.sampled_from([int, float, complex, str, bytes, bool, None, int | None, str | bytes | None, Any, object])


@given(ANNOTATIONS, st.lists(VALUES, max_size=6))
def test_a_container_is_checked_as_its_elements_are(annotation: Any, values: list[Any]) -> None:
    """Asking once for each type of element gives the answer that asking each element gives."""
    each = all(accepts(annotation, value) for value in values)
    assert accepts(list[annotation], values) is each
    assert accepts(tuple[annotation, ...], tuple(values)) is each
    assert accepts(dict[int, annotation], dict(enumerate(values))) is each
    assert accepts(list[list[annotation]], [values, values]) is each


@given(ANNOTATIONS, ANNOTATIONS, VALUES)
def test_a_union_takes_what_either_takes(one: Any, other: Any, value: Any) -> None:
    """Merging the checks of a union changes nothing."""
    pair = (type(None) if one is None else one), (type(None) if other is None else other)
    assert accepts(pair[0] | pair[1] if object not in pair else object, value) is (accepts(one, value) or accepts(other, value))
