"""The lineage of one version as a graph: the versions and step runs that it comes from, and those that come from it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from lineal.metadata_store.base import MetadataStore
from lineal.model.records import Edge, Json, StepRunRecord, VersionRecord
from lineal.model.states import Status
from lineal.model.text import moment_text, shown, size_text
from lineal.views import lineage_svg
from lineal.views.base import state_text
from lineal.views.openlineage import run_events
from lineal.views.shapes import edge_json, run_json, step_run_json

LEVELS = 40
"""Levels that the text shows; `to_json` has them all."""


class LineageView:
    """A graph around one version. It shows itself as a text tree (`str`), as a picture in a notebook, as SVG, JSON and OpenLineage events.

    Tree and picture leave out step runs that were only answered from the cache; the tree stops at 40 levels, the picture at 400 nodes. The
    JSON has everything.

    Attributes:
        version: The version that the graph is about.
        versions: All versions in it, by id.
        step_runs: All step runs in it, by id.
        runs: The runs of these, by id.
        upstream: Edges to what it comes from, nearest first.
        downstream: Edges to what comes from it, nearest first.
    """

    def __init__(self, version: VersionRecord, metadata: MetadataStore, depth: int | None = None) -> None:
        self.version = version
        self.upstream = metadata.lineage(version.id, upstream=True, depth=depth)
        self.downstream = metadata.lineage(version.id, upstream=False, depth=depth)
        edges = [*self.upstream, *self.downstream]
        self.versions = {version.id: version, **metadata.versions_by_id(_unique(edge.version_id for edge in edges))}
        self.step_runs = metadata.step_runs_by_id(_unique(edge.step_run_id for edge in edges))
        self.runs = metadata.runs_by_id(_unique(step_run.run_id for step_run in self.step_runs.values()))

    def __str__(self) -> str:
        return "\n".join(self._text())

    def __repr__(self) -> str:
        return f"<lineage of {_name(self.version)}: {len(self.versions)} versions, {len(self.step_runs)} step runs>"

    def _repr_html_(self) -> str:
        return f'<div style="overflow:auto;max-width:100%;max-height:640px">{self._picture(inside=True)}</div>'

    def to_svg(self) -> str:
        """Give the graph as an SVG picture that stands alone: nothing is loaded, and it follows the light or dark of whoever looks at it."""
        return self._picture(inside=False)

    def to_openlineage(self, namespace: str = "lineal") -> list[dict[str, Json]]:
        """Give the step runs as OpenLineage run events, in the order of time: START, and COMPLETE, FAIL or ABORT.

        Args:
            namespace: Namespace of the jobs, `pipeline.step`, and of the data sets, which are the artifacts.
        """
        edges = dict.fromkeys([*self.upstream, *self.downstream])
        return run_events(self.versions, self.step_runs.values(), self.runs, edges, namespace)

    def _picture(self, *, inside: bool) -> str:
        nodes: dict[str, lineage_svg.Node] = {self.version.id: self._version_node(self.version)}
        edges: dict[tuple[str, str], str] = {}
        for reached, outward in ((self.upstream, "input"), (self.downstream, "output")):
            wanted = {self.version.id} | {edge.version_id for edge in reached if edge.direction == outward}
            made = _grouped(reached, "output", by_step=True)
            for edge in reached:
                version, step_run = self.versions.get(edge.version_id), self.step_runs.get(edge.step_run_id)
                if version is None or step_run is None or edge.version_id not in wanted:
                    continue
                if self._has_worked(step_run, made.get(step_run.id, ())):
                    nodes.setdefault(step_run.id, self._step_node(step_run))
                    nodes.setdefault(version.id, self._version_node(version))
                    ends = (version.id, step_run.id) if edge.direction == "input" else (step_run.id, version.id)
                    edges[ends] = f"{edge.direction} {edge.name}"
        return lineage_svg.picture(nodes, edges, inside=inside)

    def _version_node(self, version: VersionRecord) -> lineage_svg.Node:
        told = f"{_name(version)}: {version.type}, {size_text(version.object.size)}, {moment_text(version.created)} UTC"
        below = f"{version.type.rpartition('.')[2]}, {size_text(version.object.size)}"
        return lineage_svg.Node(_name(version), below, told, main=version.id == self.version.id)

    def _step_node(self, step_run: StepRunRecord) -> lineage_svg.Node:
        run = self.runs.get(step_run.run_id)
        told = f"step {step_run.name}, {state_text(step_run)}" + (f", in run {run.name} of {run.pipeline}" if run is not None else "")
        several = run is not None and len(self.runs) > 1
        below = run.name if run is not None and several else ""
        return lineage_svg.Node(step_run.name, below, told, step=True, wrong=not step_run.status.is_success)

    def to_json(self) -> dict[str, Json]:
        """Give the graph: `version` (id), `versions`, `step_runs`, `runs`, and `edges`, each from an id to an id with its name."""
        return {
            "version": self.version.id,
            "versions": [
                {
                    "id": each.id,
                    "name": each.artifact,
                    "version": each.version,
                    "type": each.type,
                    "digest": each.object.digest,
                    "step_run_id": each.step_run_id,
                }
                for each in self.versions.values()
            ],
            "step_runs": [step_run_json(each) for each in self.step_runs.values()],
            "runs": [run_json(each) for each in self.runs.values()],
            "edges": [edge_json(edge) for edge in dict.fromkeys([*self.upstream, *self.downstream])],
        }

    def _text(self) -> Iterator[str]:
        inputs, consumers = _grouped(self.upstream, "input", by_step=True), _grouped(self.downstream, "input", by_step=False)
        outputs = _grouped(self.downstream, "output", by_step=True)

        def sources(of: Node) -> Iterator[Branch]:
            for edge in inputs.get(getattr(of, "step_run_id", None) or "", ()):
                source = self.versions.get(edge.version_id)
                if source is not None:
                    line = f"{shown(edge.name)}: {_version_text(source)}{self._maker_text(source, of)}"
                    yield Branch(line, source.step_run_id if source.step_run_id in inputs else None, source)

        def uses(of: Node) -> Iterator[Branch]:
            if isinstance(of, StepRunRecord):
                for edge in outputs.get(of.id, ()):
                    made = self.versions.get(edge.version_id)
                    if made is not None:
                        yield Branch(f"{shown(edge.name)}: {_version_text(made)}", made.id if made.id in consumers else None, made)
                return
            for step_run_id in dict.fromkeys(edge.step_run_id for edge in consumers.get(of.id, ())):
                step_run = self.step_runs.get(step_run_id)
                if step_run is not None and self._has_worked(step_run, outputs.get(step_run_id, ())):
                    yield Branch(self._step_text(step_run, of.run_id), step_run_id if step_run_id in outputs else None, step_run)

        yield _version_text(self.version) + self._maker_text(self.version, None)
        yield from draw(self.version, sources, LEVELS)
        if consumers:
            yield "used by"
            yield from draw(self.version, uses, LEVELS)

    def _has_worked(self, step_run: StepRunRecord, outputs: Sequence[Edge]) -> bool:
        # A step run that was answered from the cache used nothing and made nothing, unless it made a version under a new name.
        return step_run.status is not Status.CACHED or any(
            edge.version_id in self.versions and self.versions[edge.version_id].step_run_id == step_run.id for edge in outputs
        )

    def _maker_text(self, version: VersionRecord, of: "Node | None") -> str:
        maker = self.step_runs.get(version.step_run_id or "")
        return "" if maker is None else f" from {self._step_text(maker, None if of is None else of.run_id)}"

    def _step_text(self, step_run: StepRunRecord, inside_run: str | None) -> str:
        # The run is named where it changes: most of a tree lies in one run.
        run = self.runs.get(step_run.run_id)
        return shown(step_run.name) if run is None or run.id == inside_run else f"{shown(step_run.name)} in run {shown(run.name)}"


Node = VersionRecord | StepRunRecord


class Branch(NamedTuple):
    """One line of a tree. `key` names what hangs below `node`, so that it is drawn once; None when nothing does."""

    line: str
    key: str | None
    node: Node


def draw(root: Node, branches: Callable[[Node], Iterable[Branch]], levels: int) -> Iterator[str]:
    """Draw the tree below a node, line by line. No recursion: a chain of steps may be long."""
    seen: set[str] = set()
    stack = [("", list(branches(root))[::-1])]
    while stack:
        indent, rest = stack[-1]
        if not rest:
            stack.pop()
            continue
        branch = rest.pop()
        note = "" if branch.key is None else "  (see above)" if branch.key in seen else "  …" if len(stack) == levels else ""
        yield f"{indent}{'├─' if rest else '└─'} {branch.line}{note}"
        if branch.key is not None and not note:
            seen.add(branch.key)
            stack.append((indent + ("│  " if rest else "   "), list(branches(branch.node))[::-1]))


def _grouped(edges: Sequence[Edge], direction: str, *, by_step: bool) -> dict[str, list[Edge]]:
    groups: dict[str, list[Edge]] = {}
    for edge in edges:
        if edge.direction == direction:
            groups.setdefault(edge.step_run_id if by_step else edge.version_id, []).append(edge)
    return groups


def _version_text(version: VersionRecord) -> str:
    return f"{_name(version)} ({shown(version.type.rpartition('.')[2])}, {size_text(version.object.size)})"


def _unique(ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ids))


def _name(version: VersionRecord) -> str:
    return f"{shown(version.artifact)}@{shown(version.version)}"
