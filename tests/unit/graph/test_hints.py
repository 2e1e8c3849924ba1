"""Annotations are found where they stand: as text, under postponed evaluation, on types that are local to something."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import pytest

from lineal.errors import DefinitionError
from lineal.graph.hints import resolve
from lineal.graph.signature import signature_of
from lineal.graph.step import ArtifactConfig

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")


class Row:
    """A type of this module."""


def defined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Read the annotations at once, as a decorator does, and keep them."""
    function.found = resolve(function, "step 's'")  # type: ignore[attr-defined]
    return function


def found(function: Any) -> dict[str, Any]:
    """Give what was read."""
    return typing.cast("dict[str, Any]", function.found)


def test_text_is_evaluated() -> None:
    """Under `from __future__ import annotations` all of them are text."""

    @defined
    def f(a: int, b: list[Row] | None, c: "Row", d: Annotated[int, "name"]) -> tuple[Row, int]: ...  # noqa: UP037

    assert f.__annotations__["a"] == "int"
    assert found(f) == {"a": int, "b": list[Row] | None, "c": Row, "d": Annotated[int, "name"], "return": tuple[Row, int]}


def test_outputs_from_text() -> None:
    """The rules for outputs see through the text."""

    def f() -> tuple[Annotated[int, "a"], Annotated[Row, ArtifactConfig(name="b", tags=["x"])]]:
        return 1, Row()

    def g() -> None: ...

    assert [(output.name, output.annotation) for output in signature_of(f, "f").outputs] == [("a", int), ("b", Row)]
    assert signature_of(g, "g").outputs == ()


def test_a_type_that_is_local_to_the_definer() -> None:
    """The function's own code does not mention the type, so only the definer's frame knows it."""

    class Local:
        """A local type."""

    Alias = list[Local]

    @defined
    def f(a: Local, b: Alias) -> dict[str, Local]: ...

    assert found(f) == {"a": Local, "b": list[Local], "return": dict[str, Local]}


def test_a_local_type_that_the_code_uses_is_found_later_too() -> None:
    """What the function closes over can be read when its definer is long gone."""

    def definer() -> tuple[Callable[..., Any], type]:
        class Local:
            """A local type."""

        def f() -> Local:
            return Local()

        return f, Local

    function, local = definer()
    assert resolve(function, "step 's'") == {"return": local}


def test_a_local_function_may_call_itself() -> None:
    """While it is being defined its own name is not bound yet."""

    @defined
    def f(a: list[Row]) -> int:
        return later + len(f(a))  # type: ignore[arg-type]

    later = 1
    assert found(f) == {"a": list[Row], "return": int}


def test_the_nearest_local_type_wins() -> None:
    """A name means what it means where the function stands."""

    class Row:
        """Hides the one of the module, and is hidden in turn."""

    def inner() -> tuple[Any, type]:
        class Row:
            """The nearest."""

        @defined
        def f(a: Row) -> None: ...

        return f, Row

    function, nearest = inner()
    assert found(function)["a"] is nearest
    assert found(function)["a"] is not Row


def test_a_type_of_the_surrounding_class() -> None:
    """A step can stand in a class body, as a static method."""

    class Steps:
        """Holds a type and a step."""

        class Inner:
            """A type of the class."""

        @staticmethod
        @defined
        def f(a: Inner) -> None: ...

    assert found(Steps.f) == {"a": Steps.Inner, "return": type(None)}


def test_the_frame_of_another_function_with_that_name_does_not_count() -> None:
    """Only frames around the definition are looked at, not those of whoever calls."""

    def other() -> Any:
        class Hidden:
            """Known to the caller only."""

        return resolve(unrelated, "step 's'")

    with pytest.raises(DefinitionError, match="Hidden"):
        other()


def unrelated(a: Hidden) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def test_a_parameter_of_a_generic_function() -> None:
    """`def f[X](a: X)` keeps its type variable, also as text."""

    def f(a: X) -> list[X]: ...  # type: ignore[name-defined]  # noqa: F821

    variable = TypeVar("X")  # type: ignore[misc]
    f.__type_params__ = (variable,)  # type: ignore[attr-defined]
    assert resolve(f, "step 's'") == {"a": variable, "return": list[variable]}  # type: ignore[valid-type]


def test_what_is_only_there_for_type_checkers() -> None:
    """The message names step, argument, annotation and the way out."""

    def f(price: Decimal) -> None: ...

    with pytest.raises(DefinitionError) as caught:
        resolve(f, "step 'buy'")
    assert str(caught.value) == (
        "step 'buy': the annotation 'Decimal' of the argument 'price' cannot be resolved: name 'Decimal' is not defined; "
        "import or define at run time what it names, not under `if TYPE_CHECKING:`"
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("Nowhere", "of its return cannot be resolved: name 'Nowhere'"),
        ("list[Nowhere]", "of its return cannot be resolved: name 'Nowhere'"),
        (list["Nowhere"], r"the annotation list\['Nowhere'\] of its return cannot be resolved"),  # noqa: F821
        ("typing.Nope", "of its return cannot be resolved"),
        ("the number of rows", "of its return cannot be resolved"),
        ("1 / 0", "of its return cannot be resolved: division by zero"),
        ((int, str), r"the annotation of its return must be a type, got \(<class 'int'>, <class 'str'>\); write tuple\[int, str\]"),
        ([int], r"must be a type, got \[<class 'int'>\]"),
        (any, "must be a type, got <built-in function any>"),
        (typing, "must be a type, got <module 'typing'"),
        (3, "must be a type, got 3"),
    ],
)
def test_what_is_no_annotation(raw: Any, message: str) -> None:
    """A mistake is found when the step is defined, not when it has run."""

    def f(): ...  # type: ignore[no-untyped-def]

    f.__annotations__["return"] = raw
    with pytest.raises(DefinitionError, match=message):
        resolve(f, "step 's'")
    assert resolve(f, "pipeline 'p'", returns=False) == {}


class Boxed(Generic[T]):
    """A generic type of a user."""


def test_a_users_generic_type() -> None:
    """Arguments of user types are resolved too."""

    def f(a: Boxed[Row], b: Callable[[Row], int]) -> type[Row]: ...

    assert resolve(f, "step 's'") == {"a": Boxed[Row], "b": Callable[[Row], int], "return": type[Row]}


def test_wrapped_functions_are_resolved_where_they_stand() -> None:
    """A decorator from another module has other globals than the function."""

    def f(a: Row) -> Row: ...

    wrapper = functools.wraps(f)(lambda *args: None)
    assert signature_of(wrapper, "f").inputs[0].annotation is Row
