"""Compiled code: its digest, to tell whether a source is what was loaded, and the names in it where there is no source."""

import dis
import inspect
import marshal
import sys
from types import CodeType
from typing import Any

from lineal.engine.code.parts import digest_of
from lineal.model import digest

Chain = tuple[str, ...]

# Flags that change what a call does. Others say which `from __future__` imports were on, or that there is a docstring.
_FLAGS = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ITERABLE_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
)
_HAS_DOCSTRING = 0x4000000  # since Python 3.13; before, the first constant is the docstring or None
_READS_NAME = frozenset(
    {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_GLOBALS", "LOAD_FROM_DICT_OR_DEREF"}
)
_READS_ATTRIBUTE = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def code_digest(code: CodeType) -> str:
    """Give the digest of what compiled code does: without its docstring, its positions, and the path of its file."""
    return digest_of(
        "bytecode/1",
        (
            (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _FLAGS),
            (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
            (code.co_code, code.co_exceptiontable),
            [_constant(value) for value in _constants(code)],
        ),
    )


def code_mark(code: CodeType) -> str:
    """Give a digest of all that compiled code is, its path and positions too, five times as fast as `code_digest`, or that if there is none.

    Equal marks say that the code is the same. Unequal ones say nothing: the order of a set may differ from process to process.
    """
    try:
        return digest.of_bytes(marshal.dumps(code, 0))  # version 0: later ones write what is shared, which differs from time to time
    except ValueError:
        return code_digest(code)


def _constants(code: CodeType) -> tuple[Any, ...]:
    values = code.co_consts
    if sys.version_info >= (3, 13):
        has_docstring = bool(code.co_flags & _HAS_DOCSTRING)
    else:
        has_docstring = bool(values) and isinstance(values[0], str) and not code.co_name.startswith("<")
    return (None, *values[1:]) if has_docstring else values


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return ("code", value.co_name, code_digest(value))
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    if isinstance(value, frozenset):  # its order depends on the hash seed
        return ("frozenset", sorted(map(repr, map(_constant, value))))
    return ("int", hex(value)) if type(value) is int else value


def qualname_of(code: CodeType) -> str:
    """Give the qualified name without comprehensions, which stand in it in some Python versions only."""
    name = code.co_qualname
    for comprehension in _COMPREHENSIONS:
        name = name.replace(f"{comprehension}.", "")
    return name


def codes_in(code: CodeType) -> list[CodeType]:
    """Give all code inside of a code object, outer before inner and in the order of the source."""
    found: list[CodeType] = []
    waiting = [code]
    while waiting:
        inner = [value for value in waiting.pop().co_consts if isinstance(value, CodeType)]
        found += inner
        waiting += inner
    return found


def chains_in(code: CodeType) -> list[Chain]:
    """Give the outer names that compiled code uses, as chains (see `scopes`)."""
    found: set[Chain] = set()
    for part in (code, *codes_in(code)):
        chain: Chain = ()
        level, module = 0, ""
        for instruction in dis.get_instructions(part):
            operation, argument = instruction.opname, instruction.argval
            if operation in _READS_ATTRIBUTE and chain:
                chain = (*chain, argument)
                continue
            found.add(chain)
            chain = (argument,) if operation in _READS_NAME else ()
            if operation in ("LOAD_CONST", "LOAD_SMALL_INT") and type(argument) is int:
                level = argument
            elif operation == "IMPORT_NAME":
                module = argument
                chain = (f"!{level}|{module}|",)
            elif operation == "IMPORT_FROM":
                found.discard((f"!{level}|{module}|",))
                chain = (f"!{level}|{module}|{argument}",)
        found.add(chain)
    return sorted(found - {()})
