"""Saving, running, deleting, pruning, tagging and pinning in any order, some prunes killed: always what a small model says."""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lineal.artifact_store.local import LocalArtifactStore
from lineal.errors import InUse, NotFound
from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.model.records import InputEdge, StepCommit
from lineal.model.states import Status
from lineal.pruning import Selection, collect, prune
from lineal.testing.records import a_run, a_step_run, an_object, an_output

ARTIFACTS = ["a", "b"]
CONTENTS = [b"", b"1", b"22", b"333"]
names = st.sampled_from(ARTIFACTS)
contents = st.sampled_from(CONTENTS)
picks = st.integers(0, 1 << 16)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Version:
    """What the model knows of a version."""

    artifact: str
    number: int
    content: bytes
    inline: bool
    tags: set[str] = field(default_factory=set)
    pinned: bool = False
    state: str = "live"


class PruningMachine(RuleBasedStateMachine):
    """The stores, and the model beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lineal-test-"))
        self.store = LocalArtifactStore(self.folder / "store")
        self.metadata = SqliteMetadataStore(self.folder / "lineal.db", durability="off", sealed=self.store.has)
        self.versions: dict[str, Version] = {}
        self.numbers = dict.fromkeys(ARTIFACTS, 0)
        self.runs: dict[str, set[str]] = {}
        self.forgotten: set[bytes] = set()  # contents that only_metadata left behind

    def teardown(self) -> None:
        self.metadata.close()
        shutil.rmtree(self.folder)

    # -- the model's own questions

    def free(self, id: str) -> bool:
        return not self.versions[id].pinned and not any(id in used for used in self.runs.values())

    def pick(self, place: int) -> str:
        ids = list(self.versions)
        return ids[place % len(ids)]

    def output(self, artifact: str, content: bytes, inline: bool) -> Any:
        record = an_object(content) if inline else self.store.seal_bytes("data.json", content)
        return an_output(artifact, object=record)

    def made(self, id: str, number: int | None, artifact: str, content: bytes, inline: bool) -> None:
        self.numbers[artifact] += 1
        assert number == self.numbers[artifact]  # dense, and never one that was there before
        self.versions[id] = Version(artifact, self.numbers[artifact], content, inline)
        if not inline:
            self.forgotten.discard(content)

    # -- what users do

    @rule(artifact=names, content=contents, inline=st.booleans())
    def save(self, artifact: str, content: bytes, inline: bool) -> None:
        version = self.metadata.save_version(self.output(artifact, content, inline), None)
        self.made(version.id, version.number, artifact, content, inline)

    @rule(artifact=names, content=contents, used=st.lists(picks, max_size=2))
    def run(self, artifact: str, content: bytes, used: list[int]) -> None:
        live = [id for id, version in self.versions.items() if version.state == "live"]
        inputs = list(dict.fromkeys(live[place % len(live)] for place in used)) if live else []
        run = self.metadata.begin_run(a_run())
        edges = tuple(InputEdge(f"x{place}", id) for place, id in enumerate(inputs))
        [version] = self.metadata.finish_step(StepCommit(a_step_run(run), edges, (self.output(artifact, content, False),)))
        self.metadata.finish_run(replace(run, status=Status.COMPLETED, ended=1))
        self.made(version.id, version.number, artifact, content, False)
        self.runs[run.id] = {version.id, *inputs}

    @precondition(lambda self: self.runs)
    @rule(place=picks)
    def delete_run(self, place: int) -> None:
        id = list(self.runs)[place % len(self.runs)]
        used = self.runs.pop(id)
        assert self.metadata.delete_run(id) == sum(self.free(version) for version in used)

    @precondition(lambda self: self.versions)
    @rule(place=picks)
    def delete_version(self, place: int) -> None:
        id = self.pick(place)
        if not self.free(id):
            with pytest.raises(InUse):
                self.metadata.delete_versions([id])
            return
        self.metadata.delete_versions([id])
        collect(self.metadata, self.store)
        del self.versions[id]

    @precondition(lambda self: self.versions)
    @rule(place=picks, pinned=st.booleans())
    def pin(self, place: int, pinned: bool) -> None:
        id = self.pick(place)
        assert self.metadata.update_version(id, pinned=pinned).pinned is pinned
        self.versions[id].pinned = pinned

    @precondition(lambda self: self.versions)
    @rule(place=picks, tag=st.sampled_from("xy"), exclusive=st.booleans(), add=st.booleans())
    def tag(self, place: int, tag: str, exclusive: bool, add: bool) -> None:
        id = self.pick(place)
        if not add:
            self.metadata.update_version(id, remove_tags=[tag])
            self.versions[id].tags.discard(tag)
            return
        self.metadata.update_version(id, add_tags=[tag], exclusive=exclusive)
        for other in self.versions.values():
            if exclusive and other.artifact == self.versions[id].artifact:
                other.tags.discard(tag)
        self.versions[id].tags.add(tag)

    # -- prunes

    def selected(self, selection: Selection) -> list[str]:
        live: dict[str, list[str]] = {artifact: [] for artifact in ARTIFACTS}
        for id, version in self.versions.items():
            if version.state == "live":
                live[version.artifact].append(id)
        kept = {id for ids in live.values() for id in ids[len(ids) - selection.keep_last :]} if selection.keep_last else set[str]()
        found = [id for id, each in self.versions.items() if self.free(id) and id not in kept]
        found = [id for id in found if selection.names is None or self.versions[id].artifact in selection.names]
        return [id for id in found if self.versions[id].state == "live"] if selection.what == "artifact" else found

    selections = st.builds(
        Selection,
        st.sampled_from(["all", "all", "artifact", "metadata"]),
        st.none() | names.map(lambda name: (name,)),
        st.none(),
        st.integers(0, 2),
    )

    @rule(selection=selections)
    def prune(self, selection: Selection) -> None:
        expected = self.selected(selection)
        report = prune(self.metadata, self.store, self.folder / "lock", selection)
        assert list(report.names) == [f"{self.versions[id].artifact}@{self.versions[id].number}" for id in expected]
        self.take(expected, selection.what)
        needed = {version.content for version in self.versions.values() if version.state == "live" and not version.inline}
        assert {an_object(content).digest for content in needed} <= set(self.store.digests())
        allowed = needed | self.forgotten
        assert set(self.store.digests()) <= {an_object(content).digest for content in allowed}
        assert list((self.store.path / "staging").iterdir()) == []

    @rule(selection=selections, point=st.sampled_from(["release", "condemned", "withdraw", "discard"]))
    def prune_that_is_killed(self, selection: Selection, point: str) -> None:
        owner = SqliteMetadataStore if point in ("release", "condemned") else LocalArtifactStore
        with mock.patch.object(owner, point, side_effect=Killed), contextlib.suppress(Killed):
            prune(self.metadata, self.store, self.folder / "lock", selection)
        # Rows went in transactions of their own: either all that were selected, or none.
        expected = self.selected(selection)
        kept = self.metadata.versions_by_id(expected)
        states = {id: kept[id].state for id in kept}
        went = [id for id in expected if id not in states or (selection.what == "artifact" and states[id] == "pruned")]
        assert went in (expected, [])
        self.take(went, selection.what)

    def take(self, ids: list[str], what: str) -> None:
        for id in ids:
            version = self.versions[id]
            if what == "artifact":
                version.state = "pruned"
                continue
            del self.versions[id]
            if what == "metadata" and not version.inline:
                self.forgotten.add(version.content)

    # -- always

    @invariant()
    def facts_are_those_of_the_model(self) -> None:
        found = self.metadata.versions_by_id(list(self.versions))
        for id, version in self.versions.items():
            record = found[id]
            assert (record.artifact, record.number, set(record.tags), record.pinned, record.state) == (
                version.artifact, version.number, version.tags, version.pinned, version.state,
            )  # fmt: skip
        assert [id for artifact in ARTIFACTS for id in self.metadata.version_ids(artifact)] == [
            id for artifact in ARTIFACTS for id, version in self.versions.items() if version.artifact == artifact
        ]

    @invariant()
    def live_versions_have_their_bytes(self) -> None:
        for record in self.metadata.versions_by_id(list(self.versions)).values():
            if record.state == "live":
                content = self.versions[record.id].content
                if record.object.inline is not None:
                    assert record.object.inline == content
                else:
                    assert (self.store.fetch(record.object, verify=True) / "data.json").read_bytes() == content

    @invariant()
    def the_newest_is_the_newest_live_one(self) -> None:
        for artifact in ARTIFACTS:
            live = [version.number for version in self.versions.values() if version.artifact == artifact and version.state == "live"]
            if live:
                assert self.metadata.get_version(artifact).number == max(live)
            else:
                with pytest.raises(NotFound):
                    self.metadata.get_version(artifact)


PruningMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestPruning = PruningMachine.TestCase
