"""Writes docs/reference.md from the docstrings: every public name, every error and every command. Run it after changing one of them."""

import ast
import importlib
import inspect
import re
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from lineal import errors
from lineal.cli.app import cli

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

Every public name and every command, from the docstrings. `python docs/make_reference.py` writes this page.
"""
MODULES = {
    "lineal": "What pipelines are written with.",
    "lineal.client": "Find, list and load what pipelines left.",
    "lineal.views": "What the client, a pipeline and a handle give.",
    "lineal.views.difference": "What `diff` gives.",
    "lineal.engine.planned": "What a plan says of each step.",
    "lineal.engine.forecast": "What a run of it would cost.",
    "lineal.materializers": "How values become files and come back; see [materializers](materializers.md).",
    "lineal.types": "Types to give from steps.",
    "lineal.testing": "Contract suites to inherit.",
}
NAMES = {
    "lineal.client": ["Client", "Page"],
    "lineal.views": ["RunView", "StepRunView", "VersionView", "ArtifactView", "LineageView", "PlanView"],
    "lineal.views.difference": ["Difference"],
    "lineal.engine.planned": ["PlannedStep"],
    "lineal.engine.forecast": ["Forecast"],
}
"""Modules without an `__all__` for users, and their public names."""

_SECTION = re.compile(r"^(Args|Attributes):$")
_ITEM = re.compile(r"^ {4}(\*{0,2}\w+(?:, \w+)*): ?(.*)$")
_PREFIX = re.compile(r"\b(?:lineal|collections|typing|pathlib|datetime|uuid|click)\.(?:\w+\.)*(?=\w)")


def make() -> str:
    """Give the text of the page."""
    parts, seen = [HEAD], dict[Any, str]()
    for module, said in MODULES.items():
        parts.append(f"## {module}\n\n{said}\n")
        found = importlib.import_module(module)
        for name in NAMES.get(module) or found.__all__:
            value = getattr(found, name)
            parts.append(f"### {module}.{name}\n\n{_described_above(seen[value]) if value in seen else _told(name, value, module)}")
            seen.setdefault(value, f"{module}.{name}")
    return "\n".join([*parts, _errors(), _commands()])


def _described_above(name: str) -> str:
    return f"The same as [{name}](#{name.lower().replace('.', '')}).\n"


def _told(name: str, value: Any, module: str) -> str:
    made_by_users = not module.startswith(("lineal.views", "lineal.engine"))
    parts = [_signature(name, value) if made_by_users else "", _described(inspect.getdoc(value) or "")]
    if inspect.isclass(value):
        parts += [*_attributes(value), *_members(value)]
    return "\n".join(part for part in parts if part)


def _attributes(cls: type) -> Iterator[str]:
    """Give the attributes that have a text below them in the body of the class, and those of its bases."""
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("lineal"):
            body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0]
            assert isinstance(body, ast.ClassDef)
            for node, text in zip(body.body, body.body[1:], strict=False):
                if isinstance(node, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                    name = ast.unparse(node.target)
                    default = f" = {ast.unparse(node.value)}" if node.value is not None else ""
                    yield f"- **`{name}: {ast.unparse(node.annotation)}{default}`**: {_described(str(text.value.value), '  ').strip()}\n"


def _members(cls: type) -> Iterator[str]:
    for name, member in _own(cls).items():
        said = _described(inspect.getdoc(member) or "", indent="  ")
        if isinstance(member, property) or hasattr(member, "attrname"):  # a cached property has a name and no getter
            yield f"- **`{name}`**: {said.lstrip()}"
        else:
            function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
            yield f"- **`{name}{_parameters(function, skip_first=not isinstance(member, staticmethod))}`**: {said.lstrip()}"


def _own(cls: type) -> dict[str, Any]:
    """Give the public methods and properties of a class and its bases of Lineal, in the order of their definition."""
    found: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.startswith("lineal"):
            for name, member in vars(each).items():
                kinds = isinstance(member, property | classmethod | staticmethod) or hasattr(member, "attrname")
                if not name.startswith("_") and (kinds or inspect.isfunction(member)):
                    found[name] = member
    return found


def _signature(name: str, value: Callable[..., Any]) -> str:
    shown = name.rpartition(".")[2]
    try:
        return f"```text\n{shown}{_parameters(value)}\n```\n"
    except ValueError:  # a class that takes what its base takes
        return ""


def _parameters(value: Callable[..., Any], *, skip_first: bool = False) -> str:
    overloads = typing.get_overloads(value)
    signature = inspect.signature(overloads[-1] if overloads else value)
    parameters = list(signature.parameters.values())[1 if skip_first else 0 :]
    returns = inspect.Signature.empty if inspect.isclass(value) else signature.return_annotation
    text = str(signature.replace(parameters=parameters, return_annotation=returns))
    return _PREFIX.sub("", text).replace("'", "").replace("~", "")


def _described(doc: str, indent: str = "") -> str:
    """Give a docstring as Markdown: its lists of arguments and attributes become bullets."""
    lines: list[str] = []
    inside = False
    for line in doc.splitlines():
        section, item = _SECTION.match(line), _ITEM.match(line)
        if section:
            inside = True
        elif inside and item:
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif inside and line.startswith("     "):
            lines[-1] += " " + line.strip()
        else:
            inside = inside and not line.strip()
            if line.strip() or (lines and lines[-1]):
                lines.append(line)
    return "\n".join(f"{indent}{line}" if line else "" for line in lines).rstrip() + "\n"


def _errors() -> str:
    rows = []
    waiting: list[type[errors.LinealError]] = [errors.LinealError]
    while waiting:
        cls = waiting.pop(0)
        bases = ", ".join(f"`{base.__name__}`" for base in cls.__bases__)
        said = " ".join((cls.__doc__ or "").split("\n\n")[0].split())
        rows.append(f"| `{cls.__name__}` | {bases} | {cls.exit_code} | {said} |")
        waiting = [each for each in cls.__subclasses__() if each.__module__ == errors.__name__] + waiting
    head = "## lineal.errors\n\nEvery error that Lineal raises on purpose, with the exit code of the command line.\n\n"
    return f"{head}| error | is also | exit code | means |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _commands() -> str:
    parts = ["## The command line\n\n[The command line](cli.md) shows each of them at work.\n"]
    return "\n".join([*parts, *_command(cli, "lineal")])


def _command(command: click.Command, path: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _command(found, f"{path} {name}")
        return
    arguments = " ".join(each.make_metavar(_context(command, path)) for each in command.params if isinstance(each, click.Argument))
    text = f"### {path}\n\n```text\n{path} [OPTIONS] {arguments}".rstrip() + f"\n```\n\n{inspect.cleandoc(command.help or '')}\n"
    options = [each for each in command.params if isinstance(each, click.Option)]
    for option in options:
        named = ", ".join([*option.opts, *option.secondary_opts])
        value = "" if option.is_flag or option.count else f" {option.make_metavar(_context(command, path))}"
        default = f" Default: {option.default}." if option.show_default and option.default is not None else ""
        text += f"\n- `{named}{value}`: {option.help or ''}{default}"
    yield text + "\n"


def _context(command: click.Command, path: str) -> click.Context:
    return click.Context(command, info_name=path)


if __name__ == "__main__":
    PAGE.write_text(make(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} is written\n")
