"""A plan as users hold it: what a run would do, as text, in a notebook, and as JSON."""

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence

from lineal.engine.forecast import Forecast
from lineal.engine.planned import PlannedStep
from lineal.model.records import Json
from lineal.model.states import Prospect
from lineal.model.text import duration_text, shown, size_text
from lineal.views import html
from lineal.views.base import Named
from lineal.views.printed import padded, width_of

_HEAD = ("step", "plan", "time", "size", "why")
_RIGHT = (False, False, True, True)
_NARROWEST = 24  # columns of a terminal that are left to the reasons


class PlanView:
    """What a run of a pipeline would do. `print` shows it as a table."""

    pipeline: str
    """Name of the pipeline."""
    steps: Named[PlannedStep]
    """The planned steps by name, in the order of the definition."""
    forecast: Forecast
    """How many steps would run, for how long, and how many bytes they would write."""
    stopped_at: str | None
    """The output, as `step.output`, whose value the pipeline's body looks at although a step would have to run for it; what the body does with
    it is not known, so the plan ends there. None when the plan is whole."""

    def __init__(
        self, pipeline: str, parameters: Mapping[str, Json], steps: Sequence[PlannedStep], forecast: Forecast, stopped_at: str | None
    ) -> None:
        self.pipeline = pipeline
        self.steps = Named(f"step of the plan of {pipeline!r}", {each.name: each for each in steps})
        self.forecast = forecast
        self.stopped_at = stopped_at
        self._parameters = parameters

    def to_json(self) -> dict[str, Json]:
        """Give it as JSON: `pipeline`, `parameters`, `steps`, `forecast`, `stopped_at`."""
        return {
            "pipeline": self.pipeline,
            "parameters": dict(self._parameters),
            "steps": [each.to_json() for each in self.steps.values()],
            "forecast": self.forecast.to_json(),
            "stopped_at": self.stopped_at,
        }

    @property
    def _summary(self) -> str:
        rest = ""
        if self.stopped_at is not None:
            rest = f"; the body looks at {self.stopped_at}, which is not there yet, so what follows is not planned"
        return f"{self.forecast}{rest}"

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                shown(each.name),
                each.state.value,
                "" if each.duration is None else duration_text(each.duration.total_seconds()),
                "" if each.size is None else size_text(each.size),
                shown("; ".join(_short(each))),
            )
            for each in self.steps.values()
        ]

    def __str__(self) -> str:
        room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        return "\n".join([*_lines([_HEAD, *self._rows()], room), "", f"{shown(self.pipeline)}: {shown(self._summary)}"])

    def __repr__(self) -> str:
        return f"<plan of {shown(self.pipeline)}: {self.forecast}>"

    def _repr_html_(self) -> str:
        return html.grid(f"{self.pipeline}: {self._summary}", _HEAD, self._rows())


def _short(step: PlannedStep) -> tuple[str, ...]:
    """Give the reasons; of a cached step where its result is from, and what its key does not know."""
    return (f"from run {step.cached_from}", *step.why[1:]) if step.state is Prospect.CACHED else step.why


def _lines(table: Sequence[Sequence[str]], room: int | None) -> list[str]:
    """Give the lines of a table whose last column is wrapped to what the terminal leaves it; without one nothing is."""
    widths = [max(width_of(row[place]) for row in table) for place in range(len(_RIGHT))]
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for row in table:
        start = "".join(padded(cell, width, right) + "  " for cell, width, right in zip(row, widths, _RIGHT, strict=False))
        parts = [row[-1]] if room is None else textwrap.wrap(row[-1], max(room - indent, _NARROWEST)) or [""]
        lines += [(start + parts[0]).rstrip(), *(" " * indent + part for part in parts[1:])]
    return lines
