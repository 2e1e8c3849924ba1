"""`lineal artifact visualize`."""

import base64
import webbrowser
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest

from lineal.saving import save_artifact
from lineal.types import HTMLString


@pytest.fixture
def saved() -> None:
    save_artifact({"accuracy": 0.5, "n": 3}, "metrics")
    save_artifact(HTMLString("<script>1</script>"), "page")
    save_artifact(np.zeros((40, 50), np.uint8), "picture")


def test_a_visualization_is_printed(lineal, saved: None) -> None:
    assert lineal("artifact", "visualize", "metrics").out == "metrics@1\naccuracy  0.5\nn         3\n"
    assert lineal("artifact", "visualize", "metrics@1").out == lineal("artifact", "visualize", "metrics").out


def test_what_cannot_be_printed_is_named(lineal, saved: None) -> None:
    assert lineal("artifact", "visualize", "page").out == "page@1\nhtml, 18 B\nto see it: lineal artifact visualize page@1 --open\n"


def test_visualizations_are_written_into_a_folder(lineal, saved: None, tmp_path: Path) -> None:
    folder = tmp_path / "shown"
    assert lineal("artifact", "visualize", "picture", "--output", str(folder)).out == f"{folder / 'index.html'}\n"
    assert sorted(path.name for path in folder.iterdir()) == ["0.html", "1.png", "index.html"]
    again = lineal("artifact", "visualize", "picture", "--output", str(folder))
    assert again.code != 0
    assert "is there already" in again.err
    assert lineal("artifact", "visualize", "picture", "--output", str(folder), "--overwrite").code == 0


def test_visualizations_are_opened_in_the_browser(lineal, saved: None, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    out = lineal("artifact", "visualize", "page", "--open").out.strip()
    [address] = opened
    assert Path(unquote(urlparse(address).path)) == Path(out)
    assert "<iframe" in Path(out).read_text(encoding="utf-8")


def test_json_has_the_content(lineal, saved: None) -> None:
    [page] = lineal("artifact", "visualize", "page", "--json").json
    assert page == {"kind": "html", "title": "", "content": "<script>1</script>"}
    picture = lineal("artifact", "visualize", "picture", "--json").json[1]
    assert picture["kind"] == "image"
    assert base64.b64decode(picture["base64"]).startswith(b"\x89PNG")


def test_a_name_that_is_not_there_is_one_line(lineal, saved: None) -> None:
    assert lineal("artifact", "visualize", "metric").code == 3
    assert "metrics" in lineal("artifact", "visualize", "metric").err
