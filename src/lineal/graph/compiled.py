"""Annotations compiled into checks, each once, by the rules of type checkers as far as a value can show.

The elements of builtin containers are checked, all and not a sample, until the budget of elements of one value is used up; a
container that would go beyond it is checked for its own class only. So no check costs more than about a millisecond.
"""

import collections
import inspect
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

from lineal.graph.annotations import is_alias, per_annotation, unalias

Check = Callable[[Any, list[int]], bool]
"""Tells whether a value fits. The list holds one number: how many more elements may be looked at; checks count it down."""

CONTAINERS = frozenset(
    {list, tuple, set, frozenset, dict, collections.deque, collections.OrderedDict, collections.defaultdict, collections.Counter}
)
"""The exact types whose elements are looked at: reading them has no effect and ends."""

_PLAIN_MODULES = frozenset({"builtins", "collections", "collections.abc"})

# A number passes for a wider one (PEP 484), and a numpy scalar for its Python kind. numpy's classes go by name: it may not be there.
_WIDER: dict[type, tuple[type, ...]] = {float: (float, int), complex: (complex, float, int)}
_NUMPY: dict[type, frozenset[str]] = {
    bool: frozenset({"bool", "bool_"}),
    int: frozenset({"integer"}),
    float: frozenset({"floating", "integer"}),
    complex: frozenset({"number"}),
}


@per_annotation
def check_of(annotation: Any) -> Check:
    """Give the compiled check of an annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_alias(annotation) or is_alias(origin):
        return _check_later(annotation)
    if origin is None:
        return _check_bare(annotation)
    special = _SPECIAL.get(origin)
    if special is not None:
        return special(annotation, arguments)
    if is_container(origin):
        if issubclass(origin, Mapping) and len(arguments) == 2:
            return _check_mapping(origin, check_of(arguments[0]), check_of(arguments[1]))
        if len(arguments) == 1:
            return _check_collection(origin, check_of(arguments[0]))
    return _check_class(origin)


def is_container(origin: Any) -> bool:
    """Tell whether the arguments of a generic class are the types of its elements. A user's own class may mean anything by them."""
    return isinstance(origin, type) and origin.__module__ in _PLAIN_MODULES and issubclass(origin, Iterable)


def anything(value: Any, budget: list[int]) -> bool:
    """The check that takes every value."""
    return True


def anything_but_none(value: Any, budget: list[int]) -> bool:
    """The check of a protocol or abstract class, which takes every value but None."""
    return value is not None


def _nothing(value: Any, budget: list[int]) -> bool:
    return False


class _OfType:
    """Decides by the type of the value alone, so that a container can ask once for each type of its elements."""

    __slots__ = ("classes", "numpy")

    def __init__(self, classes: tuple[type, ...], numpy: frozenset[str] = frozenset()) -> None:
        self.classes = classes
        self.numpy = numpy

    def __call__(self, value: Any, budget: list[int]) -> bool:
        return isinstance(value, self.classes) or self._takes_numpy(type(value))

    def takes(self, kind: type) -> bool:
        """Tell whether all values of a type fit."""
        return issubclass(kind, self.classes) or self._takes_numpy(kind)

    def _takes_numpy(self, kind: type) -> bool:
        if not self.numpy:
            return False
        names = {base.__name__ for base in kind.__mro__ if base.__module__ == "numpy"}
        # numpy derives its timedelta64 from its integers.
        return not self.numpy.isdisjoint(names) and "timedelta64" not in names


def _check_later(annotation: Any) -> Check:
    # An alias may name itself: it is opened when a value comes, one level at a time.
    meant: list[Any] = []

    def check(value: Any, budget: list[int]) -> bool:
        if not meant:
            meant.append(unalias(annotation))
        return check_of(meant[0])(value, budget)

    return check


def _check_bare(annotation: Any) -> Check:
    if annotation is None:
        return _OfType((types.NoneType,))
    if annotation is typing.LiteralString:
        return _OfType((str,))
    if annotation is typing.Never or annotation is typing.NoReturn:
        return _nothing
    if isinstance(annotation, NewType):
        return check_of(annotation.__supertype__)
    if isinstance(annotation, TypeVar):
        return _check_variable(annotation)
    if isinstance(annotation, type) and annotation is not object and annotation is not Any:
        return _check_class(annotation)
    return anything


def _check_variable(variable: TypeVar) -> Check:
    if variable.__constraints__:
        return _check_union(None, variable.__constraints__)
    return anything if variable.__bound__ is None else check_of(variable.__bound__)


def _check_class(cls: Any) -> Check:
    if typing.is_typeddict(cls):
        return _check_typed_dict(cls)
    if getattr(cls, "_is_protocol", False) and cls.__module__ not in _PLAIN_MODULES:
        return anything_but_none
    if inspect.isabstract(cls) and cls.__module__.partition(".")[0] not in sys.stdlib_module_names:
        return anything_but_none
    try:
        isinstance(None, cls)
    except Exception:  # a class may refuse the question (a metaclass of its own): then no value can be judged
        return anything
    return _OfType(_WIDER.get(cls, (cls,)), _NUMPY.get(cls, frozenset()))


def _check_typed_dict(cls: Any) -> Check:
    required = set(cls.__required_keys__)
    try:  # under postponed evaluation NotRequired stands in a text, which the class itself has not read
        hints = typing.get_type_hints(cls, include_extras=True)
    except Exception:  # a name that cannot be found: the class's own word has to do
        hints = {}
    required -= {key for key, hint in hints.items() if get_origin(hint) is typing.NotRequired}
    return lambda value, budget: isinstance(value, dict) and value.keys() >= required


def _check_union(annotation: Any, arguments: tuple[Any, ...]) -> Check:
    checks = [check_of(argument) for argument in arguments]
    if anything in checks:
        return anything
    simple = [check for check in checks if isinstance(check, _OfType)]
    if len(simple) == len(checks):
        return _OfType(tuple(cls for check in simple for cls in check.classes), frozenset().union(*(check.numpy for check in simple)))
    return lambda value, budget: any(check(value, budget) for check in checks)


def _check_literal(annotation: Any, arguments: tuple[Any, ...]) -> Check:
    def check(value: Any, budget: list[int]) -> bool:
        if type(value).__module__ == "numpy" and hasattr(value, "item"):
            value = value.item() if getattr(value, "ndim", None) == 0 else None
        return any(type(value) is type(allowed) and value == allowed for allowed in arguments)

    return check


def _check_type(annotation: Any, arguments: tuple[Any, ...]) -> Check:
    if not arguments:
        return _OfType((type,))
    wanted = unalias(arguments[0])
    if isinstance(wanted, TypeVar):
        wanted = wanted.__bound__ or Any
    members = get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)
    bases = tuple(get_origin(member) or member for member in members)
    if not all(isinstance(base, type) for base in bases) or not all(isinstance(check_of(base), _OfType) for base in bases):
        return _OfType((type,))
    return lambda value, budget: isinstance(value, type) and issubclass(value, bases)


def _check_tuple(annotation: Any, arguments: tuple[Any, ...]) -> Check:
    if annotation is typing.Tuple or any(map(_is_unpacked, arguments)):  # noqa: UP006 - the bare alias itself
        return _OfType((tuple,))
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _check_collection(tuple, check_of(arguments[0]))
    checks = [check_of(argument) for argument in arguments]

    def check(value: Any, budget: list[int]) -> bool:
        if not isinstance(value, tuple) or len(value) != len(checks):
            return False
        return all(each(item, budget) for each, item in zip(checks, value, strict=True))

    return check


def _is_unpacked(argument: Any) -> bool:
    return (
        bool(getattr(argument, "__unpacked__", False)) or get_origin(argument) is typing.Unpack or isinstance(argument, typing.TypeVarTuple)
    )


def _check_collection(cls: Any, element: Check) -> Check:
    def check(value: Any, budget: list[int]) -> bool:
        return isinstance(value, cls) and (type(value) not in CONTAINERS or _every(element, value, budget))

    return check


def _check_mapping(cls: Any, key: Check, item: Check) -> Check:
    def check(value: Any, budget: list[int]) -> bool:
        if not isinstance(value, cls):
            return False
        return type(value) not in CONTAINERS or (_every(key, value, budget) and _every(item, value.values(), budget))

    return check


def _every(check: Check, items: Collection[Any], budget: list[int]) -> bool:
    if check is anything or len(items) > budget[0]:
        return True
    budget[0] -= len(items)
    if isinstance(check, _OfType) and all(map(check.takes, set(map(type, items)))):
        return True
    return all(check(item, budget) for item in items)


_SPECIAL: dict[Any, Callable[[Any, tuple[Any, ...]], Check]] = {
    Union: _check_union,
    types.UnionType: _check_union,
    Literal: _check_literal,
    Annotated: lambda annotation, arguments: check_of(arguments[0]),
    type: _check_type,
    tuple: _check_tuple,
}
