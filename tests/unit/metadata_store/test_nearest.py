"""Closest names."""

from collections.abc import Sequence

from lineal.metadata_store.nearest import closest_names


def test_asks_for_two_ranges_and_ignores_case() -> None:
    """Only names with the same beginning are read, however many there are."""
    asked: list[str] = []

    def candidates(ranges: Sequence[str]) -> list[str]:
        asked.extend(ranges)
        return ["Model", "module", "zebra"]

    assert closest_names("modle", candidates) == "; did you mean 'module' or 'Model'?"
    assert (asked[0], asked[2]) == ("mod", "m")
    assert asked[0] < "modz" < asked[1]
    assert asked[3] > "mod"


def test_says_nothing_when_nothing_is_near() -> None:
    """A guess that cannot be meant is noise."""
    assert closest_names("qq", lambda _: ["model"]) == ""
