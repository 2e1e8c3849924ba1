"""What a fingerprint is made of, and how it is stored."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lineal.model import digest

# Part of every digest: a step up makes every stored key unreachable, so it is taken only when the formulas below or those of `scan` change.
FORMAT = "code/1"

LONGEST_SOURCE = 16_384
"""Characters of one part's source that are kept, for a diff; a longer one is cut."""
MOST_SOURCE = 65_536
"""Characters of source that are kept for one fingerprint, of all its parts together."""


def digest_of(tag: str, plain: object) -> str:
    """Give the digest of nested lists, tuples, dicts, texts, bytes, numbers, booleans and None; not of sets, which have no order.

    Taken from the text that Python writes for them, in one go and telling 1, 1.0, True and "1" apart: it runs for everything reached.
    """
    try:
        return digest.of_text(tag, repr(plain))
    except ValueError:  # Python does not write integers of thousands of digits
        return digest.of(tag, plain)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the user's own code, or one value, that a function reaches.

    Attributes:
        kind: "function", "class", "module" or "extension" for code; "constant", "attribute", "default" or "closure" for values.
        digest: Digest of this piece alone: what it says and what its names stand for, not what those pieces say.
        file: Path of its file, relative to the project's folder if it has one; empty when it has none.
        lines: First and last line in that file when it was read; (0, 0) when unknown. Not part of any digest.
        shown: A short text of a plain value; empty for all else.
    """

    kind: str
    digest: str
    file: str = ""
    lines: tuple[int, int] = (0, 0)
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What code a call of a function runs.

    Attributes:
        digest: Enters the cache key: 64 hexadecimal digits over `code`, the distributions and the Python version.
        code: Digest of the user's own code alone, without the versions of anything else.
        parts: What is reached, by key: `prep.clean`, `prep:Cleaner.run`, `prep.RATE`.
        distributions: Version of each third-party distribution that this code names.
        not_followed: In words, what the code does that cannot be followed, and where.
        source: Text of the function itself, without indentation; empty when there is none.
        python: Python version as `3.11`.
        root: Key of the part that is the function itself; empty where it is none, such as a `partial`.
        sources: Reads the text of each part that has one, by key, for a diff; bounded by `LONGEST_SOURCE` and `MOST_SOURCE`. Read only when
            the code is stored; not part of any digest.
    """

    digest: str
    code: str
    parts: Mapping[str, Part] = field(repr=False)
    distributions: Mapping[str, str]
    not_followed: tuple[str, ...]
    source: str = field(repr=False)
    python: str
    sources: Callable[[], Mapping[str, str]] = field(default=dict, repr=False, compare=False)
    root: str = field(default="", compare=False)

    @classmethod
    def build(
        cls, root: str, parts: Mapping[str, Part], distributions: Mapping[str, str], notes: Iterable[str], source: str, python: str,
        sources: Callable[[], Mapping[str, str]] = dict,
    ) -> Self:  # fmt: skip
        """Make the fingerprint of the part `root` from everything that it reaches, in any order."""
        ordered = {key: parts[key] for key in sorted(parts)}
        versions = dict(sorted(distributions.items()))
        code = digest_of(FORMAT, (root, [(key, part.kind, part.digest) for key, part in ordered.items()]))
        whole = digest_of("fingerprint/1", (code, python, versions))
        return cls(whole, code, ordered, versions, tuple(sorted(set(notes))), source, python, sources, root)

    def to_json(self) -> dict[str, Any]:
        """Give all but the source as JSON, with each part as a row."""
        return {
            "digest": self.digest,
            "code": self.code,
            "python": self.python,
            "parts": {key: [p.kind, p.digest, p.file, *p.lines, p.shown] for key, p in self.parts.items()},
            "distributions": dict(self.distributions),
            "not_followed": list(self.not_followed),
            "sources": dict(self.sources()),
            "root": self.root,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], source: str = "") -> Self:
        """Read what `to_json` gave."""
        parts = {
            key: Part(kind, of_part, file, (first, last), shown)
            for key, (kind, of_part, file, first, last, shown) in stored["parts"].items()
        }
        return cls(
            stored["digest"], stored["code"], parts, stored["distributions"], tuple(stored["not_followed"]), source, stored["python"],
            lambda: stored.get("sources", {}), stored.get("root", ""),
        )  # fmt: skip
