"""What a run and a step run are, without where they lead: states, times, parameters, errors, logs."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from lineal.model.records import Json, RunRecord, StepRunRecord
from lineal.model.states import Status
from lineal.model.text import moment, shown
from lineal.views import shapes
from lineal.views.base import View, held_values, state_text
from lineal.views.crashes import notice_crash

Executed = TypeVar("Executed", bound=RunRecord | StepRunRecord)


class Execution(View[Executed]):
    """What is told alike of a run and of a step run."""

    @property
    def name(self) -> str:
        """Its name: the run's, or that of the call in its pipeline, such as `train_2`."""
        return self.record.name

    @property
    def end_time(self) -> datetime | None:
        """When it ended, in UTC; None while it runs."""
        return None if self.record.ended is None else moment(self.record.ended)

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it runs."""
        return None if self.record.duration is None else timedelta(microseconds=self.record.duration / 1000)

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters by name, as they were given."""
        return held_values(self.record.parameters)

    @property
    def metadata(self) -> dict[str, Any]:
        """What was logged about it."""
        return held_values(self.record.metadata)


class StepRunFacts(Execution[StepRunRecord]):
    """The facts of one execution of a step."""

    @property
    def status(self) -> Status:
        """Its state."""
        return self.record.status

    @property
    def start_time(self) -> datetime | None:
        """When it began, in UTC."""
        return None if self.record.started is None else moment(self.record.started)

    @property
    def cache_key(self) -> str | None:
        """The key under which its result can be found again."""
        return self.record.cache_key

    @property
    def peak_memory(self) -> int | None:
        """Bytes of memory that its process held at most, when that was while this step ran; None when an earlier step had used more."""
        return self.record.ingredients.get("peak_memory")

    @property
    def undeclared(self) -> dict[str, list[str]]:
        """What it used and its cache key does not know: `files`, `environment`, `network`, `programs`; empty when there was nothing."""
        return {kind: list(names) for kind, names in self.record.ingredients.get("undeclared", {}).items()}

    @property
    def error(self) -> str | None:
        """Traceback of its failure, or why it did not run."""
        return self.record.error

    @property
    def logs(self) -> str:
        """What it printed and logged so far; empty when that was nothing."""
        file = self.workspace.open_log(self.record.run_id, self.record.id)
        if file is None:
            return ""
        with file:
            return file.read().decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<step run {shown(self.name)}: {state_text(self.record)}>"


class RunFacts(Execution[RunRecord]):
    """The facts of one execution of a pipeline."""

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.record.pipeline

    @property
    def status(self) -> Status:
        """Its state. A run whose process has died is recorded as crashed when it is looked at; `error` says what it died of."""
        self.record = notice_crash(self.record, self.workspace)
        return self.record.status

    @property
    def start_time(self) -> datetime:
        """When it began, in UTC."""
        return moment(self.record.started)

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self.record.tags)

    @property
    def environment(self) -> dict[str, Json]:
        """What it ran in: `python`, `platform`, `lineal`, and in a git repository `git_commit` and `git_dirty`, these once it has ended; `entry`,
        where its pipeline is defined; and `resumes`, the name of the run that it goes on with."""
        return dict(self.record.environment)

    @property
    def error(self) -> str | None:
        """The first error of the run, or what a crashed one died of: "killed: …", "out of memory: …" or "lost: …"; None when there was none."""
        return self.record.error

    def facts_json(self) -> dict[str, Json]:
        """Give its facts as JSON, without its steps. Costs no query."""
        return shapes.run_json(self.record)

    def __repr__(self) -> str:
        return f"<run {shown(self.name)}: {state_text(self.record)}>"
