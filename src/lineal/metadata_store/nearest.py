"""Names that a mistyped name may have meant, without reading all names there are."""

import difflib
from collections.abc import Callable, Sequence
from typing import Any

from lineal.metadata_store.statements import SQL
from lineal.model.text import moment_text

END = "\U0010ffff"  # sorts after every character that a name may have


def closest_names(name: str, candidates: Callable[[Sequence[str]], list[str]]) -> str:
    """Give `; did you mean …?` or the empty text.

    `candidates` takes two ranges of names (from, to, from, to) and gives at most some hundred that lie in them, or are new.
    """
    near, wide = name[:3], name[:1]
    found = candidates((near, near + END, wide, wide + END))
    by_folded = {other.casefold(): other for other in found}
    matches = [by_folded[folded] for folded in difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)]
    return f"; did you mean {' or '.join(repr(match) for match in matches)}?" if matches else ""


def closest(read: Callable[..., list[Any]], statement: str, name: str) -> str:
    """Give the same from what a statement reads."""
    return closest_names(name, lambda ranges: [row[0] for row in read(SQL[statement], ranges)])


def no_version(read: Callable[..., list[Any]], name: str, version: str | None) -> str:
    """Say why there is no such version of an artifact: the name, the version, or its data is gone."""
    newest = read(SQL["newest_of_any_state"], (name,))
    if not newest:
        return f"no artifact has the name {name!r} and no version an id like it{closest(read, 'artifact_names_near', name)}"
    if version is None or version == "latest":
        return f"artifact {name!r} has no live version: the data of the newest, {newest[0][0]!r}, was pruned on {moment_text(newest[0][1])} UTC"
    return f"artifact {name!r} has no version {version!r}; the newest is {newest[0][0]!r}"
