"""Scopes of a source file: what each says, and which names it takes from outside.

A chain is a dotted name as a tuple, `("prep", "clean")`. Its first element is a name that is not bound there, or `:name` for a
name that is global by declaration, or `!level|module|name` for what an import inside a function binds (`name` is empty for
`import a.b as x` and `^` for `import a.b`, which binds `a`).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Chain = tuple[str, ...]
Note = tuple[str, int]


@dataclass(slots=True, eq=False)
class Definition:
    """Stands in the tokens where a statement defines a function or class.

    Attributes:
        name: The name that it binds.
        scope: The function or class.
        also: What the definition evaluates on the spot: defaults; decorators, bases and keywords of a class.
        decorators: The decorators of a function that count.
    """

    name: str
    scope: "Scope"
    also: list["Scope"]
    decorators: list["Scope"]

    def scopes(self) -> list["Scope"]:
        """Give all scopes of the definition."""
        return [*self.decorators, self.scope, *self.also]


@dataclass(slots=True, eq=False)
class Scope:
    """A module, function, class, comprehension ("inner"), or what is evaluated in the parent ("outer": defaults, decorators, bases).

    `tokens` holds texts, and scopes and definitions in their places. What `finish` fills in counts everything inside; for a class,
    `own_` leaves out what its definitions say: methods and nested classes are units of their own.
    """

    kind: str
    parent: "Scope | None" = None
    qualname: str = ""
    lines: tuple[int, int] = (0, 0)
    tokens: list[Any] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)
    imports: dict[str, list[str]] = field(default_factory=dict)
    loads: list[tuple[Chain, int]] = field(default_factory=list)
    remarks: list[tuple[str, str, int]] = field(default_factory=list)
    children: list["Scope"] = field(default_factory=list)
    decorators: list[tuple[Chain, "Scope"]] = field(default_factory=list)
    hints: "Scope | None" = None
    head: "Scope | None" = None
    annotations_count: bool = False
    free: dict[Chain, None] = field(default_factory=dict)
    own_free: dict[Chain, None] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    own_notes: list[Note] = field(default_factory=list)
    digest: str = ""
    own_digest: str = ""

    @property
    def prefix(self) -> str:
        """What stands before the qualified names of what is defined here; comprehensions leave no trace."""
        if self.kind in ("inner", "outer") and self.parent is not None:
            return self.parent.prefix
        if self.kind == "function":
            return f"{self.qualname}.<locals>."
        return f"{self.qualname}." if self.qualname else ""

    def binder(self) -> "Scope":
        """Give the scope in which `:=` binds a name here."""
        scope = self
        while scope.kind in ("inner", "outer") and scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str) -> None:
        """Note that a name is bound here, unless it was declared global."""
        scope = self.binder() if self.kind == "outer" else self
        if name not in scope.declared:
            scope.bound.add(name)

    def finish(self, hashed: Callable[[str], str]) -> None:
        """Give the scope its digest and its free names. Those of the scopes inside must be known."""
        texts, own = [], []
        for token in self.tokens:
            if isinstance(token, Definition):
                texts.append(" ".join([token.name, *(scope.digest for scope in token.scopes())]))
            else:
                texts.append(token.digest if isinstance(token, Scope) else token)
                own.append(texts[-1])
        self.digest = self.own_digest = hashed("\0".join(texts))
        if self.kind == "class":
            self.own_digest = hashed("\0".join([self.head.digest if self.head else "", *own]))
        self._finish_names()

    def _finish_names(self) -> None:
        used: set[str] = set()
        definitions = [token for token in self.tokens if isinstance(token, Definition)]
        defined = {id(scope) for definition in definitions for scope in definition.scopes()}
        left_out = {id(s) for d in definitions for _, s in d.scope.decorators} - defined  # decorators that do not count
        self._take([chain for chain, _ in self.loads], used, own=True)
        remarks = [(text, line) for name, text, line in self.remarks if name not in self.bound or name in self.imports]
        remarks += [("sys.modules", line) for chain, line in self.loads if chain[:2] == ("sys", "modules")]
        self._note(remarks, own=True)
        for child in self.children:
            if id(child) in left_out:
                continue
            own = id(child) not in defined
            # Names of a class are not seen by the functions in it, only by what the class body itself evaluates.
            self._take(child.free, used, own=own, visible=self.kind != "class" or child.kind == "outer")
            self._note(child.notes, own=own)
        if self.head is not None:
            self.own_free.update(self.head.free)
        if self.kind == "function":  # what is imported and not used is imported for its effect
            self.free.update({(target,): None for name, targets in self.imports.items() if name not in used for target in targets})

    def _take(self, chains: Iterable[Chain], used: set[str], *, own: bool, visible: bool = True) -> None:
        for chain in chains:
            for outward in self._outward(chain, used) if visible else (chain,):
                self.free[outward] = None
                if own:
                    self.own_free[outward] = None

    def _outward(self, chain: Chain, used: set[str]) -> Iterator[Chain]:
        """Give what a name used here means outside: nothing if it is bound here, what is imported if an import binds it."""
        name = chain[0]
        if name in self.declared:
            yield (":" + name, *chain[1:])
        elif name in self.imports and self.kind != "module":
            used.add(name)
            yield from ((target, *chain[1:]) for target in self.imports[name])
        elif name not in self.bound or self.kind in ("module", "class"):  # `x = x` in a class body reads an outer x
            yield chain

    def _note(self, notes: list[Note], *, own: bool) -> None:
        self.notes += notes
        if own:
            self.own_notes += notes
