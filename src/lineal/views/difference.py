"""The difference of two versions as users hold it: it shows itself as text, in a notebook and as JSON."""

from collections.abc import Callable, Iterator, Sequence

from lineal.compare.base import ROWS, Comparison, Part, count_text
from lineal.compare.plain import compare_plain
from lineal.compare.values import compare_values
from lineal.errors import LinealError, UsageError
from lineal.materializers.paths import PathMaterializer
from lineal.model.records import FileEntry, Json, VersionRecord
from lineal.model.text import shown, shown_lines, size_text
from lineal.views import html
from lineal.views.ancestry import ExplainCode, Finding, compare_lineages
from lineal.views.base import Stores, name_text


class Difference:
    """What differs between two versions: their facts, their values, and how their lineages part.

    `print` shows it as text; in a notebook it shows itself as tables. Long lists are cut, and say how long they are.

    Attributes:
        one: The record of the version before.
        other: The record of the version after.
        values: How the values differ; None when they were not compared, and `not_compared` says why.
        lineage: The pairs of versions upstream that differ, what differed first at the top.
    """

    def __init__(
        self,
        one: VersionRecord,
        other: VersionRecord,
        values: Comparison | None,
        not_compared: str,
        lineage: Sequence[Finding],
    ) -> None:
        self.one = one
        self.other = other
        self.values = values
        self.not_compared = not_compared
        self.lineage = lineage

    @property
    def same(self) -> bool:
        """Whether both have the same content: the same bytes, saved by the same materializer."""
        return (self.one.object.digest, self.one.materializer) == (self.other.object.digest, self.other.materializer)

    @property
    def summary(self) -> str:
        """What differs in the values, in a few words."""
        if self.same:
            return "the same content"
        if self.values is None:
            return f"the content differs; the values were not compared: {self.not_compared}"
        if self.values.same:
            return "the stored bytes differ, and nothing that is compared of the values does"
        return self.values.summary

    def parts(self) -> list[Part]:
        """Give what differs, as sentences and small tables."""
        values = [] if self.same or self.values is None else list(self.values.parts)
        return [*values, *_facts(self.one, self.other), *_lineage_parts(self.lineage)]

    def __str__(self) -> str:
        return shown_lines("\n".join(self._text()))

    def _text(self) -> Iterator[str]:
        yield f"{self._title}: {self.summary}"
        for part in self.parts():
            yield ""
            yield part.title
            yield from (f"  {line}" for line in part.lines)
            if part.rows:
                yield from (f"  {line}" for line in _aligned([part.columns, *part.rows]))

    @property
    def _title(self) -> str:
        return f"{name_text(self.one)} → {name_text(self.other)}"

    def __repr__(self) -> str:
        return f"<difference {self._title}: {shown(self.summary)}>"

    def _repr_html_(self) -> str:
        pieces = [f"<p><strong>{html.escaped(self._title)}</strong>: {html.escaped(self.summary)}</p>"]
        for part in self.parts():
            if part.rows:
                pieces.append(html.grid(part.title, part.columns, part.rows))
                pieces += [html.preformatted("\n".join(part.lines))] if part.lines else []
            else:
                pieces.append(html.preformatted("\n".join([part.title, *(f"  {line}" for line in part.lines)])))
        return f"<div>{''.join(pieces)}</div>"

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON: `one`, `other`, `same`, `summary`, `facts`, `values` (with `kind`; None when not compared) and `lineage`."""
        values = self.values
        return {
            "one": _version_json(self.one),
            "other": _version_json(self.other),
            "same": self.same,
            "summary": self.summary,
            "not_compared": self.not_compared or None,
            "metadata": compare_plain(dict(self.one.metadata), dict(self.other.metadata), _unequal, "metadata").data["changes"],
            "values": None if values is None else {"kind": values.kind, "same": values.same, "summary": values.summary, **values.data},
            "lineage": [finding.to_json() for finding in self.lineage],
        }


def difference(
    one: VersionRecord, other: VersionRecord, workspace: Stores, key: str | Sequence[str] | None, explain_code: ExplainCode
) -> Difference:
    """Compare two versions. What cannot be loaded is compared by its facts and its lineage. Raises UsageError for a key that does not fit."""
    lineage = compare_lineages(one, other, workspace.metadata, explain_code)
    same = (one.object.digest, one.materializer) == (other.object.digest, other.materializer)
    if same and key is None:
        return Difference(one, other, Comparison("same", same=True, summary="the same content"), "", lineage)
    if _is_files(one) and _is_files(other):
        return Difference(one, other, compare_files(one.object.files, other.object.files), "", lineage)
    try:
        values = compare_values(workspace.artifacts.load(one), workspace.artifacts.load(other), key)
    except UsageError:
        raise
    except (LinealError, ImportError) as error:
        return Difference(one, other, None, str(error), lineage)
    return Difference(one, other, values, "", lineage)


def compare_files(one: Sequence[FileEntry], other: Sequence[FileEntry]) -> Comparison:
    """Compare two listings by path and digest."""
    before, after = ({entry.path: entry for entry in files} for files in (one, other))
    rows = []
    for path in sorted({*before, *after}):
        was, now = before.get(path), after.get(path)
        if was is None or now is None or was.digest != now.digest:
            what = "added" if was is None else "removed" if now is None else "changed"
            rows.append((path, what, "" if was is None else size_text(was.size), "" if now is None else size_text(now.size)))
    if not rows:
        return Comparison("files", same=True, summary="equal", data={"differences": 0, "files": []})
    counts = [(what, sum(row[1] == what for row in rows)) for what in ("added", "removed", "changed")]
    summary = ", ".join(f"{count_text(count, 'file')} {what}" for what, count in counts if count)
    lines = [f"the first {ROWS} of {len(rows):,}"] if len(rows) > ROWS else []
    data = {"differences": len(rows), "files": [{"path": path, "change": what} for path, what, _, _ in rows[:ROWS]]}
    parts = [Part("files", lines, ("file", "", "before", "after"), rows[:ROWS])]
    return Comparison("files", same=False, summary=summary, parts=parts, data=data)


def _is_files(record: VersionRecord) -> bool:
    return record.materializer == PathMaterializer.id


def _facts(one: VersionRecord, other: VersionRecord) -> list[Part]:
    facts: list[tuple[str, Callable[[VersionRecord], str]]] = [
        ("type", lambda record: record.type),
        ("kind", lambda record: record.data_type),
        ("materializer", lambda record: record.materializer),
        ("size", lambda record: size_text(record.object.size)),
        ("digest", lambda record: record.object.digest[:12]),
        ("tags", lambda record: ", ".join(record.tags)),
        ("state", lambda record: record.state),
    ]
    rows = [(name, give(one), give(other)) for name, give in facts if give(one) != give(other)]
    metadata = compare_plain(dict(one.metadata), dict(other.metadata), _unequal, "metadata").data["changes"]
    rows += [(change["path"], change["before"], change["after"]) for change in metadata]
    return [Part("facts", (), ("", "before", "after"), rows)] if rows else []


def _unequal(one: object, other: object) -> Comparison:
    return Comparison("other", same=one == other, summary="not equal")


def _lineage_parts(lineage: Sequence[Finding]) -> list[Part]:
    if not lineage:
        return []
    first = [finding for finding in lineage if finding.is_first]
    lines = [f"first at {_where(finding)}: {'; '.join(finding.because)}" for finding in first[:ROWS]]
    rest = [finding for finding in lineage if not finding.is_first]
    lines += [f"then at {_where(finding)}: {'; '.join([*finding.because, *finding.inputs])}" for finding in rest[:ROWS]]
    return [Part("lineage", lines)]


def _where(finding: Finding) -> str:
    versions = finding.one if finding.one == finding.other else f"{finding.one} → {finding.other}"
    return versions if finding.step is None else f"{versions} (step {shown(finding.step)})"


def _version_json(record: VersionRecord) -> dict[str, Json]:
    return {
        "id": record.id, "name": record.artifact, "version": record.version, "type": record.type, "materializer": record.materializer,
        "digest": record.object.digest, "size": record.object.size,
    }  # fmt: skip


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
