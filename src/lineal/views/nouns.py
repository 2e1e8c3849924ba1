"""Runs, step runs, versions and artifacts as users hold them: what they are, and where each leads.

They stand in one module because each leads to the others: a run has steps, a step has versions, a version has a step and a run.
A view asks the store once for what it does not have, and keeps the answer; `refresh` on a run asks again.
"""

import dataclasses
import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from lineal.engine.fingerprint import explain_change
from lineal.engine.key_parts import KeyPart
from lineal.engine.reasons import diff_of, parts_of, why
from lineal.engine.undeclared import summary
from lineal.engine.why import value_text
from lineal.errors import UsageError
from lineal.host import person
from lineal.metadata_store.base import StepEdges
from lineal.model.naming import check_tags
from lineal.model.records import ArtifactRecord, Json, StepRunRecord, Trust
from lineal.model.states import Status
from lineal.model.text import moment_text, shown
from lineal.views import html, shapes
from lineal.views.base import Held, Named, Stores, error_line, name_text, state_text, took_text
from lineal.views.difference import Difference, difference
from lineal.views.lineage import LineageView
from lineal.views.replay import Debugger, replay
from lineal.views.reproduction import Reproduction, reproduce
from lineal.views.revive import revived
from lineal.views.run_facts import RunFacts, StepRunFacts
from lineal.views.run_svg import Call, run_picture
from lineal.views.version_facts import VersionFacts

PAGE = 10_000
"""Versions that are asked for at once."""

ROWS = 40
"""Steps in the table of a run in a notebook, those that failed first."""


class VersionView(VersionFacts):
    """One version of an artifact."""

    @cached_property
    def step(self) -> "StepRunView | None":
        """The step run that made it; None for a version that no step made."""
        record = self.workspace.metadata.step_runs_by_id([self.record.step_run_id]) if self.record.step_run_id else {}
        return next((StepRunView(each, self.workspace) for each in record.values()), None)

    @cached_property
    def run(self) -> "RunView | None":
        """The run that made it; None for a version that no run made."""
        record = self.workspace.metadata.runs_by_id([self.record.run_id]) if self.record.run_id else {}
        return next((RunView(each, self.workspace) for each in record.values()), None)

    @property
    def consumers(self) -> "list[StepRunView]":
        """The step runs that used it, oldest first."""
        records = self.workspace.metadata.consumers(self.record.id)
        runs = self.workspace.metadata.runs_by_id(list(dict.fromkeys(each.run_id for each in records)))
        views = {id: RunView(record, self.workspace) for id, record in runs.items()}
        return [StepRunView(each, self.workspace, views[each.run_id]) for each in records]

    def upstream(self, depth: int | None = None) -> "list[VersionView]":
        """Give the versions that it was made from, nearest first, `depth` steps far; all by default."""
        return self._reached("input", upstream=True, depth=depth)

    def downstream(self, depth: int | None = None) -> "list[VersionView]":
        """Give the versions that were made from it, nearest first, `depth` steps far; all by default."""
        return self._reached("output", upstream=False, depth=depth)

    def _reached(self, direction: str, *, upstream: bool, depth: int | None) -> "list[VersionView]":
        edges = self.workspace.metadata.lineage(self.record.id, upstream=upstream, depth=depth)
        ids = [id for id in dict.fromkeys(edge.version_id for edge in edges if edge.direction == direction) if id != self.record.id]
        records = self.workspace.metadata.versions_by_id(ids)
        return [VersionView(records[id], self.workspace) for id in ids if id in records]

    def lineage(self, depth: int | None = None) -> LineageView:
        """Give the graph of what it comes from and what comes from it, `depth` steps far; all by default. `print` shows it as a tree."""
        return LineageView(self.record, self.workspace.metadata, depth)

    def diff(self, other: "VersionView", *, key: str | Sequence[str] | None = None) -> Difference:
        """Compare it with a later version, or any other: the values by their kind, the facts, and where the lineages part.

        Args:
            other: The version after; this one is the version before.
            key: For tables: column, or columns, by which rows are matched; by default the index.

        What cannot be loaded is compared by facts and lineage. Raises UsageError for a key that does not tell rows apart.
        """
        return difference(self.record, other.record, self.workspace, key, explain_change)

    def reproduce(self, *, across_pipelines: bool = True) -> Reproduction:
        """Make it again: run the steps of its lineage, as the code says them now, and compare what comes out. Nothing is recorded.

        Args:
            across_pipelines: Whether also what other pipelines made of it is made again; otherwise it is taken from the store, as is
                what no step made and what a step loaded by itself.

        The steps run in this process, with their stored parameters and in a temporary folder that is gone afterwards.

        Raises UsageError for a version that no step made, CodeNotFound when the code of a step is not to be found, ArtifactMissing when
        data from which it comes is gone; all before anything runs. A step that fails now is a difference.
        """
        with self.workspace.scratch() as scratch:
            return reproduce(self.record, self.workspace.metadata, scratch, across_pipelines=across_pipelines)

    def add_tags(self, tags: str | Iterable[str], *, exclusive: bool = False) -> "VersionView":
        """Add a tag or several, and give this view.

        Args:
            tags: The tags.
            exclusive: Take them away from all other versions of the artifact at the same moment, so that one version holds `production`.

        Raises InvalidName for a tag that is none, NotFound when the version was deleted.
        """
        self.record = self.workspace.metadata.update_version(self.record.id, add_tags=check_tags(tags), exclusive=exclusive)
        return self

    def remove_tags(self, tags: str | Iterable[str]) -> "VersionView":
        """Take a tag or several away, and give this view; one that it does not have is fine. Raises as `add_tags`."""
        self.record = self.workspace.metadata.update_version(self.record.id, remove_tags=check_tags(tags))
        return self

    def pin(self) -> "VersionView":
        """Keep it: it can neither be deleted nor pruned until `unpin`. Gives this view. Raises NotFound when it was deleted."""
        self.record = self.workspace.metadata.update_version(self.record.id, pinned=True)
        return self

    def unpin(self) -> "VersionView":
        """Let it be deleted and pruned again, and give this view."""
        self.record = self.workspace.metadata.update_version(self.record.id, pinned=False)
        return self

    def trust(self) -> "VersionView":
        """Decide that its bytes may be loaded although that can run code and no run of this workspace made them, and give this view.

        Also although another release of Python or of a library pickled them: then loading warns, and may fail or give something else.
        Who decided and when is kept for ever, and shown by `trusts`. It holds for these bytes only: whatever is changed is not loaded, and
        the setting `pickle = "forbid"` stays in force. Raises UsageError when loading it runs no code, so that nothing is to be decided.
        """
        name = name_text(self.record)
        if not self.workspace.artifacts.can_run_code(self.record.materializer):
            raise UsageError(f"{name} is stored as {self.record.materializer}, which runs no code when it is loaded: it needs no trust")
        self.workspace.metadata.add_trust(Trust(self.record.object.digest, name, person(), time.time_ns() // 1000))
        return self

    @property
    def trusts(self) -> list[Trust]:
        """Who decided to trust its bytes, and when, first things first."""
        return self.workspace.metadata.trust_in(self.record.object.digest)


class StepRunView(StepRunFacts):
    """One execution of a step."""

    def __init__(self, record: StepRunRecord, workspace: Stores, run: "RunView | None" = None) -> None:
        super().__init__(record, workspace)
        if run is not None:
            self.run = run

    @cached_property
    def run(self) -> "RunView":
        """The run that it belongs to."""
        return RunView(self.workspace.metadata.get_run(self.record.run_id), self.workspace)

    @cached_property
    def _edges(self) -> "tuple[Named[VersionView], Named[VersionView]]":
        return self._named(self.workspace.metadata.step_edges(self.record.id))

    def give_edges(self, edges: StepEdges) -> None:
        """Take inputs and outputs that were asked for together with those of other step runs."""
        self._edges = self._named(edges)

    def _named(self, edges: StepEdges) -> "tuple[Named[VersionView], Named[VersionView]]":
        inputs = {name: VersionView(record, self.workspace) for name, record in edges.inputs}
        outputs = {name: VersionView(record, self.workspace) for name, record in edges.outputs}
        where = f"of step {self.record.name!r}"
        return Named(f"input {where}", inputs), Named(f"output {where}", outputs)

    @property
    def inputs(self) -> "Named[VersionView]":
        """The versions that went in: by argument, members of a list or dict by path (`parts[2]`), what the step loaded as `name@version`."""
        return self._edges[0]

    @property
    def outputs(self) -> "Named[VersionView]":
        """The versions that came out: by output name, and what the step saved by itself as `name@version`."""
        return self._edges[1]

    @property
    def output(self) -> VersionView:
        """The only output of its signature. Raises UsageError when there is none or more than one."""
        own = [name for name in self.outputs if "@" not in name]
        if len(own) != 1:
            names = ", ".join(own)
            raise UsageError(f"step {self.name!r} has {f'the outputs {names}: use outputs[name]' if names else 'no output'}")
        return self.outputs[own[0]]

    @cached_property
    def cached_from(self) -> "StepRunView | None":
        """The step run whose result was given; None when it ran itself."""
        record = self.workspace.metadata.step_runs_by_id([self.record.cached_from]) if self.record.cached_from else {}
        return next((StepRunView(each, self.workspace) for each in record.values()), None)

    @cached_property
    def why(self) -> list[str]:
        """Why it ran, or why an earlier result was given: at least one sentence."""
        return why(self.record, self.workspace.metadata)

    @cached_property
    def code_diff(self) -> str:
        """How its code, and that of all that it reaches, differs from that of the earlier call that `why` compares it with.

        A unified diff; empty when the code is the same, and for a step run whose earlier result was given.
        """
        return diff_of(self.record, self.workspace.metadata)

    @cached_property
    def key_parts(self) -> "tuple[list[KeyPart], RunView | None]":
        """What its cache key was made of, beside the same parts of the call that `why` names; and the run of that call, if there is one."""
        parts, run = parts_of(self.record, self.workspace.metadata)
        return parts, None if run is None else RunView(run, self.workspace)

    def replay(self, *, debugger: str | Debugger | None = None) -> dict[str, Any]:
        """Call the step's function again, as the code says it now, with its stored inputs, and give its outputs by name. Nothing is recorded.

        Args:
            debugger: The name of a module such as "pdb" or "ipdb" whose `runcall` stops at the function's first line; or what is called
                instead of it, with the function and its keyword arguments. With None `breakpoint()` in the code stops as always.

        Raises CodeNotFound when the code of the step is not to be found, ArtifactMissing when data that went in is gone, and what the
        function raises.
        """
        with self.workspace.scratch() as scratch:
            return replay(self.record, self.workspace.metadata, scratch, debugger)

    @cached_property
    def source(self) -> str | None:
        """Source text of the step as it was; None for a step that never began."""
        code = self.record.ingredients.get("code")
        return None if code is None else self.workspace.metadata.get_code(code).source

    def to_json(self) -> dict[str, Json]:
        """Give its facts as JSON, with `inputs` and `outputs` as `name@version` by name."""
        inputs, outputs = ({name: name_text(view.record) for name, view in named.items()} for named in self._edges)
        return {**shapes.step_run_json(self.record), "inputs": inputs, "outputs": outputs}

    def _repr_html_(self) -> str:
        return html.card(f"{self.name}: {state_text(self.record)}", _step_facts(self))


class RunView(RunFacts):
    """One execution of a pipeline."""

    @cached_property
    def steps(self) -> Named[StepRunView]:
        """Its step runs by name, in the order of the definition."""
        records = self.workspace.metadata.list_step_runs(self.record.id)
        return Named(f"step of run {self.name!r}", {each.name: StepRunView(each, self.workspace, self) for each in records})

    def add_tags(self, tags: str | Iterable[str]) -> "RunView":
        """Add a tag or several, and give this view. Raises InvalidName for a tag that is none, NotFound when the run was deleted."""
        self.record = self.workspace.metadata.update_run(self.record.id, add_tags=check_tags(tags))
        return self

    def remove_tags(self, tags: str | Iterable[str]) -> "RunView":
        """Take a tag or several away, and give this view; one that it does not have is fine. Raises as `add_tags`."""
        self.record = self.workspace.metadata.update_run(self.record.id, remove_tags=check_tags(tags))
        return self

    def resume(self) -> "RunView":
        """Go on with a run that failed, was cancelled or crashed: run its pipeline again with the same parameters, and give the new run.

        What has finished in this run is given again as long as its code and its inputs are the same, also where caching is off. The pipeline
        is that of this process, else that of the file where it was defined, which is imported. Working directory and settings are those in
        force now. Options that were given for this run alone (`with_options`) hold again as far as they are plain values; others are a warning.

        Raises UsageError when the run goes on or has completed, and for a parameter that cannot be given again, PathNotFound when the file is
        gone, NotFound when the pipeline was renamed or a version is gone, and what a run raises.
        """
        pipeline, arguments, options = revived(self.refresh(), VersionView)
        with self.workspace.inside():
            resumed: RunView = pipeline.resume(self.record, arguments, options)
        return resumed

    def refresh(self) -> "RunView":
        """Ask the store again for the run and its steps, and give this view."""
        self.record = self.workspace.metadata.get_run(self.record.id)
        self.__dict__.pop("steps", None)
        return self

    def load_edges(self) -> None:
        """Ask for the inputs and outputs of all its steps at once, for who is going to look at them all."""
        found = self.workspace.metadata.run_edges(self.record.id)
        for step in self.steps.values():
            step.give_edges(found.get(step.record.id, StepEdges([], [])))

    def to_json(self) -> dict[str, Json]:
        """Give its facts as JSON, with its `steps`, their inputs and outputs. Costs two queries, however many steps there are."""
        self.load_edges()
        return {**self.facts_json(), "steps": [each.to_json() for each in self.steps.values()]}

    def _repr_html_(self) -> str:
        steps = sorted(self.steps.values(), key=lambda each: each.status is not Status.FAILED)[:ROWS]
        rows = [(each.name, each.status, took_text(each.record), error_line(each.error)) for each in steps]
        some = f", {len(rows)} of {len(self.steps)} steps" if len(rows) < len(self.steps) else ""
        table = html.grid(f"{self.name}: {state_text(self.record)}{some}", ("step", "status", "time", ""), rows)
        return f'<div>{table}<div style="overflow:auto;max-width:100%;max-height:420px">{self._picture()}</div></div>'

    def _picture(self) -> str:
        self.load_edges()
        named = [(step.record, step.inputs, step.outputs) for step in self.steps.values()]
        calls = [Call(record, *({name: view.record for name, view in each.items()} for each in rest)) for record, *rest in named]
        return run_picture(calls)


class ArtifactView(Held[ArtifactRecord]):
    """An artifact: a name that owns versions."""

    @property
    def name(self) -> str:
        """The artifact's name."""
        return self.record.name

    @property
    def version_count(self) -> int:
        """How many live versions it has."""
        return self.record.versions

    @property
    def latest_version(self) -> str:
        """The newest version."""
        return self.record.latest

    @property
    def tags(self) -> list[str]:
        """Its own tags; each version has its own besides."""
        return list(self.record.tags)

    @cached_property
    def latest(self) -> VersionView:
        """The newest version, to load or look at."""
        return VersionView(self.workspace.metadata.get_version(self.record.name, self.record.latest), self.workspace)

    @property
    def versions(self) -> list[VersionView]:
        """All its versions, newest first."""
        found: list[VersionView] = []
        while True:
            page = self.workspace.metadata.list_versions({"artifact": self.record.name}, "-created", PAGE, len(found))
            found += [VersionView(each, self.workspace) for each in page.items]
            if len(found) >= page.total or not page.items:
                return found

    def add_tags(self, tags: str | Iterable[str]) -> "ArtifactView":
        """Add a tag or several to the artifact itself, and give this view.

        They stay as long as it has a version. Raises InvalidName for a tag that is none, NotFound when all its versions were deleted.
        """
        return self._tagged(add=check_tags(tags))

    def remove_tags(self, tags: str | Iterable[str]) -> "ArtifactView":
        """Take a tag or several away from the artifact itself, and give this view; one that it does not have is fine."""
        return self._tagged(remove=check_tags(tags))

    def _tagged(self, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> "ArtifactView":
        tags = self.workspace.metadata.update_artifact(self.record.name, add_tags=add, remove_tags=remove)
        self.record = dataclasses.replace(self.record, tags=tags)
        return self

    def to_json(self) -> dict[str, Json]:
        """Give its facts as JSON."""
        return shapes.artifact_json(self.record)

    def __repr__(self) -> str:
        return f"<artifact {shown(self.name)}: {self.version_count} versions, newest {shown(self.latest_version)}>"

    def _repr_html_(self) -> str:
        record = self.record
        facts = {
            "versions": record.versions,
            "newest": record.latest,
            "type": record.type,
            "tags": ", ".join(record.tags),
            "updated": f"{moment_text(record.updated)} UTC",
        }
        return html.card(self.name, facts)


def _step_facts(view: StepRunView) -> dict[str, object]:
    parameters = {name: value_text(node) for name, node in view.record.parameters.items()}
    inputs = {f"{name} (in)": name_text(version.record) for name, version in view.inputs.items()}
    outputs = {f"{name} (out)": name_text(version.record) for name, version in view.outputs.items()}
    return {**parameters, **inputs, **outputs, "not in its key": summary(view.undeclared), "error": error_line(view.error)}
