"""Facts from afar cannot be taken for paths or for other bytes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lineal.errors import UsageError
from lineal.model import digest
from lineal.model.records import Companion, FileEntry, NewOutput, ObjectRecord, StepCommit
from lineal.server.vetting import vet
from lineal.testing.records import a_run, a_step_run, an_object, an_output

RUN = a_run()
OUTSIDE = "../../../../etc"


def of_files(*paths: str) -> ObjectRecord:
    files = tuple(FileEntry(path, 1, digest.of_bytes(b"1")) for path in paths)
    return ObjectRecord(digest.of_object(files), len(files), files)


def test_what_our_own_clients_send_passes() -> None:
    """Values in rows, files in folders, registered data, empty folders, names of any script."""
    commit = StepCommit(a_step_run(RUN), (), (an_output("größe::日本", object=of_files("a/b.bin", "ü.txt")), an_output(version="gold")))
    vet([RUN, commit, [commit], a_step_run(RUN), an_output(object=replace(of_files("x"), external="/data/x")), "text", 5, None])


BAD: list[tuple[str, Callable[[], Any]]] = [
    ("the id of a run", lambda: replace(RUN, id=OUTSIDE)),
    ("the id of a run", lambda: a_step_run(RUN, run_id="a/../../b")),
    ("the id of a step run", lambda: StepCommit(a_step_run(RUN, id=OUTSIDE))),
    ("the id of a step run", lambda: [[a_step_run(RUN, id="A" * 36)]]),
    ("the id of a version", lambda: an_output(id="x")),
    ("a name or version has", lambda: an_output("a\nb")),
    ("a name or version has", lambda: an_output("")),
    ("a name or version has", lambda: an_output(version="x" * 300)),
    ("the digest of an object is", lambda: an_output(object=replace(an_object(), digest=OUTSIDE))),
    ("leads out of its object", lambda: an_output(object=of_files("../x"))),
    ("leads out of its object", lambda: an_output(object=of_files("/etc/passwd"))),
    ("leads out of its object", lambda: an_output(object=of_files("a//b"))),
    ("leads out of its object", lambda: an_output(object=of_files("a\\b"))),
    ("do not give its digest", lambda: an_output(object=replace(of_files("x"), digest="a" * 64))),
    ("do not give its digest", lambda: an_output(object=replace(of_files("x"), size=2))),
    ("its bytes are not those", lambda: an_output(object=replace(an_object(b"1"), inline=b"2"))),
    ("its bytes are not those", lambda: an_output(object=replace(of_files("x", "y"), inline=b"1"))),
    ("leads out of its object", lambda: an_output(companion=Companion(of_files(".."), ()))),
]


@pytest.mark.parametrize(("message", "make"), BAD)
def test_what_could_be_taken_for_something_else_is_refused(message: str, make: Callable[[], Any]) -> None:
    """A01, A09: ids name folders of logs, file names are opened, and bytes are given for their digest."""
    made = make()
    for value in (made, StepCommit(a_step_run(RUN), (), (made,)) if isinstance(made, NewOutput) else made):
        with pytest.raises(UsageError, match=message):
            vet([value])
