"""Bytes of versions: their files to download, and what shows them, kept away from our own pages."""

from typing import Annotated, Final

from fastapi import Path, Request
from starlette.responses import Response

from lineal.client import Client
from lineal.errors import ArtifactMissing, NotFound
from lineal.model.text import moment_text
from lineal.model.visualization import Visualization
from lineal.server.answers import answer, attachment, file_answer, held
from lineal.server.reading import Id, version_of
from lineal.server.routes import Table
from lineal.views import VersionView
from lineal.views.base import name_text

Place = Annotated[int, Path(ge=0, le=1_000_000)]
"""Which one of a list: the position, so that no path of the storage is ever asked for."""

SANDBOX: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""What HTML of users may do, framed or opened by itself: run in an origin of its own that can reach nothing."""

MEASURE: Final = b"""
<script>
(() => {
  let told = 0;
  const tell = () => {
    const content = document.createRange();
    content.selectNodeContents(document.body || document.documentElement);
    const end = content.getBoundingClientRect().bottom + scrollY + 16;
    const whole = document.documentElement.scrollHeight;
    const height = Math.ceil(whole > innerHeight ? Math.max(whole, end) : end);
    if (Math.abs(height - told) > 4) parent.postMessage({lineal: "height", height: told = height}, "*");
  };
  addEventListener("load", () => {
    tell();
    if (window.ResizeObserver) new ResizeObserver(tell).observe(document.body || document.documentElement);
  });
})();
</script>
"""
"""Tells a number to the page around it, which nobody else could measure. What else stands in the frame can tell numbers too."""

_TYPES: Final = {
    "html": "text/html; charset=utf-8", "svg": "image/svg+xml", "csv": "text/plain; charset=utf-8", "markdown": "text/plain; charset=utf-8",
    "json": "application/json", "text": "text/plain; charset=utf-8",
}  # fmt: skip
_IMAGES: Final = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}


def add_to(table: Table, client: Client) -> None:
    """Add the operations to a table; `client` finds what they give."""

    @table.get("/versions/{version_id}/visualizations", "read")
    def list_visualizations(request: Request, version_id: Id) -> Response:
        """List what shows a version: kind, title and size of each, in order."""
        found = version_of(client, version_id).visualizations
        return answer(request, [{"kind": each.kind, "title": each.title, "size": len(each.data)} for each in found])

    @table.get("/versions/{version_id}/visualizations/{place}", "read", media="*/*")
    def get_visualization(request: Request, version_id: Id, place: Place, framed: bool = False) -> Response:
        """Give one visualization as it is, in a sandbox. HTML that is `framed` also tells the page around it how high it is."""
        view = version_of(client, version_id)
        if place >= len(view.visualizations):
            raise NotFound(f"{name_text(view.record)} has {len(view.visualizations)} visualizations; there is none at {place}")
        found = view.visualizations[place]
        data = measured(found.data) if framed and found.kind == "html" else found.data
        return held(request, data, media_type(found), {"content-security-policy": SANDBOX})

    @table.get("/versions/{version_id}/files/{place}", "read", media="*/*")
    def get_file(request: Request, version_id: Id, place: Place) -> Response:
        """Give one file of a version, or a part of it (Range)."""
        view = version_of(client, version_id)
        if place >= len(view.files):
            raise NotFound(f"{name_text(view.record)} has {len(view.files)} files; there is none at {place}")
        return _file(request, view, place)


def measured(page: bytes) -> bytes:
    """Add to a page what tells its height: before the page's own policy, which would refuse it, else at its end, where nothing of it moves."""
    place = page.find(b'<meta http-equiv="Content-Security-Policy"', 0, 2000)
    return page + MEASURE if place < 0 else page[:place] + MEASURE + page[place:]


def media_type(visualization: Visualization) -> str:
    """Give the type that a browser is told, which is never taken from the content."""
    return _IMAGES[visualization.suffix] if visualization.kind == "image" else _TYPES[visualization.kind]


def _file(request: Request, view: VersionView, place: int) -> Response:
    record, entry = view.record, view.files[place]
    if record.state == "pruned":
        raise ArtifactMissing(f"the data of {name_text(record)} was pruned on {moment_text(record.pruned)} UTC")
    if record.object.inline is not None:
        headers = {"content-disposition": attachment(entry.path)}
        return held(request, record.object.inline, "application/octet-stream", headers)
    artifacts = view.workspace.artifacts
    if record.object.external is not None:
        path = artifacts.external.file(record.object, entry.path)
    else:
        path = artifacts.store.fetch(record.object) / entry.path
    try:
        return file_answer(request, str(path), entry.path, entry.digest, is_ours=record.object.external is None)
    except OSError as error:
        raise ArtifactMissing(f"file {entry.path!r} of {name_text(record)} cannot be read: {error.strerror}") from error
