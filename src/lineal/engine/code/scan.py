"""Reads the syntax tree of one source file into units: what each function and class says, and which outer names it uses.

Nothing here looks at live objects or at the file system: the result depends on the source alone and can be stored.

The tree is walked once, with a stack of its own, so that neither deep expressions nor long `elif` chains meet Python's recursion
limit. Each scope collects its tokens; a scope inside another stands there as one token. When all are walked, they are finished from
the innermost outward.

What a function says leaves out docstrings and other lone constants, annotations, `pass`, positions, and decorators of Lineal. Defaults and
decorators are kept apart, for they are evaluated elsewhere. What a class says leaves out its methods and nested classes: units of their own.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from lineal.engine.code.scopes import Chain, Definition, Note, Scope

OWN_PACKAGE = "lineal"
_NO_MEANING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_STATEMENTS = frozenset({"body", "orelse", "finalbody"})
_COMPUTED = {"__import__": "__import__ with a computed name", "import_module": "import_module with a computed name"}
_CANNOT_FOLLOW = {"eval": "eval", "exec": "exec", "globals": "globals()", **_COMPUTED}


class Unit(NamedTuple):
    """A function, a lambda or a class of a file, as JSON can hold it.

    Attributes:
        kind: "function" or "class".
        qualname: Dotted name inside the module, without comprehensions.
        first: First line; decorators count.
        last: Last line.
        says: Digest of what it says.
        decorators: For a function, of each decorator but Lineal's: the chain that it begins with, its digest, the chains in it.
        chains: The outer names that it uses.
        hints: For a function, the names in the annotations of its parameters.
        notes: What cannot be followed: text and line.
        codes: Digests of the compiled code that comes from it, and their marks (see `compiled`); filled in by who compiles.
    """

    kind: str
    qualname: str
    first: int
    last: int
    says: str
    decorators: Sequence[tuple[Chain, str, Sequence[Chain]]]
    chains: Sequence[Chain]
    hints: Sequence[Chain]
    notes: Sequence[Note]
    codes: Sequence[str] = ()


class Scan(NamedTuple):
    """What one file holds: its units, the lines of its module-level names, and what its module-level imports bind."""

    units: Sequence[Unit]
    assigned: Mapping[str, Sequence[int]]
    imported: Mapping[str, Sequence[str]]


def scan(tree: ast.Module, hashed: Callable[[str], str]) -> Scan:
    """Read a module's tree. `hashed` gives the digest of a text."""
    return _Scanner(hashed).run(tree)


def _chain_of(node: ast.AST | None) -> Chain:
    """Give the dotted name that an expression is, or ()."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ()
    names.append(node.id)
    return tuple(reversed(names))


def _text_of(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _annotation(node: ast.expr) -> ast.expr:
    """Give an annotation as an expression: `"Config"` means Config."""
    text = _text_of(node)
    if text is None:
        return node
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return node  # only text


def _is_idle(statement: ast.stmt) -> bool:
    """Tell whether a statement does nothing: docstrings, lone constants, `pass`."""
    return isinstance(statement, ast.Pass) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))


class _Scanner:
    def __init__(self, hashed: Callable[[str], str]) -> None:
        self.hashed = hashed
        self.scope = Scope("module")
        self.scopes = [self.scope]  # outer before inner
        self.pending: list[tuple[Scope, Sequence[Any]]] = []
        self.stack: list[Any] = []
        self.definitions: list[tuple[Definition, list[tuple[Chain, Scope]]]] = []
        self.of_lineal: set[str] = set()
        self.assigned: dict[str, tuple[int, int]] = {}

    def run(self, tree: ast.Module) -> Scan:
        module = self.scope
        self.pending.append((module, self.statements(tree.body)))
        while self.pending:
            self.scope, nodes = self.pending.pop()
            self.walk(nodes)
        for definition, decorators in self.definitions:  # only now all imports are known
            definition.decorators = [scope for chain, scope in decorators if chain[:1] == () or chain[0] not in self.of_lineal]
        for scope in reversed(self.scopes):
            scope.finish(self.hashed)
        counted = {id(scope) for definition, _ in self.definitions for scope in definition.decorators}
        units = [_unit(scope, counted) for scope in self.scopes if scope.kind in ("function", "class")]
        return Scan(units, self.assigned, module.imports)

    def walk(self, nodes: Iterable[Any]) -> None:
        stack = self.stack = list(nodes)[::-1]
        while stack:
            item = stack.pop()
            if isinstance(item, ast.AST):
                _HANDLERS.get(type(item), _Scanner.generic)(self, item)
            else:
                self.emit(item if isinstance(item, Scope) else repr(item))

    # What is common

    def emit(self, *tokens: Any) -> None:
        self.scope.tokens.extend(tokens)

    def push(self, *items: Any) -> None:
        """Take items next, in this order: nodes are walked, scopes stand for themselves, all else is text."""
        self.stack.extend(items[::-1])

    def open(self, kind: str, nodes: Sequence[Any]) -> Scope:
        scope = Scope(kind, self.scope)
        self.scopes.append(scope)
        self.pending.append((scope, nodes))
        return scope

    def inside(self, kind: str, nodes: Sequence[Any]) -> Scope:
        scope = self.open(kind, nodes)
        self.scope.children.append(scope)
        return scope

    def place(self, scope: Scope, node: ast.stmt | ast.Lambda, name: str) -> None:
        scope.qualname = name if name in self.scope.declared else self.scope.prefix + name
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        scope.lines = (first, node.end_lineno or first)
        scope.bound.update(parameter.name for parameter in getattr(node, "type_params", ()))

    def load(self, chain: Chain, node: ast.expr | ast.stmt) -> None:
        self.scope.loads.append((chain, node.lineno))

    def generic(self, node: ast.AST) -> None:
        items: list[Any] = [type(node).__name__]
        for name in node._fields:
            if name in _NO_MEANING:
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                items += ["[", *(self.statements(value) if name in _STATEMENTS else value), "]"]
            else:
                items.append(value)
        self.push(*items)

    def statements(self, nodes: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [node for node in nodes if not _is_idle(node)]

    # Names

    def name(self, node: ast.Name) -> None:
        self.emit("=" + node.id)
        if isinstance(node.ctx, ast.Load):
            self.load((node.id,), node)
        else:
            self.scope.bind(node.id)

    def attribute(self, node: ast.Attribute) -> None:
        chain = _chain_of(node)
        if not chain:
            self.push("Attribute", node.attr, node.value)
            return
        self.emit(f"={'.'.join(chain)}")
        # `=` marks what is set and not read: an object is followed all the same, a module is not.
        self.load(chain if isinstance(node.ctx, ast.Load) else (*chain[:-1], "="), node)

    def constant(self, node: ast.Constant) -> None:
        value = node.value
        # Python refuses the decimal text of huge integers.
        self.emit(f"int {value:x}" if type(value) is int else f"constant {value!r}")

    def named(self, node: ast.NamedExpr) -> None:
        self.scope.binder().bind(node.target.id)
        self.push("NamedExpr", node.target.id, node.value)

    def augmented(self, node: ast.AugAssign) -> None:
        chain = _chain_of(node.target)
        if chain:
            self.load(chain, node)
        self.generic(node)

    def annotated(self, node: ast.AnnAssign) -> None:
        self.remember(node, [node.target])
        if self.scope.annotations_count:
            self.push("AnnAssign", node.target, _annotation(node.annotation), node.value)
        elif node.value is not None:
            self.push("Assign", "[", node.target, "]", node.value)
        elif isinstance(node.target, ast.Name):
            self.scope.bind(node.target.id)  # `x: int` makes x local without giving it a value

    def assign(self, node: ast.Assign) -> None:
        self.remember(node, node.targets)
        self.generic(node)

    def remember(self, node: ast.stmt, targets: Sequence[ast.AST]) -> None:
        if self.scope.kind == "module":
            for name in (inner for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)):
                self.assigned[name.id] = (node.lineno, node.end_lineno or node.lineno)

    def declare(self, node: ast.Global) -> None:
        self.scope.declared.update(node.names)
        self.generic(node)

    def binding(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            self.scope.bind(name)
        self.generic(node)

    def imports(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self.bind_import(name, f"!0|{alias.name}|{'' if alias.asname else '^'}", alias.name)
        self.generic(node)

    def imports_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        for alias in node.names:
            if alias.name != "*":
                self.bind_import(alias.asname or alias.name, f"!{node.level}|{module}|{alias.name}", "" if node.level else module)
        self.generic(node)

    def bind_import(self, name: str, target: str, module: str) -> None:
        self.scope.bind(name)
        self.scope.imports.setdefault(name, []).append(target)
        if module.partition(".")[0] == OWN_PACKAGE:
            self.of_lineal.add(name)

    # Calls that hide what they reach

    def call(self, node: ast.Call) -> None:
        chain = _chain_of(node.func)
        last = chain[-1] if chain else ""
        text = _text_of(node.args[0]) if node.args else None
        if chain == ("getattr",) and len(node.args) > 1:
            self.get_attribute(node)
            return
        if last in _COMPUTED and text is not None and not text.startswith("."):
            self.load((f"!0|{text}|",), node)
        elif last in _CANNOT_FOLLOW and (len(chain) == 1 or last == "import_module"):
            self.scope.remarks.append((chain[0], _CANNOT_FOLLOW[last], node.lineno))
        self.generic(node)

    def get_attribute(self, node: ast.Call) -> None:
        """Take `getattr(x, "name")` for `x.name`; note when the name is computed."""
        name = _text_of(node.args[1])
        if name is None:
            self.scope.remarks.append(("getattr", "getattr with a computed name", node.lineno))
            self.generic(node)
        else:
            plain = ast.copy_location(ast.Attribute(node.args[0], name, ast.Load()), node)
            self.push("getattr", plain, "[", *node.args[2:], "]")

    def subscript(self, node: ast.Subscript) -> None:
        name = _text_of(node.slice)
        if name is not None and isinstance(node.value, ast.Call) and _chain_of(node.value.func) == ("globals",):
            self.load((":" + name,), node)  # globals()["name"] is that name
            self.emit("globals", repr(name))
        else:
            self.generic(node)

    # Scopes

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        nodes: list[Any] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for number, part in enumerate(node.generators):
            # The first iterable is evaluated outside: names in it are not those that the comprehension binds.
            nodes += ["for", part.is_async, part.target, *([part.iter] if number else []), "[", *part.ifs, "]"]
        self.push(type(node).__name__, node.generators[0].iter, self.inside("inner", nodes))

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.scope.bind(node.name)
        decorators = [(_chain_of(d.func if isinstance(d, ast.Call) else d), self.inside("outer", [d])) for d in node.decorator_list]
        defaults = self.inside("outer", [*node.args.defaults, "keywords", *node.args.kw_defaults])
        scope = self.signature(node, node.name, node.body)
        scope.decorators = decorators
        definition = Definition(node.name, scope, [defaults], [])
        self.definitions.append((definition, decorators))
        self.emit(definition)

    def anonymous(self, node: ast.Lambda) -> None:
        defaults = self.inside("outer", [*node.args.defaults, "keywords", *node.args.kw_defaults])
        self.emit(self.signature(node, "<lambda>", [ast.Return(node.body)]), defaults)

    def signature(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, name: str, body: Sequence[ast.stmt]) -> Scope:
        """Open the scope of a function: the names of its parameters, then its body; annotations apart."""
        given = node.args
        plain, marked = [*given.posonlyargs, *given.args, *given.kwonlyargs], [given.vararg, given.kwarg]
        scope = self.inside("function", self.statements(body))
        self.place(scope, node, name)
        scope.bound.update(arg.arg for arg in (*plain, *marked) if arg is not None)
        scope.tokens += [type(node).__name__, f"{len(given.posonlyargs)} {len(given.args)}", *(arg.arg for arg in plain)]
        scope.tokens += ["*" + (arg.arg if arg else "") for arg in marked]
        hints = [arg.annotation for arg in (*plain, *marked) if arg is not None and arg.annotation is not None]
        scope.hints = self.open("outer", [_annotation(hint) for hint in hints])
        return scope

    def class_(self, node: ast.ClassDef) -> None:
        self.scope.bind(node.name)
        scope = self.inside("class", self.statements(node.body))
        self.place(scope, node, node.name)
        # Opened after the class, so that it is finished before.
        scope.head = head = self.inside("outer", [*node.decorator_list, "bases", *node.bases, "keywords", *node.keywords])
        scope.tokens.append("ClassDef")
        # Decorators, base classes and metaclasses read annotations (dataclass, NamedTuple, pydantic); a bare class does not.
        scope.annotations_count = bool(node.decorator_list or node.bases or node.keywords)
        definition = Definition(node.name, scope, [head], [])
        self.definitions.append((definition, []))
        self.emit(definition)


def _unit(scope: Scope, counted: set[int]) -> Unit:
    decorators = [(chain, outer.digest, sorted(outer.free)) for chain, outer in scope.decorators if id(outer) in counted]
    hints = sorted(scope.hints.free) if scope.hints is not None else []
    whole = scope.kind == "function"
    chains, notes = (scope.free, scope.notes) if whole else (scope.own_free, scope.own_notes)
    return Unit(scope.kind, scope.qualname, *scope.lines, scope.own_digest, decorators, sorted(chains), hints, notes)


_HANDLERS: dict[type[ast.AST], Callable[[_Scanner, Any], None]] = {
    ast.Name: _Scanner.name,
    ast.Attribute: _Scanner.attribute,
    ast.Constant: _Scanner.constant,
    ast.NamedExpr: _Scanner.named,
    ast.AugAssign: _Scanner.augmented,
    ast.AnnAssign: _Scanner.annotated,
    ast.Assign: _Scanner.assign,
    ast.Global: _Scanner.declare,
    ast.ExceptHandler: _Scanner.binding,
    ast.MatchAs: _Scanner.binding,
    ast.MatchStar: _Scanner.binding,
    ast.MatchMapping: _Scanner.binding,
    ast.Import: _Scanner.imports,
    ast.ImportFrom: _Scanner.imports_from,
    ast.Call: _Scanner.call,
    ast.Subscript: _Scanner.subscript,
    ast.ListComp: _Scanner.comprehension,
    ast.SetComp: _Scanner.comprehension,
    ast.GeneratorExp: _Scanner.comprehension,
    ast.DictComp: _Scanner.comprehension,
    ast.FunctionDef: _Scanner.function,
    ast.AsyncFunctionDef: _Scanner.function,
    ast.Lambda: _Scanner.anonymous,
    ast.ClassDef: _Scanner.class_,
}
