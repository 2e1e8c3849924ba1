"""Which literal tuples a function's own body returns: `return a, b` makes several outputs, `return pair` makes one."""

import ast
import dis
import inspect
from collections.abc import Callable, Iterator
from typing import Any

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def literal_returns(function: Callable[..., Any]) -> list[int | None]:
    """Give the number of elements of each literal tuple of two or more that the body returns; None when a `*rest` hides the number.

    Read from the source. Where that cannot be had (typed at a prompt, made by `exec`, an edited file) the bytecode says the same,
    except that it misses a return from inside `with` or `try` and the number behind a `*rest`.
    """
    body = _body(function)
    if body is None:
        return list(_from_bytecode(function))
    return list(_from_tree(body))


def _body(function: Callable[..., Any]) -> list[ast.stmt] | None:
    code = function.__code__
    try:
        source = inspect.getsource(function)
        # An indented definition needs something to be indented under; its own text, with what strings hold, stays as it is.
        tree = ast.parse(f"if True:\n{source}" if source[:1].isspace() else source)
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            # The first definition is the one; a file that was edited since it was imported shows some other one.
            same = node.name == code.co_name and len(arguments) == code.co_argcount + code.co_kwonlyargcount
            return node.body if same else None
    return None


def _from_tree(body: list[ast.stmt]) -> Iterator[int | None]:
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, _SCOPES):
            continue
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
            starred = any(isinstance(element, ast.Starred) for element in node.value.elts)
            yield None if starred else len(node.value.elts)
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _from_bytecode(function: Callable[..., Any]) -> Iterator[int | None]:
    made = 0  # elements of the tuple that was just put on the stack
    for instruction in dis.get_instructions(function):
        name = instruction.opname
        if name == "BUILD_TUPLE":
            made = instruction.argval
        elif name in ("LOAD_CONST", "RETURN_CONST"):
            made = len(instruction.argval) if isinstance(instruction.argval, tuple) else 0
        elif name not in ("RETURN_VALUE", "SWAP", "POP_TOP"):  # returning from a loop swaps its iterator away first
            made = 0
        if name.startswith("RETURN") and made > 1:
            yield made
