"""Every error that Lineal raises on purpose.

    LinealError
    ├── SettingsError            a setting is unknown or has a value that cannot be used
    ├── UsageError               the caller asked for something that cannot be done as asked
    │   ├── DefinitionError      a step or pipeline is defined in a way that cannot work
    │   ├── CallError            a step or pipeline is called with wrong arguments
    │   │   └── ParameterError   a parameter cannot be held or has the wrong type
    │   ├── HandleError          a handle is used as if it were the value that it stands for
    │   ├── InvalidName          a name or version is not allowed
    │   ├── KeyReused            the key that stands for one call came with another one
    │   └── PathNotFound         there is no file or folder at a path
    ├── NotFound                 nothing has that name or id
    │   ├── CodeNotFound         the step of a stored step run is not in the code as it is now
    │   └── VersionGone          a version that a cached result would give again was pruned or deleted meanwhile
    ├── Conflict                 what exists already says otherwise
    │   ├── VersionExists        an explicit version exists with other bytes
    │   └── InUse                something still refers to what should be deleted
    ├── StepError                a step's code gave something that cannot be kept
    │   ├── OutputError          an output has the wrong type or count
    │   ├── InputError           an input does not fit the step's annotation
    │   ├── UndeclaredInput      a step used what its cache key does not know, under undeclared="error"
    │   └── StepCrashed          the worker process died, or its exception could not be sent back
    ├── MaterializerError        a value could not be saved or loaded by its materializer
    │   ├── NotPlain             a value is none of those that typed JSON can hold
    │   ├── NoMaterializer       no materializer takes the type under the current policy
    │   └── PickleRefused        the policy does not allow to unpickle these bytes here
    └── StoreError               the place where bytes or facts live has a problem
        ├── ArtifactMissing      recorded bytes are not there
        ├── ArtifactCorrupted    recorded bytes are there and are not what was saved
        ├── DataChanged          data changed while it was being registered
        ├── StorageFull          no space left, or a quota or file-size limit is reached
        ├── StoreMismatch        this folder is not the store that the facts belong to
        ├── StoreBusy            another process held the write lock for too long
        ├── AccessRefused        a server does not know who asks, or does not let them
        │   ├── SignInRefused    what was given to sign in with is not right, or nothing was given
        │   └── TooManyAttempts  tried too often, too quickly
        └── SchemaTooNew         a newer Lineal wrote this store

An error also derives from the builtin that a casual user would catch. `exit_code` is what the command line ends with and
`http_status` what a server answers with; the message names the object, says what was expected and what came, and gives the remedy.
"""

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class LinealWarning(UserWarning):
    """Something works and may not be what was meant. Base of every warning that Lineal gives."""


class LinealError(Exception):
    """Base of every error that Lineal raises on purpose.

    Attributes:
        value: After a failed save, the value that was not saved; a tuple when several were to be saved at once. None otherwise.
        values: After a step whose result was not kept, its outputs by name.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    value: object = None
    values: Mapping[str, object] = MappingProxyType({})

    def __str__(self) -> str:
        # KeyError's own __str__ shows the repr of its argument: a message in quotes. Ours are sentences.
        return str(self.args[0]) if self.args else (self.__doc__ or "").strip()


class SettingsError(LinealError, ValueError):
    """A setting is unknown or has a value that cannot be used."""

    exit_code = 2
    http_status = 400


class UsageError(LinealError):
    """The caller asked for something that cannot be done as asked."""

    exit_code = 2
    http_status = 400


class DefinitionError(UsageError, TypeError):
    """A step or pipeline is defined in a way that cannot work."""


class CallError(UsageError, TypeError):
    """A step or pipeline is called with wrong arguments."""


class ParameterError(CallError, ValueError):
    """A parameter cannot be held or has the wrong type."""


class HandleError(UsageError, TypeError):
    """A handle is used as if it were the value that it stands for."""


class InvalidName(UsageError, ValueError):
    """A name or version is not allowed."""


class KeyReused(UsageError):
    """The Idempotency-Key that stands for one call came with another one."""

    http_status = 422


class PathNotFound(UsageError, FileNotFoundError):
    """There is no file or folder at a path."""

    exit_code = 3
    http_status = 404


class NotFound(LinealError, KeyError):
    """Nothing has that name or id."""

    exit_code = 3
    http_status = 404


class CodeNotFound(NotFound):
    """The step that a stored step run was a call of is not to be found in the code as it is now."""


class VersionGone(NotFound):
    """A version that a cached result would give again was pruned or deleted meanwhile. `step_run_id` is the step run that would give it."""

    def __init__(self, message: str, step_run_id: str = "") -> None:
        super().__init__(message)
        self.step_run_id = step_run_id


class Conflict(LinealError):
    """What exists already says otherwise."""

    exit_code = 4
    http_status = 409


class VersionExists(Conflict, ValueError):
    """An explicit version exists with other bytes."""


class InUse(Conflict, RuntimeError):
    """Something still refers to what should be deleted."""


class StepError(LinealError):
    """A step's code gave something that cannot be kept."""

    exit_code = 6
    http_status = 422


class OutputError(StepError, TypeError):
    """An output has the wrong type or count."""


class InputError(StepError, TypeError):
    """An input does not fit the step's annotation."""


class UndeclaredInput(StepError):
    """A step used what its cache key does not know, under `undeclared="error"`."""


class StepCrashed(StepError, RuntimeError):
    """The worker process died, or its exception could not be sent back. `peak_memory` is what it held at most, in bytes, if known."""

    peak_memory: int | None = None


class MaterializerError(LinealError):
    """A value could not be saved or loaded by its materializer."""

    exit_code = 6
    http_status = 422


class NotPlain(MaterializerError, TypeError):
    """A value is none of those that typed JSON can hold.

    Attributes:
        path: Where the value is, such as `config['layers'][2].fn`.
        value: The value itself; lost when the error is sent to another process.
    """

    def __init__(self, message: str, path: str = "", value: object = None) -> None:
        super().__init__(message)
        self.path = path
        self.value = value

    def __reduce__(self) -> tuple[type["NotPlain"], tuple[str, str]]:
        return type(self), (str(self), self.path)  # what could not be held can seldom be pickled


class NoMaterializer(MaterializerError, TypeError):
    """No materializer takes the type under the current policy."""


class PickleRefused(MaterializerError, PermissionError):
    """The policy does not allow to unpickle these bytes here."""

    http_status = 403


class StoreError(LinealError):
    """The place where bytes or facts live has a problem."""

    exit_code = 5
    http_status = 503


class ArtifactMissing(StoreError, FileNotFoundError):
    """Recorded bytes are not there."""

    http_status = 410


class ArtifactCorrupted(StoreError, OSError):
    """Recorded bytes are there and are not what was saved."""

    http_status = 410


class DataChanged(StoreError, OSError):
    """Data changed while it was being registered."""

    http_status = 409


class StorageFull(StoreError, OSError):
    """No space is left, or a quota or file-size limit is reached."""

    http_status = 507


class StoreMismatch(StoreError, RuntimeError):
    """This folder is not the store that the facts belong to."""


class StoreBusy(StoreError, TimeoutError):
    """Another process held the write lock for too long."""


class AccessRefused(StoreError, PermissionError):
    """A server does not know who asks, or does not let them do this."""

    http_status = 403


class SignInRefused(AccessRefused):
    """What was given to sign in with is not right, or nothing was given."""


class TooManyAttempts(AccessRefused):
    """Tried too often, too quickly. `seconds` is how long to wait."""

    http_status = 429

    def __init__(self, message: str, seconds: float = 60.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class SchemaTooNew(StoreError, RuntimeError):
    """A newer Lineal wrote this store."""


FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def typed(error: OSError, path: str, needed: int | None = None) -> LinealError:
    """Give the error of Lineal that says what the system's error means for the store.

    Args:
        error: What the system reported; an error of Lineal is given back as it is.
        path: What was being worked on, when the error itself does not say.
        needed: Bytes that were to be written, when known.
    """
    if isinstance(error, LinealError):
        return error
    path = error.filename if isinstance(error.filename, str) else path  # a call on a descriptor names its number
    reason = error.strerror or str(error)
    if error.errno in FULL:
        wanted = "" if needed is None else f"{needed:,} bytes were needed, "
        return StorageFull(
            f"{path} could not be written: {reason}; {wanted}{_free(path):,} bytes are free on its filesystem. "
            "Free some space (lineal artifact prune deletes what nothing refers to) or raise the quota or file-size limit, then run again"
        )
    if error.errno == errno.ENAMETOOLONG:
        shown = path if len(path) <= 120 else f"{path[:60]}...{path[-57:]}"
        return InvalidName(f"{shown} is too long for the filesystem: a file name may have 255 bytes, a path about 4,000; use shorter names")
    if error.errno in _REFUSED:
        return StoreError(
            f"{path} cannot be written or read: {reason}. Check the owner and the mode of the store's folder, and how it is mounted"
        )
    return StoreError(f"the artifact store has a problem with {path}: {reason}")


def unreached(error: BaseException) -> str:
    """Say why a server gave no answer, in words."""
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if "WRONG_VERSION_NUMBER" in str(error):
        return "what listens there does not encrypt; write http:// if it is on this machine, else let it encrypt"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def untrusted(url: str, reason: str) -> StoreError:
    """Give the error for a server whose certificate does not prove that it is the one at that URL."""
    return StoreError(
        f"the certificate of {url} cannot be trusted: {reason}. If an authority of your own has made it, name the file with that one's "
        "certificate in SSL_CERT_FILE; if it is for another name, use the name that it is for"
    )


def _free(path: str) -> int:
    from pathlib import Path  # only here: this module is part of every start, and a full disk is rare
    from shutil import disk_usage

    place = Path(path).absolute()
    while not place.is_dir() and place.parent != place:
        place = place.parent
    return disk_usage(place).free
