"""Which passwords are taken, and how they are compared."""

import re

import pytest

from lineal.errors import UsageError
from lineal.server.passwords import check_password, hash_password, is_password


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "10 to 200 characters; this one has 5"),
        ("x" * 201, "10 to 200"),
        ("password1234", "first that are guessed"),
        ("!Password!2024!", "first that are guessed"),
        ("1234567890", "first that are guessed"),
        ("aaaaaaaaaaaaaa", "first that are guessed"),
        ("abcdefghijklm", "first that are guessed"),
        ("qwertyuiop12", "first that are guessed"),
        ("lovelace1234", "hardly more than the name"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, says: str) -> None:
    """A23."""
    with pytest.raises(UsageError, match=says):
        check_password(password, "lovelace")


@pytest.mark.parametrize("password", ["the engine weaves", "Tr0ub4dor&3x", "пароль из четырёх слов"])
def test_others_are_taken(password: str) -> None:
    assert check_password(password, "ada") == password


def test_what_is_kept_is_argon2id_with_enough_work() -> None:
    """A27."""
    kept = hash_password("the engine weaves")
    found = re.match(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$", kept)
    assert found is not None
    assert int(found[1]) >= 19 * 1024
    assert int(found[2]) >= 2
    assert "weaves" not in kept
    assert kept != hash_password("the engine weaves")


def test_only_the_password_is_the_password() -> None:
    kept = hash_password("the e\u0301ngine")
    assert is_password("the \u00e9ngine", kept), "however the letter was typed"
    assert not is_password("the engine", kept)
    assert not is_password("the \u00e9ngine", None)
    assert not is_password("the \u00e9ngine", "no hash")
    assert not is_password("\ud800", kept)
