"""Questions about metadata: `accuracy > 0.9 and split == 'test'` as a tree that any store can turn into its own language.

    query      = term ("or" term)*
    term       = factor ("and" factor)*
    factor     = "not" factor | "(" query ")" | key "exists" | key operator value | key ["not"] "in" "[" values "]"
    key        = name ("." name)*, where a name that is no plain word stands in backquotes: `val loss`
    operator   = == != < <= > >=
    value      = 0.9 | -inf | nan | 'text' | "text" | true | false | null | 2026-06-01 | 2026-06-01T12:30:00+02:00

A comparison holds only for values of its own kind: numbers, texts, booleans, null and times are never equal to each other, and only
numbers, texts and times have an order. It never holds for a key that is not there, `!=` and `not in` included. Unlike in Python, nan
is equal to nan, so that it can be asked for. A time without a zone is one in UTC.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from lineal.errors import UsageError

MAX_LENGTH = 10_000
"""Characters of a query."""

MAX_COMPARISONS = 200
MAX_DEPTH = 32
"""How deep parentheses and `not` may nest."""

Value = int | float | str | bool | datetime | None
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """The value at a key is of this value's kind, and `operator` (==, <, <=, > or >=) holds between the two."""

    key: Key
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Exists:
    """The key is there, whatever its value."""

    key: Key


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Query"


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any part holds; with no part, nothing does."""

    parts: tuple["Query", ...]


Query = Compare | Exists | Not | And | Or


def parse_query(text: str) -> Query:
    """Give the tree of a query. Raises UsageError that shows the place with an arrow."""
    if not isinstance(text, str):
        raise UsageError(f'a metadata query is text such as "accuracy > 0.9", got {type(text).__name__}: {text!r}')
    if len(text) > MAX_LENGTH:
        raise UsageError(f"a metadata query has at most {MAX_LENGTH} characters, got {len(text)}")
    return _Parser(text).run()


class _Token(NamedTuple):
    kind: str  # key, word, value, sign or end
    text: str
    place: int


_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-][\d:.]+)?)?(?![\w.:]))
    |(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])|[+-]?(?:inf|nan)(?![\w.`]))
    |(?P<text>'(?:[^'\\]|\\['"\\])*'|"(?:[^"\\]|\\['"\\])*")
    |(?P<key>(?:[^\W\d]\w*|`[^`]+`)(?:\.(?:[^\W\d]\w*|`[^`]+`))*)
    |(?P<sign>==|!=|<=|>=|[<>()\[\],])""",
    re.VERBOSE | re.IGNORECASE,
)
_PART = re.compile(r"`([^`]+)`|([^.`]+)")
_WORDS = frozenset({"and", "or", "not", "in", "exists"})
_NAMED: dict[str, Value] = {"true": True, "false": False, "null": None, "none": None}
_COMPARES = frozenset({"==", "!=", "<", "<=", ">", ">="})
_LARGEST = 1 << 63  # beyond 64 bits, integers are as exact as floats


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.place = 0
        self.depth = 0
        self.comparisons = 0

    def run(self) -> Query:
        tree = self._either()
        if self._next.kind != "end":
            raise self._wrong("and, or, or the end")
        return tree

    # -- tokens

    def _tokens(self) -> list[_Token]:
        found: list[_Token] = []
        place = 0
        while place < len(self.text):
            match = _TOKEN.match(self.text, place)
            if match is None or match.lastgroup is None:
                raise self._error(f"{self.text[place]!r} cannot be read here{_hint(self.text, place)}", place)
            kind = match.lastgroup
            word = match[0].lower()
            if kind in ("time", "number", "text") or (kind == "key" and word in _NAMED):
                found.append(_Token("value", match[0], place))
            elif kind != "space":
                found.append(_Token("word" if word in _WORDS else kind, word if word in _WORDS else match[0], place))
            place = match.end()
        return [*found, _Token("end", "", place)]

    @property
    def _next(self) -> _Token:
        return self.tokens[self.place]

    def _take(self) -> _Token:
        token = self.tokens[self.place]
        self.place += token.kind != "end"
        return token

    def _accept(self, text: str) -> bool:
        token = self._next
        found = token.text == text and token.kind in ("word", "sign")
        self.place += found
        return found

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._wrong(text)

    # -- grammar

    def _either(self) -> Query:
        return self._series("or", lambda: self._series("and", self._factor, And), Or)

    def _series(self, word: str, part: Callable[[], Query], joined: type[And] | type[Or]) -> Query:
        parts = [part()]
        while self._accept(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else joined(tuple(parts))

    def _factor(self) -> Query:
        self.depth += 1
        if self.depth > MAX_DEPTH + 1:  # the comparison inside of them all is none of them
            raise self._error(f"parentheses and not nest at most {MAX_DEPTH} deep", self._next.place)
        tree: Query
        if self._accept("not"):
            tree = Not(self._factor())
        elif self._accept("("):
            tree = self._either()
            self._expect(")")
        else:
            tree = self._comparison()
        self.depth -= 1
        return tree

    def _comparison(self) -> Query:
        if self._next.kind != "key":
            raise self._wrong("a key, not or (")
        key = tuple(quoted or plain for quoted, plain in _PART.findall(self._take().text))
        self._count()
        if self._accept("exists"):
            return Exists(key)
        negated = self._accept("not")
        if self._accept("in"):
            found = Or(tuple(Compare(key, "==", value) for value in self._values()))
            return And((Exists(key), Not(found))) if negated else found
        sign = self._take()
        if negated or sign.text not in _COMPARES:
            self.place -= sign.kind != "end"
            raise self._wrong("in" if negated else "==, !=, <, <=, >, >=, in or exists", sign)
        value = self._value()
        if sign.text == "!=":
            return And((Exists(key), Not(Compare(key, "==", value))))
        if sign.text != "==" and (value is None or isinstance(value, bool) or value != value):
            raise self._error(f"{sign.text} needs a value that has an order: a number, a text or a time", sign.place)
        return Compare(key, sign.text, value)

    def _values(self) -> list[Value]:
        self._expect("[")
        values: list[Value] = []
        while not self._accept("]"):
            if values:
                self._expect(",")
            values.append(self._value())
            self._count()
        return values

    def _count(self) -> None:
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise self._error(f"a query has at most {MAX_COMPARISONS} comparisons and values", self._next.place)

    def _value(self) -> Value:
        token = self._take()
        if token.kind != "value":
            raise self._wrong("a number, a 'text', true, false, null or a time", token)
        text = token.text
        if text[0] in "'\"":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if text.lower() in _NAMED:
            return _NAMED[text.lower()]
        if "-" in text[1:] and text[:4].isdigit() and text[4] == "-":
            return self._time(token)
        return _number(text)

    def _time(self, token: _Token) -> datetime:
        try:
            moment = datetime.fromisoformat(token.text.upper())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self._error(f"{token.text} is not a time ({error}); write 2026-06-01 or 2026-06-01T12:30:00", token.place) from None

    # -- errors

    def _wrong(self, expected: str, token: _Token | None = None) -> UsageError:
        token = token or self._next
        return self._error(f"expected {expected}, got {repr(token.text) if token.text else 'the end'}", token.place)

    def _error(self, message: str, place: int) -> UsageError:
        before, after = self.text[:place], self.text[place:]
        before = f"...{before[-40:]}" if len(before) > 43 else before
        after = f"{after[:40]}..." if len(after) > 43 else after
        return UsageError(f"metadata query, character {place + 1}: {message}. Here: {before} --> {after}".rstrip())


def _hint(text: str, place: int) -> str:
    if text[place] == "=":
        return "; equality is written =="
    if text[place] in "'\"":
        return "; the text does not end, or holds a \\ that stands before none of ' \" \\"
    if text[place].isdigit() or text[place] in "`-/:":
        return "; a key that is no plain word stands in backquotes: `val loss`"
    return ""


def _number(text: str) -> int | float:
    if text.lstrip("+-").isdecimal() and len(text) < 25:
        whole = int(text)
        if -_LARGEST <= whole < _LARGEST:
            return whole
    return float(text)
