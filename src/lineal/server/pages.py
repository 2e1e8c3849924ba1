"""The dashboard's own files. They hold no facts, so anybody may have them; what they show comes from the API."""

from pathlib import Path
from typing import Annotated, Final

from fastapi import Path as InPath
from fastapi import Request
from starlette.responses import Response

from lineal.errors import NotFound
from lineal.server.answers import held
from lineal.server.routes import Table

FOLDER: Final = Path(__file__).parent / "static"
"""What `npm run build` in `dashboard/` writes."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".woff2": "font/woff2",
}  # fmt: skip
_FOREVER: Final = {"cache-control": "public, max-age=31536000, immutable"}  # names of assets hold a digest of their content


def add_to(table: Table) -> None:
    """Add the routes to a table. Files are read once: what a request asks for is looked up by name and never opened."""
    assets = {path.name: path.read_bytes() for path in sorted((FOLDER / "assets").glob("*")) if path.suffix in _TYPES}
    index = (FOLDER / "index.html").read_bytes()

    @table.get("/", "public", is_page=True)
    def get_index(request: Request) -> Response:
        """Give the dashboard; which page of it is shown stands behind the # of the address."""
        return held(request, index, _TYPES[".html"])

    @table.get("/assets/{name}", "public", is_page=True)
    def get_asset(request: Request, name: Annotated[str, InPath(max_length=200)]) -> Response:
        """Give a file of the dashboard."""
        if name not in assets:
            raise NotFound(f"the dashboard has no file {name!r}")
        return held(request, assets[name], _TYPES[Path(name).suffix], _FOREVER)
