"""A pipeline as its runs tell of it."""

from lineal.model.records import Json, PipelineRecord
from lineal.model.text import moment_text, shown
from lineal.views import html
from lineal.views.base import Held
from lineal.views.crashes import notice_crash
from lineal.views.nouns import RunView
from lineal.views.shapes import run_json


class PipelineView(Held[PipelineRecord]):
    """A pipeline that was run: a name, and how its runs went."""

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.record.name

    @property
    def run_count(self) -> int:
        """How many runs of it there are."""
        return self.record.runs

    @property
    def last_run(self) -> RunView:
        """Its newest run. Raises NotFound when that was deleted since."""
        return RunView(notice_crash(self.workspace.metadata.get_run(self.record.latest_id), self.workspace), self.workspace)

    def to_json(self) -> dict[str, Json]:
        """Give its facts as JSON: `name`, `runs`, how many of these `completed`, `failed` and are `running`, and `last_run`."""
        record = self.record
        counts = {"runs": record.runs, "completed": record.completed, "failed": record.failed, "running": record.running}
        return {"name": record.name, **counts, "last_run": run_json(self.last_run.record)}

    def __repr__(self) -> str:
        return f"<pipeline {shown(self.name)}: {self.run_count} runs, last {shown(self.record.latest_name)}>"

    def _repr_html_(self) -> str:
        record = self.record
        facts = {"runs": record.runs, "completed": record.completed, "failed": record.failed, "last run": record.latest_name}
        return html.card(self.name, {**facts, "started": f"{moment_text(record.latest_started)} UTC", "status": record.latest_status})
