"""Finds in the metadata store what `why` needs to know of a step run."""

import time
from collections.abc import Iterable, Mapping
from functools import cached_property

from lineal.engine.code_diff import code_diff
from lineal.engine.fingerprint import explain_change
from lineal.engine.key_parts import KeyPart, key_parts
from lineal.engine.why import Evidence, explain, in_brief, nearest, reasons
from lineal.metadata_store.base import MetadataStore
from lineal.model.records import CodeRecord, RunRecord, StepRunRecord, VersionRecord
from lineal.model.states import Status

MOST_VERSIONS = 2_000
"""Versions that it looks at, to say how inputs have grown."""


def why(step_run: StepRunRecord, metadata: MetadataStore) -> list[str]:
    """Say why a step run ran, or why an earlier result was given, and what it was compared with: at least one sentence."""
    return explain(_evidence(step_run, metadata, with_code=True), explain_change)


def diff_of(step_run: StepRunRecord, metadata: MetadataStore) -> str:
    """Give the difference of its code from that of the call that it is compared with, as a unified diff; empty when there is none."""
    evidence = _evidence(step_run, metadata)
    if evidence.code is None or evidence.previous_code is None:
        return ""
    return code_diff(evidence.previous_code, evidence.code)


def parts_of(step_run: StepRunRecord, metadata: MetadataStore) -> tuple[list[KeyPart], RunRecord | None]:
    """Give what its cache key was made of, beside the same of the call that `why` names, and the run of that call when there is one."""
    evidence = _evidence(step_run, metadata, with_code=True)
    return key_parts(evidence), evidence.cached_run or evidence.previous_run


def _evidence(step_run: StepRunRecord, metadata: MetadataStore, *, with_code: bool = False) -> Evidence:
    """Look for what is known; `with_code` also where the code did not change."""
    now = time.time_ns() // 1000
    new = step_run.ingredients.get("code")
    code = metadata.get_code(new) if new is not None and with_code else None
    if step_run.status is Status.CACHED:
        origin = metadata.step_runs_by_id([step_run.cached_from]).get(step_run.cached_from) if step_run.cached_from else None
        run = None if origin is None else metadata.runs_by_id([origin.run_id]).get(origin.run_id)
        return Evidence(step_run, run, code=code, origin=origin, now=now)
    previous = nearest(step_run, metadata.previous_step_runs(step_run.id))
    if previous is None:
        return Evidence(step_run, code=code, now=now)
    old = previous.ingredients.get("code")
    before = metadata.get_code(old) if old is not None and old != new else None
    if before is not None and code is None and new is not None:
        code = metadata.get_code(new)
    run = metadata.runs_by_id([previous.run_id]).get(previous.run_id)
    versions = _by_name(_names([previous, step_run]), metadata)
    return Evidence(step_run, None, previous, run, code, before, versions=versions, now=now)


def _names(step_runs: Iterable[StepRunRecord]) -> dict[str, None]:
    return dict.fromkeys(name for each in step_runs for name in each.ingredients.get("versions", {}).values())


def _by_name(names: Iterable[str], metadata: MetadataStore) -> dict[str, VersionRecord]:
    """Give versions by `artifact@version`, those left out that are not there any more."""
    pairs = [(artifact, version) for artifact, _, version in (name.rpartition("@") for name in names)]
    return {f"{each.artifact}@{each.version}": each for each in metadata.versions_by_name(pairs)}


class Past:
    """What steps of earlier runs of a pipeline did, looked up once for a run that goes on and only when one of its steps has run.

    So that a line can say why a step ran without a statement for each.
    """

    def __init__(self, run: RunRecord, metadata: MetadataStore) -> None:
        self._run = run
        self._metadata = metadata
        self._codes: dict[str, CodeRecord] = {}

    def note(self, step_run: StepRunRecord, code: CodeRecord, inputs: Mapping[str, VersionRecord]) -> str:
        """Say on one line why a step ran that has just ended; nothing of one that failed, for its error is shown.

        `inputs` are the versions that went into it, by `artifact@version`.
        """
        return in_brief(self._reasons(step_run, code, inputs)) if step_run.status is Status.COMPLETED else ""

    def _reasons(self, step_run: StepRunRecord, code: CodeRecord, inputs: Mapping[str, VersionRecord]) -> list[str]:
        previous = nearest(step_run, self._earlier(step_run))
        if previous is None:
            return reasons(Evidence(step_run), explain_change)
        old = previous.ingredients.get("code")
        before = self._code(old) if old is not None and old != code.digest else None
        versions = {**self._versions, **inputs}
        return reasons(Evidence(step_run, None, previous, None, code, before, versions=versions), explain_change)

    def _earlier(self, step_run: StepRunRecord) -> list[StepRunRecord]:
        if not self._known:
            return []
        named = [each for each in self._known if each.name == step_run.name]
        return named or [each for each in self._known if each.step == step_run.step] or self._metadata.previous_step_runs(step_run.id)

    @cached_property
    def _known(self) -> list[StepRunRecord]:
        """The steps of the newest earlier runs that succeeded, newest run first."""
        return self._metadata.step_runs_before(self._run.id)

    @cached_property
    def _versions(self) -> dict[str, VersionRecord]:
        return _by_name(list(_names(self._known))[:MOST_VERSIONS], self._metadata)

    def _code(self, digest: str) -> CodeRecord:
        if digest not in self._codes:
            self._codes[digest] = self._metadata.get_code(digest)
        return self._codes[digest]
