"""Passwords: which are taken, how they are kept, and how one is compared without telling whether there is such a user."""

import re
import threading
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lineal.errors import UsageError
from lineal.server.access import TooManyAttempts

SHORTEST: Final = 10
LONGEST: Final = 200

AT_ONCE: Final = 4
"""Hashes that are computed at the same time: each takes 46 MiB."""

PATIENCE: Final = 10.0
"""Seconds that one waits for its turn."""

_WORDS: Final = (
    "1q2w3e4r5t 1qaz2wsx aaaaaaaaaa abcabcabc abcdefghij access admin administrator arsenal artifact asdfghjkl asdfghjklzxcvbnm "
    "autumn azerty baseball basketball batman changeit changeme charlie chelsea computer correcthorsebatterystaple dashboard "
    "database datascience december default dragon facebook football freedom friday google guest hunter iloveyou internet january "
    "jennifer jordan killer letmein lineal liverpool login machinelearning master michael monday monkey mustang p@ssw0rd p@ssword "
    "passw0rd password passwordpassword passwort pipeline pokemon princess q1w2e3r4t5 qazwsxedc qweasdzxc qwerty qwertyuiop qwertz "
    "qwertzuiop root samsung secret server shadow spring starwars summer sunshine superman test tester testing testtest toor "
    "trustno1 welcome whatever winter zaq12wsx zxcvbnm "
)
_COMMON: Final = frozenset(_WORDS.split())
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")

_hasher = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)
_NOBODY: Final = "$argon2id$v=19$m=47104,t=2,p=1$DGBAo/e99kF9qN00Pih0xQ$FgZXJSeeAva2zKwm2YVLrpzgzsLyKP4S/frwsazYzvc"  # of 32 random bytes that nobody knows
_turns = threading.BoundedSemaphore(AT_ONCE)


def check_password(password: str, name: str) -> str:
    """Give a password that may be set for a user. Raises UsageError that says why it may not."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}")
    lower = password.lower()
    word = _ENDS.sub("", lower)
    runs = "01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz"
    if len(set(lower)) < 5 or any(lower in run for run in runs) or word in _COMMON or lower in _COMMON:
        raise UsageError("this password is among the first that are guessed; take a sentence, or what a password manager makes")
    if lower.replace(name, "", 1).strip("0123456789!.-_") == "":
        raise UsageError("this password is hardly more than the name; take a sentence, or what a password manager makes")
    return password


def hash_password(password: str) -> str:
    """Give the argon2id hash by which a password is kept."""
    with _turn():
        return _hasher.hash(_bytes(password))


def is_password(password: str, kept: str | None) -> bool:
    """Tell whether a password is the kept one. Without a kept one it takes as long, and is wrong."""
    with _turn():
        try:
            _hasher.verify(kept or _NOBODY, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


class _turn:  # noqa: N801 - used as a function is
    def __enter__(self) -> None:
        if not _turns.acquire(timeout=PATIENCE):
            raise TooManyAttempts("many sign in at this moment; try again in a minute", 60.0)

    def __exit__(self, *_: object) -> None:
        _turns.release()


def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST]).encode("utf-8", "surrogatepass")  # however it was typed
