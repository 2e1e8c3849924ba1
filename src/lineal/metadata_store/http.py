"""The metadata store of a Lineal server: each operation of the table is one request.

Answers that were lost are asked for again under the same key (`link.py`). What the server raised is raised here, as the same class with
the same message. What takes local files or calls back under the write lock is done where the facts are, and is refused here.
"""

import contextlib
import functools
import json
import secrets
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from lineal.errors import AccessRefused, LinealError, LinealWarning, StoreError, StoreMismatch, UsageError, VersionGone
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.link import ATTEMPT, PATIENCE, Answer, Link, message_of
from lineal.metadata_store.operations import HERE, MOST_BYTES, operations, protocol_methods
from lineal.model.records import ObjectRecord, RunRecord, StepCommit, VersionRecord

_MOST_CODE: Final = 100_000


class HttpMetadataStore:
    """The facts of a Lineal server, for any number of threads.

    Has the methods of `MetadataStore`, each of which is `call` with its own name; `connect` gives it as one. `takes_bytes` is False.

    Args:
        url: Address of the server.
        token: Gives the token that the server knows.
        patience: Seconds during which a server that does not answer is asked again.
        attempt: Seconds that one request may take.

    Any method may raise StoreError when the server cannot be reached, AccessRefused when the token does not allow it.
    """

    def __init__(self, url: str, token: Callable[[], str], *, patience: float = PATIENCE, attempt: float = ATTEMPT) -> None:
        self.link = Link(url, token, patience=patience, attempt=attempt)
        self._code: set[str] = set()
        self._identity: tuple[str, int] | None = None

    def __repr__(self) -> str:
        return f"HttpMetadataStore({self.link.place.url!r})"

    @property
    def takes_bytes(self) -> bool:
        return False

    @property
    def place(self) -> str:
        return self.link.place.url

    def call(self, operation: str, *given: Any, **named: Any) -> Any:
        """Do an operation on the server and give its result. Raises what the server raised."""
        wanted = operations()[operation]
        body = wanted.pack(*given, **named)
        answer = self.link.post(wanted.full_path, body, secrets.token_hex(16) if wanted.takes_key else None)
        if answer.status != 200:
            raise error_of(answer, self.place)
        try:
            return wanted.unpack_result(answer.body)
        except UsageError as error:
            raise StoreError(f"the Lineal server {self.place} is not understood: {error}") from error

    def close(self) -> None:
        self.link.close()

    def release_thread(self) -> None:
        """Do nothing: connections belong to no thread."""

    def identity(self) -> tuple[str, int]:
        if self._identity is None:
            self._identity = self.call("identity")
        return self._identity

    def pair(self, artifact_store: str) -> None:
        try:
            self.call("pair", artifact_store)
        except StoreMismatch as error:
            raise StoreMismatch(
                f"the server {self.place} has another artifact store than the one in use here, {artifact_store}: neither would find what the "
                "other saves. Set artifact_store (LINEAL_ARTIFACT_STORE) to the one of the server, which both must reach, such as a shared folder"
            ) from error

    def room(self) -> AbstractContextManager[bool]:
        return contextlib.nullcontext(False)  # the server keeps room for itself

    # -- the route of one value

    def finish_step(self, commit: StepCommit) -> list[VersionRecord]:
        return self.finish_steps((commit,))[0]

    def finish_steps(self, commits: Sequence[StepCommit]) -> list[list[VersionRecord]]:
        if not commits:
            return []
        versions: list[list[VersionRecord]] = self.call("finish_steps", self._without_known_code(commits))
        self._learn(commits)
        return versions

    def finish_run(self, run: RunRecord, commits: Sequence[StepCommit] = (), *, is_begun: bool = True) -> None:
        self.call("finish_run", run, self._without_known_code(commits), is_begun=is_begun)
        self._learn(commits)

    def _without_known_code(self, commits: Sequence[StepCommit]) -> list[StepCommit]:
        # Code is stored once and stays: what the server has need not travel again.
        sent, brought = [], set()
        for each in commits:
            if each.code is not None and (each.code.digest in self._code or each.code.digest in brought):
                each = replace(each, code=None)
            elif each.code is not None:
                brought.add(each.code.digest)
            sent.append(each)
        return sent

    def _learn(self, commits: Sequence[StepCommit]) -> None:
        if len(self._code) > _MOST_CODE:
            self._code.clear()
        self._code.update(each.code.digest for each in commits if each.code is not None)

    # -- what is done where the facts are

    def backup(self, path: Path) -> MetadataStore:
        self._refuse("backups are made")

    def release(self, digests: Sequence[str], withdraw: Callable[[str], object]) -> int:
        self._refuse("bytes are taken away")

    def mark_lost(self, record: ObjectRecord, now: int, gone: Callable[[], bool]) -> list[str]:
        self._refuse("what is lost is marked")

    def unless_recorded(self, digest: str, work: Callable[[], object]) -> bool:
        self._refuse("what has no record is put aside")

    def _refuse(self, what: str) -> NoReturn:
        raise UsageError(f"{what} where the facts are: do it on the machine of the server {self.place}")


def _called(name: str) -> Any:
    def method(self: HttpMetadataStore, *given: Any, **named: Any) -> Any:
        return self.call(name, *given, **named)

    return method


for _name, _method in protocol_methods():
    if _name not in HERE and _name not in vars(HttpMetadataStore):
        setattr(HttpMetadataStore, _name, functools.wraps(_method)(_called(_name)))


def connect(url: str, token: Callable[[], str], *, patience: float = PATIENCE, attempt: float = ATTEMPT) -> MetadataStore:
    """Give the metadata store of the server at an address; the server is asked when it is first needed."""
    store = HttpMetadataStore(url, token, patience=patience, attempt=attempt)
    if store.link.place.scheme == "http" and not store.link.place.is_near:
        warnings.warn(
            f"{store.place} is another machine, and the token travels to it in the clear; use https, or a tunnel to an address of this machine",
            LinealWarning,
            stacklevel=2,
        )
    return cast("MetadataStore", store)


def error_of(answer: Answer, url: str) -> LinealError:
    """Give the error that an answer tells of: the one that the server raised, by the name of its class."""
    problem: Any = None
    with contextlib.suppress(ValueError):
        problem = json.loads(answer.body) if answer.kind == "application/problem+json" else None
    if not isinstance(problem, dict):
        if 300 <= answer.status < 400:
            return StoreError(
                f"{url} sends elsewhere ({answer.status}); set LINEAL_METADATA_STORE to the address of the Lineal server itself"
            )
        if answer.status == 413:
            return StoreError(
                f"what stands before the Lineal server {url} does not take so large a request (413): let it pass {MOST_BYTES >> 20} MiB, with "
                f"nginx by client_max_body_size {MOST_BYTES >> 20}m"
            )
        return StoreError(f"{url} answered {answer.status} and is not a Lineal server that this version understands")
    found = _errors().get(str(problem.get("title")))
    if found is VersionGone:
        return VersionGone(message_of(problem), str(problem.get("step_run_id", "")))
    if found is not None:
        return found(message_of(problem))
    if answer.status == 403:
        return AccessRefused(f"the Lineal server {url} does not allow it: {message_of(problem)}")
    if answer.status == 413:
        return UsageError(f"the Lineal server {url}: {message_of(problem)}")
    return StoreError(f"the Lineal server {url} answered {answer.status}: {message_of(problem)}")


def _errors() -> dict[str, type[LinealError]]:
    found: dict[str, type[LinealError]] = {}
    kinds = [LinealError]
    while kinds:
        kind = kinds.pop()
        found[kind.__name__] = kind
        kinds += kind.__subclasses__()
    return found
