"""`lineal.show()`: the dashboard's pages below a cell of a notebook.

What is shown is the file that `lineal export html` writes, in a frame of its own. It needs no server and no session, so the frame can be
one that may reach neither the notebook around it nor any host.
"""

import html
from typing import Final

from lineal.client import Client
from lineal.errors import UsageError
from lineal.model.text import size_text
from lineal.server.exporting import export
from lineal.views import RunView, VersionView
from lineal.workspace import Workspace

HEIGHT: Final = 640
"""Pixels of a frame, where nothing else is asked for."""


class Shown:
    """Pages of the dashboard that a notebook shows as the result of a cell."""

    def __init__(self, page: str, height: int) -> None:
        self._page = page
        self._height = height

    def _repr_html_(self) -> str:
        style = f"width:100%;height:{self._height}px;border:1px solid rgba(128,128,128,.35);border-radius:8px"
        return f'<iframe sandbox="allow-scripts" title="Lineal" style="{style}" srcdoc="{html.escape(self._page)}"></iframe>'

    def __repr__(self) -> str:
        return f"<pages of the dashboard, {size_text(len(self._page))}: a notebook shows them; anywhere else use lineal up, or lineal export html>"


def show(what: RunView | VersionView | str | None = None, *, height: int = HEIGHT) -> Shown:
    """Show the dashboard's pages below a cell of a notebook, as they are now. Needs the extra `server`.

    Args:
        what: A run, a version, or the name of one as `lineal export html` takes it; None is the newest 200 runs and 200 versions.
        height: Pixels, 200 to 4,000.

    Give it as the last line of a cell. Raises NotFound, and UsageError for another height.

    Example:
        >>> import lineal
        >>> lineal.show("model@3")  # doctest: +SKIP
    """
    if not 200 <= height <= 4000:
        raise UsageError(f"height must be 200 to 4000 pixels, got {height!r}")
    of = None if what is None or isinstance(what, str) else what.workspace
    return Shown(export(Client(of if isinstance(of, Workspace) else None), what), height)
