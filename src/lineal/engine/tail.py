"""Shows what steps print in worker processes: new text of their logs, passed on by the run's own process.

Workers do not write to the terminal themselves: several of them, and the live lines, would tear each other's lines apart.
"""

import codecs
import sys
from pathlib import Path
from typing import Any

from lineal.engine.logs import log_path


class Tails:
    """The logs of the steps that are running elsewhere, by step run id."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[Path, int, Any]] = {}

    def begin(self, step_run_id: str, folder: Path | None) -> None:
        """Follow a step's log in its run's folder; neither need exist yet."""
        if folder is not None:
            self._places[step_run_id] = (log_path(folder, step_run_id), 0, codecs.getincrementaldecoder("utf-8")("replace"))

    def show(self) -> None:
        """Print what the logs have gained."""
        for step_run_id in list(self._places):
            self._show(step_run_id)

    def end(self, step_run_id: str) -> None:
        """Print the rest of a step's log and follow it no longer."""
        if step_run_id in self._places:
            self._show(step_run_id)
            del self._places[step_run_id]

    def _show(self, step_run_id: str) -> None:
        path, offset, decoder = self._places[step_run_id]
        try:
            with path.open("rb") as file:
                file.seek(offset)
                new = file.read()
        except FileNotFoundError:
            return  # the step has printed nothing yet
        if new:
            self._places[step_run_id] = (path, offset + len(new), decoder)
            sys.stdout.write(decoder.decode(new))
            sys.stdout.flush()
