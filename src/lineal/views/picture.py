"""Visualizations as HTML: in a notebook's own page where they can do nothing but be looked at, else in a frame that is shut off.

A frame has an origin of its own (no cookies, no access to the page around it) and a policy under which nothing is loaded from anywhere.
"""

import csv
import html
import io
import json
import re
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from lineal.errors import UsageError
from lineal.materializers import markup
from lineal.model.text import size_text
from lineal.model.visualization import Visualization
from lineal.views.files import write_file
from lineal.views.subset import body_of, parse

LONGEST: Final = 50_000
"""Characters of text and of JSON that are shown on a page."""

ROWS: Final = 50
"""Rows of comma-separated values that are shown."""

POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
    "media-src data:; worker-src blob:; form-action 'none'; base-uri 'none'"
)
"""What HTML of others may do in its frame: run what it brings along, and load nothing."""

_SHORT = 80  # characters of a list that stands on one line
_TALL = 360  # pixels of a frame, which cannot know how tall its page is
_HEIGHT = re.compile(r'<meta name="lineal-height" content="(\d{1,4})">')  # unless the page begins with this
_FRAME = "width:100%;height:{}px;resize:vertical;border:1px solid #8884;background:#fff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?%?")
_LANGUAGE = re.compile(r' class="language-[^"]*"')
_RELATIVE_LINK = re.compile(r'<a href="(?!https?://|mailto:|#)[^"]*"')
_REMOTE_IMAGE = re.compile(r'<img src="(?!data:)[^"]*" alt="([^"]*)"[^>]*>')
_VEGA_LITE = re.compile(r"https://vega\.github\.io/schema/vega-lite/(v\d+)")


def pieces(visualization: Visualization, *, titled: bool = True) -> str:
    """Give the HTML of one visualization, to stand in a page."""
    title = markup.heading(visualization.title) if visualization.title and titled else ""
    return title + _PIECES[visualization.kind](visualization)


def page(title: str, visualizations: list[Visualization]) -> str:
    """Give a page of its own with all of them."""
    several = len(visualizations) > 1  # the only one needs no title beside that of all
    body = "".join(f'<div style="margin:0 0 24px">{pieces(each, titled=several)}</div>' for each in visualizations)
    return markup.document(title, f"{markup.heading(title)}{body}", POLICY)  # frames are held by the page's policy too


def bundle(visualization: Visualization, *, titled: bool = True) -> dict[str, Any]:
    """Give what a notebook shows: HTML, and for a chart that notebooks draw by themselves its specification."""
    found: dict[str, Any] = {
        "text/plain": f"<{visualization.kind} {visualization.title}>",
        "text/html": pieces(visualization, titled=titled),
    }
    spec = _parsed(visualization) if visualization.kind == "json" else None
    mime = _drawn_as(spec)
    if mime:
        found[mime] = spec
        # Where nobody draws it the specification is long and says little: shown when asked for.
        found["text/html"] = f"<details><summary>{markup.escaped(visualization.title or 'chart')}</summary>{_json(visualization)}</details>"
    return found


def _drawn_as(spec: Any) -> str:
    """Give the type by which notebooks know a chart that they draw themselves; empty for other JSON."""
    if not isinstance(spec, dict):
        return ""
    schema = _VEGA_LITE.match(str(spec.get("$schema", "")))
    if schema:
        return f"application/vnd.vegalite.{schema[1]}+json"
    traces = spec.get("data")
    is_figure = isinstance(traces, list) and isinstance(spec.get("layout"), dict) and all(isinstance(each, dict) for each in traces)
    return "application/vnd.plotly.v1+json" if is_figure else ""


def show_in_notebook(title: str, visualizations: list[Visualization]) -> None:
    """Display all of them below the running cell."""
    from IPython.display import display

    display({"text/html": markup.heading(title), "text/plain": title}, raw=True)  # type: ignore[no-untyped-call]
    for each in visualizations:
        display(bundle(each, titled=len(visualizations) > 1), raw=True)  # type: ignore[no-untyped-call]


def write_pages(title: str, visualizations: list[Visualization], folder: Path, *, overwrite: bool) -> Path:
    """Write each visualization as a file, and `index.html` with all of them; gives the latter. Raises UsageError for a file that is there."""
    files = {f"{place}.{each.suffix}": _exported(each) for place, each in enumerate(visualizations)}
    files["index.html"] = page(title, visualizations).encode("utf-8", "backslashreplace")
    there = [name for name in files if (folder / name).exists()]
    if there and not overwrite:
        raise UsageError(f"{folder / there[0]} is there already; give another folder, or overwrite=True to replace it")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_file(folder / name, data)
    return folder / "index.html"


def _exported(visualization: Visualization) -> bytes:
    if visualization.kind != "csv":
        return visualization.data
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_harmless(cell) for cell in row] for row in csv_rows(visualization, sys.maxsize))
    return out.getvalue().encode("utf-8", "backslashreplace")


def _harmless(cell: str) -> str:
    """Give a cell that a spreadsheet takes as text and not as a formula."""
    return f"'{cell}" if cell[:1] in _FORMULA and not _NUMBER.fullmatch(cell) else cell


def csv_rows(visualization: Visualization, most: int = ROWS + 1) -> list[list[str]]:
    """Give the first rows of comma-separated values, all of the same length; text that csv cannot read, line by line."""
    text = str(visualization.content)
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline="")), most))
    except csv.Error:  # a field longer than 128 KiB
        rows = [[line] for line in text.splitlines()[:most]]
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def json_text(visualization: Visualization) -> str:
    """Give JSON one value a line, a short list of plain values on one; text that is no JSON as it is."""
    parsed = _parsed(visualization)
    return str(visualization.content) if parsed is None else _joined(json.dumps(parsed, indent=2, ensure_ascii=False))


def _joined(text: str) -> str:
    lines: list[str] = []
    opened: int | None = None  # where a list begins of which only plain values have come
    for line in text.split("\n"):
        if line.lstrip()[:1] == "]" and opened is not None:
            whole = lines[opened] + " ".join(each.strip() for each in lines[opened + 1 :]) + line.strip()
            if len(whole) <= _SHORT:
                lines[opened:], opened = [whole], None
                continue
            opened = None
        lines.append(line)
        if line.endswith(("[", "{")):
            opened = len(lines) - 1 if line.endswith("[") else None
    return "\n".join(lines)


def _parsed(visualization: Visualization) -> Any:
    try:
        return json.loads(visualization.content)
    except (ValueError, RecursionError):
        return None


def _html(visualization: Visualization) -> str:
    body = body_of(str(visualization.content))
    return _inline(body) if parse(body) is not None else _framed(str(visualization.content))


def _inline(body: str) -> str:
    return f'<div style="overflow:auto;contain:content">{body}</div>'


def _framed(content: str) -> str:
    # The policy comes first: what stands before it would not be held by it.
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    said = _HEIGHT.match(content)
    style = _FRAME.format(min(int(said[1]), _TALL) if said else _TALL)
    return (
        f'<iframe sandbox="allow-scripts" referrerpolicy="no-referrer" style="{style}" srcdoc="{html.escape(policy + content)}"></iframe>'
    )


def _image(visualization: Visualization) -> str:
    kind = {"svg": "svg+xml", "jpg": "jpeg"}.get(visualization.suffix, visualization.suffix)
    data = b64encode(visualization.data).decode()
    # An SVG in an <img> runs no script and loads nothing.
    return f'<img src="data:image/{kind};base64,{data}" alt="{markup.escaped(visualization.title)}" style="max-width:100%">'


def _csv(visualization: Visualization) -> str:
    rows = [[markup.escaped(cell, 80) for cell in row] for row in csv_rows(visualization)]
    if not rows:
        return ""
    head = [f"<b>{cell}</b>" for cell in rows[0]]
    more = f"the first {ROWS} rows of {size_text(len(visualization.data))}" if len(rows) > ROWS else ""
    return markup.table(head, rows[1:], [False] * len(head)) + markup.note(more)


def _markdown(visualization: Visualization) -> str:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(str(visualization.content))
    made = _RELATIVE_LINK.sub("<a", _LANGUAGE.sub("", _REMOTE_IMAGE.sub(r"[\1]", made)))
    return _html(Visualization("html", made))


def _json(visualization: Visualization) -> str:
    return _preformatted(json_text(visualization))


def _text(visualization: Visualization) -> str:
    return _preformatted(str(visualization.content))


def _preformatted(text: str) -> str:
    more = markup.note(f"the first {LONGEST:,} of {len(text):,} characters") if len(text) > LONGEST else ""
    return f'<pre style="{markup.PRE}">{markup.escaped_lines(text[:LONGEST])}</pre>{more}'


_PIECES: Final[Mapping[str, Callable[[Visualization], str]]] = {
    "html": _html,
    "image": _image,
    "svg": _image,
    "csv": _csv,
    "markdown": _markdown,
    "json": _json,
    "text": _text,
}
