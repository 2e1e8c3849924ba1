"""Where accounts are kept, and the audit."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineal.errors import Conflict, NotFound
from lineal.metadata_store.accounts import MOST_SESSIONS, SqliteAccounts
from lineal.model.accounts import Act, Device, Role, Session, Token, User

ACT = Act("test", "tried")


def person(name: str = "ada", role: Role = Role.ADMIN) -> User:
    return User(name, "person", role, True, 1, "hash")


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[SqliteAccounts]:
    store = SqliteAccounts(tmp_path / "lineal.db")
    yield store
    store.close()


def begin(accounts: SqliteAccounts, user: str, secret: str, until: int = 10) -> None:
    accounts.add_session(Session(secret, user, 1, 1, until), ACT)


def test_only_one_is_the_first_admin(accounts: SqliteAccounts) -> None:
    """A23: of many that ask at the same moment one gets it."""
    added = []
    barrier = threading.Barrier(8)

    def ask(place: int) -> None:
        barrier.wait()
        added.append(accounts.add_first_admin(person(f"user{place}"), Act(f"user{place}", "setup")))

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * 7 + [True]
    assert len(accounts.list_users()) == 1
    assert accounts.list_audit(what="setup").total == 1, "who was not added did nothing"


def test_a_name_is_taken_once(accounts: SqliteAccounts) -> None:
    accounts.add_user(person(), ACT)
    with pytest.raises(Conflict, match="there is a user 'ada' already"):
        accounts.add_user(person(role=Role.VIEWER), ACT)
    assert accounts.get_user("ada").role is Role.ADMIN
    assert accounts.list_audit().total == 1, "what was refused is undone with its entry"


@pytest.mark.parametrize("change", [{"role": Role.EDITOR}, {"active": False}])
def test_the_last_admin_stays(accounts: SqliteAccounts, change: dict[str, object]) -> None:
    accounts.add_user(person(), ACT)
    accounts.add_user(User("robot", "service", Role.ADMIN, True, 1), ACT)
    with pytest.raises(Conflict, match="'ada' is the last admin"):
        accounts.change_user("ada", ACT, **change)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="'ada' is the last admin"):
        accounts.delete_user("ada", ACT)
    accounts.add_user(person("bob"), ACT)
    accounts.change_user("ada", ACT, **change)  # type: ignore[arg-type]
    assert accounts.has_admin()


@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"active": False}, {"password": "other"}])
def test_a_change_ends_all_sessions(accounts: SqliteAccounts, change: dict[str, object]) -> None:
    """A29."""
    accounts.add_user(person("bob", Role.EDITOR), ACT)
    accounts.add_user(person("eve", Role.EDITOR), ACT)
    for secret in ("one", "two"):
        begin(accounts, "bob", secret)
    begin(accounts, "eve", "three")
    accounts.change_user("bob", ACT, **change)  # type: ignore[arg-type]
    assert [accounts.find_session(each) for each in ("one", "two")] == [None, None]
    assert accounts.find_session("three") is not None


def test_what_a_user_had_goes_with_it(accounts: SqliteAccounts) -> None:
    """A29: also when somebody of the same name comes later."""
    accounts.add_user(person("bob", Role.EDITOR), ACT)
    begin(accounts, "bob", "one")
    accounts.add_token(Token("t1", "bob", "ci", Role.EDITOR, "digest", 1), ACT)
    accounts.delete_user("bob", ACT)
    accounts.add_user(person("bob", Role.ADMIN), ACT)
    assert accounts.find_session("one") is None
    assert accounts.find_token("t1") is None
    with pytest.raises(NotFound, match="there is no user 'nobody'"):
        accounts.delete_user("nobody", ACT)


def test_sessions_are_rotated_forgotten_and_bounded(accounts: SqliteAccounts) -> None:
    accounts.add_user(person(), ACT)
    begin(accounts, "ada", "old", until=5)
    accounts.add_session(Session("new", "ada", 2, 2, 20), ACT, replaces="old")
    assert accounts.find_session("old") is None
    accounts.add_session(Session("later", "ada", 30, 30, 60), ACT)
    assert accounts.find_session("new") is None, "it had run out"
    for place in range(MOST_SESSIONS):
        accounts.add_session(Session(f"s{place}", "ada", 30, 30, 100 + place), ACT)
    assert accounts.find_session("later") is None
    assert accounts.find_session("s0") is not None


def test_a_device_is_approved_and_taken_once(accounts: SqliteAccounts) -> None:
    accounts.add_user(person(), ACT)
    accounts.add_device(Device("secret", "code", "laptop", 1, 100))
    assert not accounts.approve_device("code", "ada", 100, ACT), "too late"
    assert accounts.approve_device("code", "ada", 50, ACT)
    assert not accounts.approve_device("code", "ada", 50, ACT)
    found = accounts.find_device(digest="secret")
    assert found is not None
    assert (found.user, accounts.find_device(code="code")) == ("ada", found)
    token = Token("t1", "ada", "laptop", Role.VIEWER, "digest", 1)
    assert accounts.take_device("secret", token, ACT)
    assert not accounts.take_device("secret", token._replace(id="t2"), ACT)
    assert [each.id for each in accounts.list_tokens()] == ["t1"]


def test_the_audit_is_only_added_to(accounts: SqliteAccounts, tmp_path: Path) -> None:
    """A44: not even with a connection of one's own, unless one takes the triggers away, and that is noticed."""
    for place in range(5):
        accounts.append(Act("ada", "tagged", f"v{place}", {"add": ["x"]}, "127.0.0.1", "r1"))
    good, digest, wrong = accounts.verify_audit()
    assert (good, wrong, len(digest)) == (5, None, 64)
    db = sqlite3.connect(tmp_path / "lineal.db", isolation_level=None)
    for statement in ("UPDATE audit SET who = 'eve' WHERE id = 3", "DELETE FROM audit WHERE id = 3"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            db.execute(statement)
    db.execute("DROP TRIGGER audit_is_not_changed")
    db.execute("UPDATE audit SET who = 'eve' WHERE id = 3")
    assert accounts.verify_audit()[::2] == (2, 3)
    db.execute("UPDATE audit SET who = 'ada' WHERE id = 3")
    assert accounts.verify_audit() == (5, digest, None)
    db.execute("DROP TRIGGER audit_is_not_deleted")
    db.execute("DELETE FROM audit WHERE id = 1")
    assert accounts.verify_audit()[::2] == (0, 2)
    db.close()


def test_an_entry_is_one_line_whatever_is_in_it(accounts: SqliteAccounts) -> None:
    """A44: line ends, escapes of terminals and lone surrogates are shown, not carried out."""
    accounts.append(Act("eve\r\n2026 admin", "x\x1b[2J", "\ud800", {"t": "\r\n", "u": "\ud800"}, "p\x00", "é"))
    [entry] = accounts.list_audit().items
    assert entry.who == "eve\\r\\n2026 admin"
    assert (entry.what, entry.object, entry.peer, entry.request) == ("x\\x1b[2J", "\\ud800", "p\\x00", "é")
    assert entry.details == r'{"t":"\r\n","u":"\ud800"}'
    assert accounts.verify_audit()[::2] == (1, None)


def test_the_audit_is_asked_by_who_what_and_object(accounts: SqliteAccounts) -> None:
    for who, what, object in (("ada", "login", ""), ("ada", "tagged", "v1"), ("bob", "tagged", "v1"), ("bob", "tagged", "v2")):
        accounts.append(Act(who, what, object))
    assert [each.id for each in accounts.list_audit(what="tagged", object="v1").items] == [3, 2]
    page = accounts.list_audit(who="bob", limit=1, offset=1)
    assert (page.total, [each.id for each in page.items]) == (2, [3])
