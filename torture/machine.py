"""Everything that users do, in any order and from a process that is killed at any system call: always what a small model says.

`tests/property/test_pruning_machine.py` does the like on the stores alone, many times faster and without real kills.
"""

import dataclasses
import functools
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyStrategyDefinition, HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, precondition, run_state_machine_as_test
from hypothesis.stateful import rule as rule_of_hypothesis

from torture import flow
from torture.outcome import Outcome
from torture.session import Died, Session, content

raised: list[str] = []
"""What rules raised: hypothesis forgets it when it stops for another reason afterwards."""


def rule(**strategies: Any) -> Callable[[Callable[..., None]], Any]:
    """Make a rule whose errors are noted."""

    def decorate(function: Callable[..., None]) -> Any:
        @functools.wraps(function)
        def noting(self: Any, **given: Any) -> None:
            try:
                function(self, **given)
            except HypothesisException:
                raise
            except Exception as error:
                raised.append(f"{function.__name__}: {type(error).__name__}: {str(error)[:2000]}")
                raise

        return rule_of_hypothesis(**strategies)(noting)

    return decorate


SHORT = (6, 20)
"""Examples and steps of each in the short form."""

labels = st.integers(0, 3)
picks = st.integers(0, 1 << 16)
tags = st.sampled_from("xy")
kills = st.integers(1, 60)


@dataclasses.dataclass(slots=True)
class Version:
    """What the model knows of a version."""

    artifact: str
    number: int
    value: Any
    tags: set[str]
    pinned: bool = False
    state: str = "live"

    def row(self) -> tuple[Any, ...]:
        """Give what a look at the store should give."""
        return (self.artifact, self.number, self.value if self.state == "live" else None, frozenset(self.tags), self.pinned, self.state)


class Machine(RuleBasedStateMachine):
    """A session, and the model beside it. After each rule the whole store is looked at, and everything in it is loaded."""

    folder: ClassVar[Path]
    outcome: ClassVar[Outcome]

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(dir=self.folder))
        source = flow.source(self.place / "source")
        self.listing = sorted(each.name for each in source.rglob("*"))
        self.session = Session(self.place / "home", source)
        self.versions: dict[str, Version] = {}
        self.numbers: dict[str, int] = {}
        self.runs: dict[str, tuple[str, frozenset[str]]] = {}

    def teardown(self) -> None:
        self.session.end()
        shutil.rmtree(self.place, ignore_errors=True)

    # -- the model

    def free(self, id: str) -> bool:
        return not self.versions[id].pinned and not any(id in used for _, used in self.runs.values())

    def pick(self, place: int, live: bool = True) -> str:
        ids = [id for id, version in self.versions.items() if version.state == "live" or not live]
        return ids[place % len(ids)]

    def new(self, id: str, artifact: str, value: Any, *tags: str) -> None:
        self.numbers[artifact] = self.numbers.get(artifact, 0) + 1
        self.versions[id] = Version(artifact, self.numbers[artifact], value, set(tags))

    def done(self, what: str) -> None:
        """Compare the model with all that is there."""
        type(self).outcome.trials += 1
        type(self).outcome.count(what)
        seen, runs = self.session.do("see")
        assert seen == {id: version.row() for id, version in self.versions.items()}
        assert runs == self.runs

    # -- what users do

    @rule(name=st.sampled_from("ab"), label=labels, tag=tags)
    def save(self, name: str, label: int, tag: str) -> None:
        self.new(self.session.do("save", name, label, tag), name, content(label), tag)
        self.done("saved")

    @rule()
    def register(self) -> None:
        self.new(self.session.do("register"), "folder", self.listing)
        self.done("registered")

    @rule(label=labels)
    def make(self, label: int) -> None:
        live = {id for id, version in self.versions.items() if version.state == "live"}
        found = self.session.do("make", label)
        status, [made] = found["make"]
        if status == "cached":
            assert made in live
            assert self.versions[made].value == content(label)
        else:
            self.new(made, "made", content(label))
        self._used(found, made)
        self.done(f"ran, {status}")

    @precondition(lambda self: any(version.state == "live" and version.artifact != "folder" for version in self.versions.values()))
    @rule(place=picks)
    def use(self, place: int) -> None:
        ids = [id for id, each in self.versions.items() if each.state == "live" and isinstance(each.value, str)]
        if ids:
            id = ids[place % len(ids)]
            self._used(self.session.do("use", id), id)
            self.done("used")

    def _used(self, found: dict[str, tuple[str, list[str]]], source: str) -> None:
        [used] = found["use"][1]
        self.new(used, "used", len(self.versions[source].value))
        _, runs = self.session.do("see")
        [(run, state)] = [(id, state) for id, state in runs.items() if id not in self.runs]
        assert state == ("completed", frozenset({source, used}))
        self.runs[run] = state

    @precondition(lambda self: self.versions)
    @rule(place=picks, tag=tags, exclusive=st.booleans())
    def tag(self, place: int, tag: str, exclusive: bool) -> None:
        id = self.pick(place, live=False)
        self.session.do("tag", id, tag, exclusive)
        for other in self.versions.values():
            if exclusive and other.artifact == self.versions[id].artifact:
                other.tags.discard(tag)
        self.versions[id].tags.add(tag)
        self.done("tagged")

    @precondition(lambda self: self.versions)
    @rule(place=picks, tag=tags)
    def untag(self, place: int, tag: str) -> None:
        id = self.pick(place, live=False)
        self.session.do("untag", id, tag)
        self.versions[id].tags.discard(tag)
        self.done("untagged")

    @precondition(lambda self: self.versions)
    @rule(place=picks, pinned=st.booleans())
    def pin(self, place: int, pinned: bool) -> None:
        id = self.pick(place, live=False)
        self.session.do("pin" if pinned else "unpin", id)
        self.versions[id].pinned = pinned
        self.done("pinned")

    @precondition(lambda self: self.versions)
    @rule(place=picks)
    def delete(self, place: int) -> None:
        id = self.pick(place, live=False)
        free = self.free(id)
        assert self.session.do("delete", id) == (None if free else "InUse")
        if free:
            del self.versions[id]
        self.done("deleted" if free else "not deleted, in use")

    @precondition(lambda self: self.runs)
    @rule(place=picks)
    def delete_run(self, place: int) -> None:
        id = list(self.runs)[place % len(self.runs)]
        _, used = self.runs.pop(id)
        assert self.session.do("delete run", id) == sum(self.free(each) for each in used)
        self.done("run deleted")

    @rule(only_artifact=st.booleans(), keep=st.integers(0, 2))
    def prune(self, only_artifact: bool, keep: int) -> None:
        chosen = self._prunable(only_artifact, keep)
        names = self.session.do("prune", only_artifact, keep)
        assert sorted(names) == sorted(f"{self.versions[id].artifact}@{self.versions[id].number}" for id in chosen)
        for id in chosen:
            if only_artifact:
                self.versions[id].state = "pruned"
            else:
                del self.versions[id]
        self.done("pruned")

    def _prunable(self, only_artifact: bool, keep: int) -> list[str]:
        kept: set[str] = set()
        for artifact in self.numbers:
            live = [id for id, each in self.versions.items() if each.artifact == artifact and each.state == "live"]
            kept.update(sorted(live, key=lambda one: self.versions[one].number)[len(live) - keep :] if keep else ())
        found = [id for id in self.versions if self.free(id) and id not in kept]
        if only_artifact:
            return [id for id in found if self.versions[id].state == "live" and self.versions[id].artifact != "folder"]
        return found

    @rule()
    def reopen(self) -> None:
        self.session.reopen()
        self.done("reopened")

    @rule()
    def verify(self) -> None:
        assert self.session.do("verify") == []
        self.done("verified")

    # -- kills

    @rule(
        label=labels,
        tag=tags,
        at=kills,
        place=picks,
        what=st.sampled_from(["save", "register", "make", "delete", "prune", "tag", "prune data"]),
    )
    def killed(self, label: int, tag: str, at: int, place: int, what: str) -> None:
        """Whatever it did is there whole or not at all, and a second look is the same."""
        commands: dict[str, Callable[[], Any]] = {
            "save": lambda: self.session.do("save", "a", label, tag, kill_at=at),
            "register": lambda: self.session.do("register", kill_at=at),
            "make": lambda: self.session.do("make", label, kill_at=at),
            "delete": lambda: self.versions and self.session.do("delete", self.pick(place, live=False), kill_at=at),
            "prune": lambda: self.session.do("prune", False, place % 3, kill_at=at),
            "prune data": lambda: self.session.do("prune", True, place % 3, kill_at=at),
            "tag": lambda: self.versions and self.session.do("tag", self.pick(place, live=False), tag, True, kill_at=at),
        }
        gone = self._may_go(what, place)
        try:
            commands[what]()
            how = f"{what}: done before the kill"
        except Died:
            how = "killed"
        self._take(what, gone)
        assert self.session.do("verify") == []
        self.done(how)

    def _may_go(self, what: str, place: int) -> list[str]:
        if what in ("prune", "prune data"):
            return self._prunable(what == "prune data", place % 3)
        ids = list(self.versions)
        return [ids[place % len(ids)]] if what == "delete" and ids and self.free(ids[place % len(ids)]) else []

    def _take(self, what: str, gone: list[str]) -> None:
        """Take over what is there after a kill, if it is what the command can have left."""
        seen, runs = self.session.do("see")
        missing = [id for id in self.versions if id not in seen]
        changed = [id for id in self.versions if id in seen and seen[id][5] != self.versions[id].state]
        assert missing in ([], [id for id in self.versions if id in gone])
        assert not changed or (what == "prune data" and changed == [id for id in self.versions if id in gone])
        added = [id for id in seen if id not in self.versions]
        assert len(added) <= {"save": 1, "register": 1, "make": 2}.get(what, 0)
        for id in sorted(added, key=lambda one: seen[one][1]):
            artifact, number, value, *_ = seen[id]
            self.numbers[artifact] = self.numbers.get(artifact, 0) + 1
            assert number == self.numbers[artifact]
            self.versions[id] = Version(artifact, number, value, set())
        for id in missing:
            del self.versions[id]
        for id, version in self.versions.items():
            now = seen[id][3]
            assert what in ("tag", "save") or now == version.tags or id in added
            version.tags, version.state = set(now), seen[id][5]
        assert set(self.runs) <= set(runs)
        for id, (state, used) in runs.items():
            assert state in (("completed", "crashed") if id not in self.runs else (self.runs[id][0],))
            assert used <= set(self.versions)
        self.runs = dict(runs)


def run(folder: Path, seed_: int, seconds: float, short: bool) -> list[Outcome]:
    """Run the machine, in the long form again with the next seed until the time is over. Failures are not made small, which takes minutes."""
    Machine.folder = folder
    Machine.outcome = outcome = Outcome("steps of the state machine")
    deadline, turn = time.monotonic() + seconds, 0
    examples, steps = SHORT if short else (15, 40)
    while turn == 0 or (not short and time.monotonic() < deadline):
        rules = settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],
        )  # fmt: skip
        raised.clear()
        machine: Any = seed(seed_ + turn)(type(f"Machine{turn}", (Machine,), {}))
        try:
            run_state_machine_as_test(machine, settings=rules)
        except FlakyStrategyDefinition:
            # The same choices led to another state: a process was killed at a call that it did not reach the first time.
            outcome.violations += [f"seed {seed_ + turn}: {each}" for each in raised]
            outcome.count("begun anew, as a kill came at another moment than before")
        except Exception as error:
            notes = "\n".join(getattr(error, "__notes__", []))
            outcome.violations.append(f"seed {seed_ + turn}: {type(error).__name__}: {str(error)[:2000]}\n{notes}")
        turn += 1
    outcome.points = outcome.trials
    return [outcome]
