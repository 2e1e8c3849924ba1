"""`lineal login` on a terminal: name and password are asked for there, and nowhere else."""

import json
import os
import pty
import select
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from lineal.model.accounts import Role
from lineal.server.access import Principal, Source
from lineal.server.app import create_app
from lineal.server.people import People
from lineal.server.serve import listen
from lineal.server.team import TeamAccess
from lineal.workspace import open_workspace

PASSWORD = "the engine weaves"
MAIN = "import sys; from lineal.cli import main; main(sys.argv[1:])"


@pytest.fixture
def url(lineal_home: Path) -> Iterator[str]:
    """A server with the editor eddy."""
    workspace = open_workspace()
    People(workspace.accounts, Principal("test", Role.ADMIN), Source()).add_user("eddy", Role.EDITOR, PASSWORD)
    with listen(0) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(workspace, TeamAccess(workspace.accounts), [host])
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://{host}"
        server.should_exit = True
        thread.join(10)


def typed(command: list[str], answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Run a command on a terminal of its own, type each answer when its question stands there, and give status and what was seen."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", MAIN, *command])
    seen, deadline, left = "", time.monotonic() + 60, list(answers)
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the end, as Linux has it
            break
        if not part:
            break
        seen += part.decode()
        if left and left[0][0] in seen:
            os.write(terminal, f"{left.pop(0)[1]}\n".encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen


def test_a_password_is_typed_and_never_seen(url: str, lineal_home: Path) -> None:
    """A26: it stands neither on the screen nor in what is kept, and the audit says how the token came about."""
    status, seen = typed(["login", url], [("Name", "Eddy"), ("Password", PASSWORD)])
    assert (status, "knows you as eddy (editor)" in seen) == (0, True), seen
    assert PASSWORD not in seen
    kept = Path(seen.partition("the token is in ")[2].strip())
    assert PASSWORD not in kept.read_text()
    assert list(json.loads(kept.read_text())) == [url]
    [entry] = open_workspace().accounts.list_audit(what="token created").items
    assert (entry.who, json.loads(entry.details)["by"], PASSWORD in entry.details) == ("eddy", "password", False)


def test_a_wrong_password_is_said_and_nothing_is_kept(url: str, lineal_home: Path) -> None:
    status, seen = typed(["login", url], [("Name", "eddy"), ("Password", "not that one")])
    assert (status, "is not right" in seen, "not that one" in seen) == (5, True, False), seen
    assert open_workspace().accounts.list_tokens() == []


def test_without_a_name_there_is_a_code(url: str, lineal_home: Path) -> None:
    """Also with --code, which asks for nothing; on the way to it nothing secret was typed."""
    for arguments, answers in ((["login", url], [("Name", ""), ("and type", "\x03")]), (["login", url, "--code"], [("and type", "\x03")])):
        status, seen = typed(arguments, answers)
        assert (status != 0, f"open      {url}/#/device" in seen, "Password" in seen) == (True, True, False), seen
    status, seen = typed(["login", url, "--code", "--token"], [])
    assert (status, "choose one" in seen) == (2, True)
