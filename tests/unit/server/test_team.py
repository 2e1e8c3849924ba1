"""The users of a server for a team: who asks, and when a session or a token ends."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lineal.errors import UsageError
from lineal.metadata_store.accounts import SqliteAccounts
from lineal.model.accounts import Act, Role, User
from lineal.server.access import SESSION_SECONDS, SignInRefused, Source, TooManyAttempts
from lineal.server.team import CONFIRMED_SECONDS, LONGEST_SESSION, TeamAccess, new_person, new_token

PASSWORD = "the engine weaves"
ACT = Act("test", "tried")
SOURCE = Source("192.0.2.1", "r1")
SECOND = 1_000_000


class Clock:
    now = 1_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[SqliteAccounts]:
    store = SqliteAccounts(tmp_path / "lineal.db", clock)
    store.add_user(new_person("ada", PASSWORD, Role.ADMIN, 1), ACT)
    store.add_user(new_person("bob", PASSWORD, Role.EDITOR, 1), ACT)
    yield store
    store.close()


@pytest.fixture
def access(accounts: SqliteAccounts, clock: Clock) -> TeamAccess:
    return TeamAccess(accounts, clock, lambda: clock.now / SECOND)


def test_the_first_admin_is_made_once(tmp_path: Path) -> None:
    """A23: with the token that the server printed, and never again."""
    accounts = SqliteAccounts(tmp_path / "new.db")
    access = TeamAccess(accounts)
    assert access.needs_setup()
    for token in ("", "guessed"):
        with pytest.raises(SignInRefused, match="not the set-up token"):
            access.set_up(token, "eve", PASSWORD, SOURCE)
    token = access.new_setup_token()
    with pytest.raises(UsageError, match="10 to 200"):
        access.set_up(token, "ada", "short", SOURCE)
    found = access.of_session(access.set_up(token, "Ada", PASSWORD, SOURCE))
    assert found is not None
    assert (found.name, found.role, found.kind) == ("ada", Role.ADMIN, "person")
    assert not access.needs_setup()
    with pytest.raises(SignInRefused):
        access.set_up(token, "eve", PASSWORD, SOURCE)
    with pytest.raises(SignInRefused, match="an admin already"):
        access.set_up(access.new_setup_token(), "eve", PASSWORD, SOURCE)
    assert [each.name for each in accounts.list_users()] == ["ada"]
    accounts.close()


def test_a_password_opens_a_session(access: TeamAccess) -> None:
    found = access.of_session(access.password_session(" ADA ", PASSWORD, SOURCE))
    assert found is not None
    assert (found.name, found.role, found.token, found.confirmed) == ("ada", Role.ADMIN, "", True)


def test_nobody_is_told_what_was_wrong(access: TeamAccess, accounts: SqliteAccounts) -> None:
    """A25: unknown, inactive, a service without password, or a wrong password: the same words, and about as long."""
    accounts.add_user(User("robot", "service", Role.ADMIN, True, 1), ACT)
    accounts.change_user("bob", ACT, active=False)
    said, took = set(), []
    for name, password in (("nobody", PASSWORD), ("\ud800'--", PASSWORD), ("robot", PASSWORD), ("bob", PASSWORD), ("ada", "wrong")):
        begun = time.perf_counter()
        with pytest.raises(SignInRefused) as caught:
            access.password_session(name, password, Source(f"192.0.2.{len(took)}"))
        took.append(time.perf_counter() - begun)
        said.add(str(caught.value))
    assert len(said) == 1
    assert min(took) > max(took) / 10, "each computed a hash"


def test_guessing_is_slowed_down_per_account_and_per_address(access: TeamAccess) -> None:
    """A24."""
    for place in range(5):
        with pytest.raises(SignInRefused):
            access.password_session("ada", "wrong", Source(f"192.0.2.{place}"))
    with pytest.raises(TooManyAttempts):
        access.password_session("ada", PASSWORD, Source("192.0.2.99"))
    assert access.of_session(access.password_session("bob", PASSWORD, Source("192.0.2.99"))) is not None


def test_a_failed_login_is_recorded_without_what_was_typed(access: TeamAccess, accounts: SqliteAccounts) -> None:
    """A26: what is typed in the field of the name may be a password."""
    for name in ("ada", "my secret typed too early"):
        with pytest.raises(SignInRefused):
            access.password_session(name, "hunter2hunter2", SOURCE)
    entries = accounts.list_audit(what="login failed").items
    assert [(each.who, each.peer, each.request) for each in entries] == [("", "192.0.2.1", "r1"), ("ada", "192.0.2.1", "r1")]
    assert "typed too early" not in str(entries)
    assert "hunter2" not in str(entries)


def test_a_session_is_another_one_after_each_login(access: TeamAccess) -> None:
    """A29: the one that was there before, whoever put it there, ends."""
    first = access.password_session("ada", PASSWORD, SOURCE)
    second = access.password_session("ada", PASSWORD, SOURCE, replaces=first)
    assert first != second
    assert access.of_session(first) is None
    assert access.of_session(second) is not None


def test_a_session_ends_at_once(access: TeamAccess, accounts: SqliteAccounts) -> None:
    """A29: at logout, and with each change of the account."""
    secret = access.password_session("bob", PASSWORD, SOURCE)
    access.end_session(secret, SOURCE)
    access.end_session("never was", SOURCE)
    assert access.of_session(secret) is None
    for change in ({"role": Role.VIEWER}, {"active": True}, {"password": "other"}):
        accounts.change_user("bob", ACT, password=new_person("bob", PASSWORD, Role.EDITOR, 1).password)
        secret = access.password_session("bob", PASSWORD, SOURCE)
        accounts.change_user("bob", ACT, **change)  # type: ignore[arg-type]
        assert access.of_session(secret) is None, change


def test_a_session_lasts_as_long_as_it_is_used_and_not_for_ever(access: TeamAccess, clock: Clock) -> None:
    secret = access.password_session("ada", PASSWORD, SOURCE)
    begun = clock.now
    while clock.now + (SESSION_SECONDS - 1) * SECOND < begun + LONGEST_SESSION * SECOND:
        clock.now += (SESSION_SECONDS - 1) * SECOND
        assert access.of_session(secret) is not None
    clock.now = begun + LONGEST_SESSION * SECOND
    assert access.of_session(secret) is None
    secret = access.password_session("ada", PASSWORD, SOURCE)
    clock.now += SESSION_SECONDS * SECOND
    assert access.of_session(secret) is None


def test_a_password_confirms_for_some_minutes(access: TeamAccess, clock: Clock) -> None:
    secret = access.password_session("ada", PASSWORD, SOURCE)
    clock.now += CONFIRMED_SECONDS * SECOND
    found = access.of_session(secret)
    assert found is not None
    assert not found.confirmed
    with pytest.raises(SignInRefused):
        access.confirm(secret, "wrong", SOURCE)
    access.confirm(secret, PASSWORD, SOURCE)
    found = access.of_session(secret)
    assert found is not None
    assert found.confirmed
    with pytest.raises(SignInRefused, match="has ended"):
        access.confirm("never was", PASSWORD, SOURCE)


def test_a_token_works_until_it_ends(access: TeamAccess, accounts: SqliteAccounts, clock: Clock) -> None:
    """A28, A29: found by its public part, compared as a whole."""
    bob = accounts.get_user("bob")
    token, text = new_token(bob, "ci", Role.ADMIN, clock.now + 60 * SECOND, clock.now)
    accounts.add_token(token, ACT)
    found = access.of_token(text)
    assert found is not None
    assert (found.name, found.role, found.token) == ("bob", Role.EDITOR, token.id), "never more than its user"
    assert accounts.list_tokens()[0].used == clock.now
    for other in ("", text[:-1], text + "x", text.replace("lineal", "Lineal"), text[:-43] + "A" * 43, "lineal_x_y", "\ud800"):
        assert access.of_token(other) is None
    clock.now += 60 * SECOND
    assert access.of_token(text) is None, "expired"
    clock.now -= 1
    accounts.change_user("bob", ACT, active=False)
    assert access.of_token(text) is None, "its user is not active"
    accounts.change_user("bob", ACT, active=True, role=Role.VIEWER)
    found = access.of_token(text)
    assert found is not None
    assert found.role is Role.VIEWER
    accounts.revoke_token(token.id, ACT)
    assert access.of_token(text) is None


def test_no_secret_is_in_the_file(access: TeamAccess, accounts: SqliteAccounts, tmp_path: Path, clock: Clock) -> None:
    """A27: whoever takes the database away signs in nowhere."""
    session = access.password_session("ada", PASSWORD, SOURCE)
    token, text = new_token(accounts.get_user("ada"), "ci", Role.ADMIN, None, clock.now)
    accounts.add_token(token, ACT)
    accounts.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("lineal.db*"))
    for secret in (PASSWORD, session, text, text.rpartition("_")[2]):
        assert secret.encode() not in kept
