"""Making visualizations: bounded, and never at the cost of the value."""

import threading
import time
from pathlib import Path

import pytest

from lineal.errors import LinealWarning
from lineal.materializers import visualized
from lineal.materializers.base import BytesMaterializer, Materializer
from lineal.materializers.visualized import fitting, named, read, visualizations_of, write
from lineal.model.visualization import Visualization

PNG = b"\x89PNG\r\n\x1a\n" + bytes(10)


def a_materializer(visualize):
    class Shows(Materializer):
        id = "tests.shows/1"

        def visualize(self, value):
            return visualize(value)

    return Shows()


def text(content: str = "a", title: str = "") -> Visualization:
    return Visualization("text", content, title)


def test_a_materializer_knows_whether_it_visualizes() -> None:
    """Asked for each value that is saved, so it is worked out once."""

    class Plain(BytesMaterializer):
        id = "tests.plain/1"

    assert not Plain.visualizes
    assert a_materializer(lambda value: ()).visualizes
    assert list(Plain().visualize(1)) == []


def test_what_is_given_or_yielded_is_collected() -> None:
    assert visualizations_of(a_materializer(lambda value: [text(value)]), "v", "it") == [text("v")]
    assert visualizations_of(a_materializer(lambda value: iter([text("1"), text("2")])), "v", "it") == [text("1"), text("2")]


def test_a_failing_visualization_is_a_warning_and_the_rest_is_kept() -> None:
    def failing(value):
        yield text("first")
        raise ValueError("no luck")

    with pytest.warns(LinealWarning, match=r"no visualization of output 'x': tests.shows/1 raised ValueError: no luck; 1 made before"):
        assert visualizations_of(a_materializer(failing), 1, "output 'x'") == [text("first")]


def test_a_slow_visualization_is_a_warning_and_the_rest_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step goes on; what still comes is dropped."""
    monkeypatch.setattr(visualized, "SECONDS", 0.1)
    go_on = threading.Event()

    def slow(value):
        yield text("first")
        go_on.wait(20)
        yield text("late")

    began = time.monotonic()
    with pytest.warns(LinealWarning, match=r"took longer than 0.1 s; 1 made before"):
        found = visualizations_of(a_materializer(slow), 1, "it")
    assert time.monotonic() - began < 10
    go_on.set()
    assert found == [text("first")]


def test_what_is_no_visualization_is_a_warning() -> None:
    with pytest.warns(LinealWarning, match=r"gave a str, which is no Visualization"):
        assert visualizations_of(a_materializer(lambda value: ["<p>"]), 1, "it") == []


def test_at_most_20_are_kept() -> None:
    with pytest.warns(LinealWarning, match=r"gave more than 20"):
        assert len(visualizations_of(a_materializer(lambda value: [text(str(n)) for n in range(21)]), 1, "it")) == 20


@pytest.mark.parametrize("kind", ["text", "markdown", "csv"])
def test_long_text_is_cut_at_a_line_and_says_so(kind) -> None:
    found = fitting(Visualization(kind, "one\ntwo\nthree\n", "Log"), 10)
    assert found == Visualization(kind, "one\ntwo\n", "Log (the first 10 B of 14 B)")


def test_half_a_json_document_is_text() -> None:
    assert fitting(Visualization("json", '{"a": "ü"}'), 8) == Visualization("text", '{"a": "', "(the first 8 B of 11 B)")


@pytest.mark.parametrize(("kind", "content"), [("html", "<p>" * 10), ("svg", "<svg>" * 10), ("image", PNG)])
def test_what_cannot_be_cut_becomes_a_note(kind, content) -> None:
    found = fitting(Visualization(kind, content, "It"), 10)
    assert found.kind == "text"
    assert found.title == "It"
    assert f"This {kind} of" in found.content


def test_titles_are_one_line_that_a_terminal_can_show() -> None:
    assert fitting(text("a", "red\x1b[31m\nline")).title == "red\\x1b[31m\\nline"
    assert len(fitting(text("a", "x" * 1000)).title) == 200


def test_files_are_named_by_place_and_kind_and_read_back(tmp_path: Path) -> None:
    made = [Visualization("html", "<p>ü", "Sample"), Visualization("image", PNG), Visualization("markdown", "# a")]
    files = write(made, tmp_path)
    assert files == named(made)
    assert [entry.file for entry in files] == ["0.html", "1.png", "2.md"]
    assert [read(entry, (tmp_path / entry.file).read_bytes()) for entry in files] == made
