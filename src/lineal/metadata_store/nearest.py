"""Names that a mistyped name may have meant, without reading all names there are."""

import difflib
from collections.abc import Callable, Sequence

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
