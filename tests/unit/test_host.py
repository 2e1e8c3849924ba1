"""Signs of life: a process that lives is seen alive, one that is gone is seen gone, however it ended."""

import os
import signal
import subprocess
import sys
import threading
import types
from pathlib import Path

import pytest

from lineal import host
from lineal.host import LifeSign, boot_id, host_name, in_notebook, life_sign, machine_of, progress_stream


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give an empty folder for signs of life."""
    return tmp_path / "alive"


HOLDER = """
import sys
from pathlib import Path
from lineal.host import LifeSign
print(LifeSign(Path(sys.argv[1])).token(), flush=True)
sys.stdin.read()
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def start_holder(folder: Path) -> tuple["subprocess.Popen[str]", str]:
    """Start a process that holds a sign of life until its input ends; give it and its token."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_the_boot_id_stays_for_this_boot() -> None:
    """Two processes of one boot agree, where the system tells."""
    other = subprocess.run(
        [sys.executable, "-c", "from lineal.host import boot_id; print(boot_id())"], capture_output=True, text=True, check=True
    )
    assert boot_id() == other.stdout.strip() or boot_id().startswith("unknown-")
    assert boot_id() == boot_id() != ""


def test_an_unknown_boot_is_like_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the system does not tell, nothing that was not synced is ever trusted."""
    monkeypatch.setattr(host, "_LINUX_BOOT_ID", tmp_path / "none")
    monkeypatch.setattr(sys, "platform", "other")
    assert boot_id.__wrapped__() != boot_id.__wrapped__()


def test_a_token_names_host_and_process(folder: Path) -> None:
    """A person who reads a row knows where to look."""
    token = LifeSign(folder).token()
    assert token.startswith(f"{host_name()}:{os.getpid()}:")


def test_a_sign_has_one_token(folder: Path) -> None:
    """Asking again, also from many threads at once, gives the same token and takes one lock file."""
    sign = life_sign(folder)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(life_sign(folder).token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {sign.token()}
    assert len(list((folder).iterdir())) == 1


def test_the_own_process_is_alive_and_stays_so(folder: Path) -> None:
    """Looking at one's own sign, also through another object, must not drop the lock: others still see it afterwards."""
    token = LifeSign(folder).token()
    assert LifeSign(folder).is_alive(token) is True
    assert life_sign(folder).is_alive(token) is True
    assert seen_by_another(folder, token) == "True"


def seen_by_another(folder: Path, token: str) -> str:
    """Give what another process sees of a token."""
    code = (
        "import sys; from pathlib import Path; from lineal.host import LifeSign; print(LifeSign(Path(sys.argv[1])).is_alive(sys.argv[2]))"
    )
    return subprocess.run([sys.executable, "-c", code, str(folder), token], capture_output=True, text=True, check=True).stdout.strip()


def test_another_process_is_alive_until_it_ends(folder: Path) -> None:
    """After a proper end the sign is gone, and its file too."""
    process, token = start_holder(folder)
    sign = LifeSign(folder)
    assert sign.is_alive(token) is True
    assert sign.is_alive(token) is True, "looking must not take the lock for good"
    process.communicate("")
    assert sign.is_alive(token) is False
    assert list(folder.iterdir()) == []


def test_a_killed_process_is_gone(folder: Path) -> None:
    """Nobody could clean up: the file is still there, its lock is not."""
    process, token = start_holder(folder)
    process.kill()
    process.wait()
    process.communicate()
    assert len(list(folder.iterdir())) == 1
    assert LifeSign(folder).is_alive(token) is False


def test_another_machine_cannot_be_asked(folder: Path) -> None:
    """A process id of another machine says nothing here; neither does what is no token."""
    assert LifeSign(folder).is_alive(f"elsewhere.{host_name()}:1:abcd") is None
    assert LifeSign(folder).is_alive("nonsense") is None


def test_a_sign_in_another_folder_cannot_be_asked_where_tokens_are_shared(tmp_path: Path, folder: Path) -> None:
    """Runs of one machine may have homes of their own and one server: what is not where one looks is not dead."""
    ours, theirs = life_sign(folder, shared=True), life_sign(tmp_path / "other", shared=True)
    assert ours.is_alive(ours.token()) is True
    assert LifeSign(folder, shared=True).is_alive(ours.token()) is True
    dead = f"{ours.token().rpartition(':')[0]}:00000000"
    assert ours.is_alive(dead) is False
    for other in (theirs, LifeSign(folder)):
        assert other.is_alive(dead) is None
        assert ours.is_alive(other.token()) is None
    assert machine_of(ours.token()) == machine_of(LifeSign(folder).token()) == host_name()


def test_a_token_cannot_lead_out_of_the_folder(tmp_path: Path, folder: Path) -> None:
    """A token comes from a database that others can write: it names a file in the folder, whatever it says."""
    outside = tmp_path / "outside.lock"
    outside.write_text("", encoding="utf-8")
    folder.mkdir()
    assert LifeSign(folder).is_alive(f"{host_name()}:1:{os.sep}..{os.sep}..{os.sep}outside") is False
    assert LifeSign(folder)._path("a:../../outside:b").parent == folder


def test_the_file_of_another_user_cannot_be_asked(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """What cannot be opened is neither alive nor dead."""

    def refuse(*args: object) -> None:
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(Path, "open", refuse)
    assert LifeSign(folder).is_alive(f"{host_name()}:1:abcd") is None


def test_a_file_system_without_locks_cannot_be_asked(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Where nothing can be locked, nobody is thought alive for ever."""
    monkeypatch.setattr(host, "_try_lock", lambda file: None)
    token = f"{host_name()}:1:abcd"
    folder.mkdir()
    LifeSign(folder)._path(token).touch()
    assert LifeSign(folder).is_alive(token) is None


@needs_fork
def test_a_forked_child_has_a_sign_of_its_own(folder: Path) -> None:
    """The child's token is another one, and its end takes nothing from the parent."""
    code = """
import os, sys
from pathlib import Path
from lineal.host import life_sign
folder = Path(sys.argv[1])
sign = life_sign(folder)
mine = sign.token()
sign._lock.acquire()  # as if another thread were just taking it
read, write = os.pipe()
child = os.fork()
if child == 0:
    other = sign.token()
    os.write(write, f"{other} {sign.is_alive(mine)} {sign.is_alive(other)}".encode())
    os._exit(0)
os.waitpid(child, 0)
other, *seen = os.read(read, 1000).decode().split()
print(other != mine, *seen, sign.is_alive(other), sign.is_alive(mine), sign.token() == mine)
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "True", "True", "False", "True", "True"]


@needs_fork
def test_a_surviving_child_does_not_keep_its_parent_alive(folder: Path) -> None:
    """A worker that outlives a killed run must not make the run look alive."""
    code = """
import os, sys, time
from pathlib import Path
from lineal.host import life_sign
token = life_sign(Path(sys.argv[1])).token()
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(token, child, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    token, child = process.stdout.readline().split()
    try:
        assert LifeSign(folder).is_alive(token) is True
        process.kill()
        process.wait()
        assert LifeSign(folder).is_alive(token) is False
    finally:
        os.kill(int(child), signal.SIGKILL)
        process.stdout.close()


def test_what_a_process_last_wrote_is_read_after_its_death(folder: Path) -> None:
    """A killed process leaves its boot, its memory and the system's counts; one that ends by itself takes its sign away."""
    process, token = start_holder(folder)
    process.kill()
    process.communicate()
    last = life_sign(folder).last(token)
    assert last is not None
    assert last.boot == boot_id()
    assert (last.peak or 1) > 0
    ended, token = start_holder(folder)
    ended.communicate("")
    assert life_sign(folder).last(token) is None


def test_a_beat_renews_what_was_written_and_keeps_the_lock(folder: Path) -> None:
    """The shorter text leaves nothing of the longer one; others still see the process alive."""
    sign = LifeSign(folder)
    token = sign.token()
    for _ in range(3):
        sign.beat()
    assert sign.last(token) is None  # it lives: there are no last words
    code = f"from lineal.host import life_sign; from pathlib import Path; print(life_sign(Path({str(folder)!r})).last({token!r}).boot)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == boot_id()
    assert seen_by_another(folder, token) == "True"


def test_a_notebook_is_noticed_without_loading_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a shell with a kernel is a notebook: a terminal's IPython has none."""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
    assert "IPython" not in sys.modules
    for shell, expected in ((None, False), (types.SimpleNamespace(), False), (types.SimpleNamespace(kernel=object()), True)):
        monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert in_notebook() is expected


def test_progress_is_no_error_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows what comes on standard error in red."""
    assert progress_stream() is sys.stderr
    monkeypatch.setattr("lineal.host.in_notebook", lambda: True)
    assert progress_stream() is sys.stdout


def test_a_person_is_a_user_at_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the user is in no list, as in some containers."""
    monkeypatch.setattr(host.getpass, "getuser", lambda: "ann")
    assert host.person() == f"ann@{host_name()}"

    def nobody() -> str:
        raise KeyError(os.getuid())

    monkeypatch.setattr(host.getpass, "getuser", nobody)
    assert host.person() == f"{os.getuid()}@{host_name()}"
