"""The table of operations of a metadata store, read off its protocol: what can be asked for over a wire, and how it is written there.

The server makes a route of each, as it does of its other operations, the client of a server a call of each, both from this table: a
method that is added to the protocol and to a list below can be used from afar without another line.
"""

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from lineal.errors import UsageError
from lineal.metadata_store.base import MetadataStore
from lineal.metadata_store.codec import Codec, codec_of, object_schema
from lineal.metadata_store.json_text import dump_whole, load
from lineal.model.operation import Kind, Operation

PATH: Final = "/store/"
"""Where these operations are, below the prefix of the API."""

MOST_BYTES: Final = 64 << 20
"""Bytes that one call may send. A step's commit has some hundred; one of a folder of 100,000 files about 15 million."""

KINDS: Final[Mapping[Kind, str]] = {
    "read": """
        identity pair epoch get_run list_runs find_step_runs list_step_runs get_step_run step_edges previous_step_runs step_runs_before
        earlier_step_runs recent_calls find_cached find_running trust_in get_version list_versions list_artifacts visualizations get_code get_object
        references only_of_runs version_ids prunable condemned bytes_kept recorded versions_of run_edges run_ports step_counts list_pipelines totals space artifact_facets use_counts consumers
        version_names step_run_names
        lineage versions_by_id versions_by_name step_runs_by_id runs_by_id last_object needed_objects broken_tombstones""",
    "write": """
        begin_run finish_run heartbeat crash_run finish_step finish_steps save_version settle update_version update_artifact update_run
        hold delete_versions delete_run""",
    "look after": "add_trust accept_epoch prune integrity mend_tombstones mark_found",
}
"""Who may do what. What is not here is not done."""

RECORDED: Final = frozenset(
    [
        "update_version",
        "update_artifact",
        "update_run",
        "delete_versions",
        "delete_run",
        "add_trust",
        "accept_epoch",
        "prune",
        "mend_tombstones",
        "mark_found",
    ]
)
"""What enters the audit: what changes or takes away what others may have made. What runs make is a record by itself."""

HERE: Final = frozenset({"close", "release_thread", "takes_bytes", "place", "room", "backup", "release", "mark_lost", "unless_recorded"})
"""What belongs to the process that has the facts: it takes local files, or calls back under the write lock."""


MAKE_ROOM: Final = frozenset({"delete_versions", "delete_run", "prune"})
"""What one does on a full disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOperation(Operation):
    """One operation of the metadata store.

    Attributes:
        call: Name of the method.
        signature: That of the protocol, without `self`.
        arguments: How each argument is written, by name.
        result: How the result is.
    """

    call: str
    signature: inspect.Signature
    arguments: Mapping[str, Codec]
    result: Codec

    def pack(self, *given: Any, **named: Any) -> bytes:
        """Give the text of a call. Raises UsageError for arguments that cannot be sent, or are more than MOST_BYTES."""
        bound = self.signature.bind(*given, **named).arguments
        try:
            plain = {name: self.arguments[name].encode(_listed(value) if name == "filters" else value) for name, value in bound.items()}
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            raise UsageError(f"{self.call}() was given what it does not take: {error}") from error
        body = dump_whole(plain, f"what {self.call}() was given").encode("ascii")
        if len(body) > MOST_BYTES:
            raise UsageError(
                f"{self.call}() was given {len(body):,} bytes, and a server takes {MOST_BYTES:,} at once; give it less at a time"
            )
        return body

    def unpack(self, body: bytes) -> tuple[list[Any], dict[str, Any]]:
        """Give positional and named arguments of a call. Raises UsageError for what is none."""
        plain = _plain(body, f"the body of {self.call}")
        if type(plain) is not dict:
            raise UsageError(f"the body of {self.call} should be an object with its arguments")
        unknown = [name for name in plain if name not in self.arguments]
        if unknown:
            raise UsageError(f"{self.call} takes no {unknown[0]!a}; it takes: {', '.join(self.arguments) or 'nothing'}")
        found = {name: self.arguments[name].decode(value) for name, value in plain.items()}
        parameters = self.signature.parameters
        missing = [name for name, each in parameters.items() if name not in found and each.default is each.empty]
        if missing:
            raise UsageError(f"{self.call} lacks {', '.join(missing)}")
        named = {name: value for name, value in found.items() if parameters[name].kind is inspect.Parameter.KEYWORD_ONLY}
        given = [
            found.get(name, each.default) for name, each in parameters.items() if each.kind is not inspect.Parameter.KEYWORD_ONLY
        ]  # by place: a store may call a parameter otherwise
        return given, named

    def pack_result(self, value: Any) -> bytes:
        """Give the text of a result."""
        return dump_whole(self.result.encode(value), f"the result of {self.call}()").encode("ascii")

    def unpack_result(self, body: bytes) -> Any:
        """Give the result of a text. Raises UsageError for what is none."""
        return self.result.decode(_plain(body, f"the answer to {self.call}"))

    def bound(self, store: MetadataStore) -> Callable[..., Any]:
        """Give the method of a store that does it."""
        method: Callable[..., Any] = getattr(store, self.call)
        return method


@cache
def operations() -> Mapping[str, StoreOperation]:
    """Give all operations by the name of their method, in the order of the protocol."""
    kinds = {name: kind for kind, names in KINDS.items() for name in names.split()}
    return {name: _operation(name, method, kinds[name]) for name, method in protocol_methods() if name in kinds}


def protocol_methods() -> Iterator[tuple[str, Any]]:
    """Give what the protocol of metadata stores has, by name."""
    return ((name, each) for name, each in vars(MetadataStore).items() if not name.startswith("_"))


def _operation(call: str, method: Any, kind: Kind) -> StoreOperation:
    hints = typing.get_type_hints(method)
    result = codec_of(hints.pop("return"), f"the answer to {call}")
    signature = inspect.signature(method)
    signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    arguments = {each: codec_of(hint, f"{call}: {each}") for each, hint in hints.items()}
    required = [name for name, each in signature.parameters.items() if each.default is each.empty]
    return StoreOperation(
        name=f"store_{call}", method="POST", path=f"{PATH}{call}", kind=kind, about=(method.__doc__ or "").partition("\n")[0],
        answer=result.schema, body=object_schema({name: codec.schema for name, codec in arguments.items()}, required),
        takes_key=kind != "read" and call != "integrity", is_recorded=call in RECORDED, makes_room=call in MAKE_ROOM, call=call, signature=signature, arguments=arguments, result=result,
    )  # fmt: skip


def _plain(body: bytes, what: str) -> Any:
    try:
        return load(body.decode("ascii"))
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"{what} cannot be read: {reason}") from error


def _listed(filters: Any) -> Any:
    """Give filters with lists for sets, which JSON does not have."""
    return {name: list(value) if isinstance(value, set | frozenset) else value for name, value in filters.items()}
