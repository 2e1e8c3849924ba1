"""What is looked at in facts that come over a wire before they are kept: whatever could later be taken for a path, or for other bytes.

A store that is used in its own process is told the truth by the engine. Over a wire anybody with an editor's token speaks.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lineal.errors import UsageError
from lineal.model import digest
from lineal.model.naming import MAX_NAME
from lineal.model.records import NewOutput, ObjectRecord, RunRecord, StepCommit, StepRunRecord

_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_DIGEST: Final = re.compile(r"[0-9a-f]{64}").fullmatch
_STEPS: Final = frozenset({"", ".", ".."})


def vet(values: Iterable[Any]) -> None:
    """Look at the arguments of an operation. Raises UsageError for what no client of ours sends."""
    for value in values:
        check = _CHECKS.get(type(value))
        if check is not None:
            check(value)
        elif isinstance(value, list | tuple):
            vet(value)


def _id(value: str, what: str) -> None:
    if not _ID(value):
        raise UsageError(f"the id of a {what} is a UUID in small letters, got {ascii(value)[:60]}")  # it names folders and files of logs


def _run(record: RunRecord) -> None:
    _id(record.id, "run")


def _step_run(record: StepRunRecord) -> None:
    _id(record.id, "step run")
    _id(record.run_id, "run")


def _commit(commit: StepCommit) -> None:
    vet((commit.step_run, *commit.outputs))


def _output(output: NewOutput) -> None:
    _id(output.id, "version")
    for text in (output.artifact, output.version or "-"):
        if not text.isprintable() or not 0 < len(text) <= MAX_NAME:
            raise UsageError(f"a name or version has 1 to {MAX_NAME} printable characters, got {ascii(text)[:80]}")
    _object(output.object)
    if output.companion is not None:
        _object(output.companion.object)


def _object(record: ObjectRecord) -> None:
    if not _DIGEST(record.digest):
        raise UsageError(f"the digest of an object is 64 hexadecimal digits, got {ascii(record.digest)[:80]}")
    for path, _, _ in record.files:
        if "\0" in path or "\\" in path or not _STEPS.isdisjoint(path.split("/")):
            raise UsageError(f"the file name {ascii(path)[:80]} leads out of its object")
    if sum(size for _, size, _ in record.files) != record.size or digest.of_object(record.files) != record.digest:
        raise UsageError(f"object {record.digest[:12]}: its files do not give its digest and size")
    inline = record.inline
    if inline is not None and [(len(inline), digest.of_bytes(inline))] != [(size, found) for _, size, found in record.files]:
        raise UsageError(f"object {record.digest[:12]}: its bytes are not those of its digest")


_CHECKS: Final[Mapping[type, Callable[[Any], None]]] = {
    RunRecord: _run, StepRunRecord: _step_run, StepCommit: _commit, NewOutput: _output,
}  # fmt: skip
