"""Aliases are opened, and what was worked out for an annotation is remembered for that annotation only."""

from typing import Annotated, Any

import pytest

from lineal.graph.annotations import per_annotation, unalias


def test_aliases_are_opened() -> None:
    """Bare, nested and with arguments in any order; everything else stays as it is."""
    from typing_extensions import TypeAliasType, TypeVar

    A, B = TypeVar("A"), TypeVar("B")
    number = TypeAliasType("number", int)
    nested = TypeAliasType("nested", number)
    pair = TypeAliasType("pair", tuple[B, A], type_params=(A, B))  # type: ignore[misc]
    assert unalias(nested) is int
    assert unalias(pair[int, str]) == tuple[str, int]
    assert unalias(pair) == tuple[B, A]  # type: ignore[valid-type]
    assert unalias(list[number]) == list[number]
    assert unalias(None) is None


def test_remembering_is_by_identity() -> None:
    """Equal annotations that mean different things to a parser, and unhashable ones, each have their own entry."""
    asked: list[Any] = []

    @per_annotation
    def note(annotation: Any) -> int:
        asked.append(annotation)
        return len(asked)

    one, other = int | str, str | int
    assert one == other
    unhashable = Annotated[int, []]
    assert [note(one), note(other), note(unhashable), note(one), note(other), note(unhashable)] == [1, 2, 3, 1, 2, 3]


def test_remembering_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Annotations that are made anew at each call do not fill the memory, and none gets another's answer."""
    monkeypatch.setattr("lineal.graph.annotations._REMEMBERED", 10)

    @per_annotation
    def copy(annotation: Any) -> Any:
        return [annotation]

    for size in range(100):
        annotation = tuple[(int,) * (size + 1)]
        assert copy(annotation)[0] is annotation
    assert len(copy.__closure__[0].cell_contents) <= 10 or len(copy.__closure__[1].cell_contents) <= 10
