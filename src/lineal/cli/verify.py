"""`lineal verify`: is everything there that should be, and how does it come back."""

import contextlib
import dataclasses
import sys

import click

from lineal.cli.noting import noted
from lineal.cli.options import age
from lineal.client import Client
from lineal.console import json_option, print_json
from lineal.errors import StoreError
from lineal.model.text import shown, size_text
from lineal.verifying import GRACE, Problem, VerifyReport

SHOWN = 20
"""Versions, problems and leftovers that are shown one by one."""


@click.command("verify", short_help="Say what is lost, who made it, and how to get it back.")
@click.option("--read-data", is_flag=True, help="Read all bytes and compare digests; otherwise only names and sizes are compared.")
@click.option("--repair", is_flag=True, help="Mark what is lost, put aside what is damaged, sweep what is left over. Deletes no object.")
@click.option("--older-than", metavar="AGE", help="With --repair: leave younger objects without a record alone; 1d by default.")
@json_option
def command(read_data: bool, repair: bool, older_than: str | None, as_json: bool) -> None:
    """Compare records and bytes in both directions, and say what is lost, who made it, and how to get it back.

    Ends with 0 when nothing is lost, damaged or changed, and with 5 when something is, also when --repair has dealt with it.
    """
    grace = GRACE if older_than is None else age(older_than)
    with noted("repair") if repair else contextlib.nullcontext():
        report = Client().verify(read_data=read_data, repair=repair, older_than=grace)
    if as_json:
        print_json({"ok": report.ok, **dataclasses.asdict(report)})
    else:
        _print(report)
    if not report.ok:
        sys.exit(StoreError.exit_code)


def _print(report: VerifyReport) -> None:
    for problem in report.problems[:SHOWN]:
        _print_problem(problem)
    if len(report.problems) > SHOWN:
        click.echo(f"and {len(report.problems) - SHOWN} more problems; --json shows all")
    for line in _lines(report):
        click.echo(line)
    looked = "read" if report.read_data else "looked at"
    found = "all is well" if report.ok else _count(len(report.problems), "problem")
    click.secho(f"{_count(report.objects, 'object')}, {size_text(report.bytes)}, {looked}: {found}", fg="green" if report.ok else "red")


def _print_problem(problem: Problem) -> None:
    title = ", ".join(problem.versions[:SHOWN]) or "the metadata store"
    more = f" and {len(problem.versions) - SHOWN} more" if len(problem.versions) > SHOWN else ""
    click.secho(f"{problem.kind}: {shown(title)}{more}", fg="red")
    for name, text in (
        ("what", problem.what),
        ("made by", "; ".join(problem.made_by)),
        ("get it back", problem.remedy),
        ("done", problem.repaired),
    ):
        if text:
            click.echo(f"  {name:<11}  {shown(text)}")


def _lines(report: VerifyReport) -> list[str]:
    aside = f"; {len(report.quarantined)} put into quarantine" if report.quarantined else ""
    hint = "" if report.repaired else "; --repair puts them into quarantine"
    lines = []
    if report.lost:
        lines.append(f"{_count(len(report.lost), 'version')} marked as lost before: {_some(report.lost)}")
    if report.found:
        lines.append(
            f"{_count(len(report.found), 'lost version')} found again: {_some(report.found)}{'' if report.repaired else '; --repair marks them'}"
        )
    if report.unrecorded:
        lines.append(f"{_count(len(report.unrecorded), 'object')} without a record, which do no harm{hint}")
    if report.strays:
        lines.append(
            f"{_count(len(report.strays), 'file or folder', 'files or folders')} among the objects that are none{hint}: {_some(report.strays)}"
        )
    if report.stale:
        lines.append(f"{_count(len(report.stale), 'unfinished write')}, {'swept' if report.repaired else 'which --repair sweeps'}")
    if report.condemned:
        lines.append(f"{_count(report.condemned, 'object')} that no record needs: lineal artifact prune removes them")
    return [*lines, aside.removeprefix("; ")] if aside else lines


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(shown(name) for name in names[:SHOWN]) + more


def _count(number: int, what: str, many: str = "") -> str:
    return f"{number:,} {what if number == 1 else many or what + 's'}"
