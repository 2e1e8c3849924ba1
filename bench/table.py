"""Tables of results in Markdown, and the words for what was reached."""

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, words: int = 1) -> list[str]:
    """Give a table; the first `words` columns hold words, the others numbers. A blank line follows."""
    head = "|".join(["---"] * words + ["--:"] * (len(columns) - words))
    return [f"| {' | '.join(columns)} |", f"|{head}|", *(f"| {' | '.join(map(str, row))} |" for row in rows), ""]


def verdict(ratio: float, aim: float) -> str:
    """Give a ratio and whether it is as small as it should be."""
    return f"{ratio:.2f} ({'at most' if ratio <= aim else '**missed:**'} {aim:g})"
