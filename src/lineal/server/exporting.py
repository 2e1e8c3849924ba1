"""A run, a version, or everything as one HTML file: the dashboard's own pages over answers that stand in the file."""

import asyncio
import base64
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

from lineal.client import Client
from lineal.errors import NotFound, UsageError
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.server.pages import FOLDER
from lineal.server.reading import runs_json, version_of
from lineal.server.routes import PREFIX
from lineal.views import RunView, VersionView
from lineal.views.run_comparison import sides_json

MOST: Final = 200
"""Runs, and versions, that a file of everything holds: the newest."""

LOGGED: Final = 1024 * 1024
"""Bytes of the log of one step that a file holds, about: the first."""

LARGEST: Final = 200 * 1024 * 1024
"""Bytes of a file, beyond which no browser opens it with pleasure."""

SMALL: Final = 4 * 1024 * 1024
"""Bytes of versions whose rows, and whose difference from the one before, are looked up for a file."""

TABLES: Final = r"(pandas|polars|pyarrow)\.(DataFrame|Series|LazyFrame|Table|RecordBatch)"
"""Types whose rows the page shows."""

DEPTH: Final = 3
"""Steps each way of a lineage, as the page asks for them at first."""

POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-src data:; connect-src data:; "
    "base-uri 'none'; form-action 'none'"
)
"""What the file may do: show what stands in it, and ask nobody."""

_HOST: Final = "export"


class Answers:
    """Asks the application, as the dashboard would, and keeps what it answers by path.

    Args:
        client: Where the facts are.
    """

    def __init__(self, client: Client) -> None:
        self._token = secrets.token_urlsafe(32)
        self._app = create_app(client.workspace, OwnerAccess(self._token), [_HOST])
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lineal-export")
        self.kept: dict[str, Any] = {}

    def ask(self, path: str, **query: Any) -> Any:
        """Give the JSON answer for a path."""
        return json.loads(self._ask(_whole(path, query))[1])

    def keep(self, path: str, **query: Any) -> Any:
        """Keep the JSON answer for a path, and give it."""
        whole = _whole(path, query)
        if whole not in self.kept:
            self.kept[whole] = self.ask(path, **query)
        return self.kept[whole]

    def ids(self, kind: str) -> list[str]:
        """Give the ids of the `runs`, or `versions`, whose own answer is kept."""
        return [found[1] for found in (re.fullmatch(f"/{kind}/([^/?]+)", path) for path in self.kept) if found]

    def keep_bytes(self, path: str) -> None:
        """Keep what a browser would ask for by itself, as a data URL."""
        kind, body = self._ask(path)
        self.kept[f"data:{path}"] = f"data:{kind};base64,{base64.b64encode(body).decode('ascii')}"

    def _ask(self, whole: str) -> tuple[str, bytes]:
        # In a thread of its own: notebooks have an event loop already, and no second one can run beside it.
        status, headers, body = self._thread.submit(asyncio.run, _asked(self._app, whole, self._token)).result()
        if status != 200:
            problem = json.loads(body)
            raise UsageError(f"it cannot be exported: {problem['title']}: {problem['detail']}")
        return headers[b"content-type"].decode("latin-1"), body


def _whole(path: str, query: Mapping[str, Any]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


async def _asked(app: Any, whole: str, token: str) -> tuple[int, dict[bytes, bytes], bytes]:
    path, _, query = f"{PREFIX}{whole}".partition("?")
    headers = [(b"host", _HOST.encode()), (b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(),
        "query_string": query.encode(), "headers": headers, "client": None, "server": (_HOST, 80), "root_path": "",
    }  # fmt: skip
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await app(scope, receive, send)
    start, *rest = messages
    return start["status"], dict(start["headers"]), b"".join(each.get("body", b"") for each in rest)


def export(client: Client, what: RunView | VersionView | str | None) -> str:
    """Give a run, a version, or with None everything, as an HTML file.

    Text is NAME, NAME@VERSION or RUN: a run's name, its id, or `latest`. A run wins. Raises NotFound.
    """
    if what is None:
        return export_all(client)
    if isinstance(what, str):
        what = _found(client, what)
    return export_run(client, what) if isinstance(what, RunView) else export_version(client, what)


def _found(client: Client, what: str) -> RunView | VersionView:
    name, at, version = what.partition("@")
    if at:
        return client.get_artifact_version(name, version or None)
    try:
        return client.get_pipeline_run(what)
    except NotFound:
        return client.get_artifact_version(what)


def export_run(client: Client, run: RunView) -> str:
    """Give a run, with its steps and the versions that went in and came out, as an HTML file."""
    answers = Answers(client)
    _keep_run(answers, str(run.id))
    return _page(client, answers, f"#/runs/{run.id}")


def export_version(client: Client, version: VersionView) -> str:
    """Give a version, its lineage, and the runs and versions next to it as an HTML file."""
    answers = Answers(client)
    lineage = _keep_version(answers, str(version.id))
    _keep_comparison(answers, str(version.id))
    for run in lineage["runs"]:
        _keep_run(answers, run["id"])
    return _page(client, answers, f"#/versions/{version.id}")


def export_all(client: Client) -> str:
    """Give the newest runs and versions, every overview, and the settings in force, as an HTML file."""
    answers = Answers(client)
    for path in ("/home", "/pipelines", "/storage", "/settings"):
        answers.keep(path)
    if answers.ask("/storage/verify")["state"] == "completed":
        answers.keep("/storage/verify")
    for run in client.list_pipeline_runs(limit=MOST):
        _keep_run(answers, str(run.id))
    for named in (*answers.kept["/home"]["problems"], *(pipeline["latest"] for pipeline in answers.kept["/pipelines"])):
        _keep_run(answers, named["id"])
    for version in client.list_artifact_versions(limit=MOST):
        _keep_version(answers, str(version.id))
        _keep_comparison(answers, str(version.id))
    return _page(client, answers, "#/")


def _keep_run(answers: Answers, run_id: str) -> None:
    if f"/runs/{run_id}" in answers.kept:
        return
    run = answers.keep(f"/runs/{run_id}")
    for step in run["steps"]:
        answers.keep(f"/step-runs/{step['id']}")
        _keep_log(answers, f"/step-runs/{step['id']}/log")
        for port in (*step["inputs"], *step["outputs"]):
            _keep_version(answers, port["id"])


def _keep_log(answers: Answers, path: str) -> None:
    part = log = answers.keep(path)
    while part["text"] and log["next"] < LOGGED:
        part = answers.ask(path, offset=log["next"])
        log |= {"text": log["text"] + part["text"], "next": part["next"]}
    if part["text"]:
        log["cut"] = True


def _keep_version(answers: Answers, version_id: str) -> Any:
    path = f"/versions/{version_id}"
    known = f"{path}/lineage?depth={DEPTH}"
    if known not in answers.kept:
        version = answers.keep(path)
        if version["state"] == "live":
            for place, shown in enumerate(answers.keep(f"{path}/visualizations")):
                answers.keep_bytes(f"{path}/visualizations/{place}{'?framed=true' if shown['kind'] == 'html' else ''}")
            if _is_small_table(version):
                with suppress(UsageError):  # a file without its rows is better than none
                    answers.keep(f"{path}/rows", limit=50, offset=0)
        answers.keep(f"{path}/lineage", depth=DEPTH)
    return answers.kept[known]


def _is_small_table(version: Any) -> bool:
    """Tell whether the first rows of a version can be had without much reading."""
    return version["size"] <= SMALL and re.fullmatch(TABLES, version["type"]) is not None


def _keep_comparison(answers: Answers, version_id: str) -> None:
    """Keep what differs from the version before, where both are small."""
    version = answers.keep(f"/versions/{version_id}")
    for before in answers.ask("/versions", artifact=version["name"], created_before=version["created"], limit=1)["items"]:
        if all(each["size"] <= SMALL and each["state"] == "live" for each in (version, before)):
            _keep_version(answers, before["id"])
            with suppress(UsageError):
                answers.keep("/compare/versions", a=before["id"], b=version_id)


def _keep_lists(client: Client, answers: Answers) -> None:
    """Keep what lists show of the runs, versions and artifacts in the file, which its pages filter, sort and compare by themselves."""
    runs = sorted((client.get_pipeline_run(each) for each in answers.ids("runs")), key=lambda run: (run.record.started, run.record.id))
    runs.reverse()
    versions = [version_of(client, each) for each in answers.ids("versions")]
    names = sorted({version.name for version in versions})
    answers.kept |= {
        "/runs": runs_json(client, runs),
        "/versions": [version.to_json() for version in versions],
        "/artifacts": [client.get_artifact(name).to_json() for name in names],
        "/compare/sides": sides_json(runs),
    }


def _page(client: Client, answers: Answers, start: str) -> str:
    _keep_lists(client, answers)
    index = (FOLDER / "index.html").read_text(encoding="utf-8")
    # In a script element only "</" and "<!--" could end the data early; escaped, it is the same JSON.
    data = json.dumps(answers.kept, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    if len(data) > LARGEST:
        raise UsageError(f"the file would have {len(data) / 1e6:.0f} MB; export one run or one version")
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="lineal-start" content="{start}">'
    page = _without_files(index).replace("<head>", f"<head>{head}", 1)
    script = _asset(index, r'src="\./(assets/[^"]+\.js)"').replace("</script", "<\\/script").replace("<!--", "<\\!--")
    style = _asset(index, r'href="\./(assets/[^"]+\.css)"').replace("</style", "<\\/style")
    body = f'<script type="application/json" id="lineal-data">{data}</script><script type="module">{script}</script>'
    return page.replace("</head>", f"<style>{style}</style></head>", 1).replace("</body>", f"{body}</body>", 1)


def _asset(index: str, pattern: str) -> str:
    found: Iterable[str] = re.findall(pattern, index)
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in found)


def _without_files(index: str) -> str:
    return re.sub(r'<script type="module"[^>]*></script>|<link rel="stylesheet"[^>]*>', "", index)
