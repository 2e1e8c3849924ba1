"""A visualization: its kinds, and what is refused."""

import pickle

import pytest

from lineal.errors import UsageError
from lineal.model.visualization import KINDS, CSVString, HTMLString, JSONString, MarkdownString, Visualization
from lineal.types import HTMLString as PublicHTMLString

PNG = b"\x89PNG\r\n\x1a\n..."


def test_the_kinds_are_those_of_the_documentation() -> None:
    assert KINDS == ("html", "image", "svg", "csv", "markdown", "json", "text")


@pytest.mark.parametrize(
    ("kind", "content", "suffix"),
    [
        ("html", "<p>", "html"), ("svg", "<svg/>", "svg"), ("csv", "a,b", "csv"), ("markdown", "# a", "md"), ("json", "{}", "json"),
        ("text", "a", "txt"), ("image", PNG, "png"), ("image", b"\xff\xd8\xff\xe0", "jpg"), ("image", b"GIF89a", "gif"),
        ("image", b"RIFF\0\0\0\0WEBP", "webp"),
    ],
)  # fmt: skip
def test_each_kind_has_a_suffix_for_files(kind, content, suffix) -> None:
    made = Visualization(kind, content)
    assert made.suffix == suffix
    assert made.data == (content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kind": "pdf", "content": b""}, "is one of html, image, svg, csv, markdown, json, text; got 'pdf'"),
        ({"kind": "html", "content": b"<p>"}, "of kind 'html' is str, got bytes"),
        ({"kind": "image", "content": "text"}, "of kind 'image' is bytes, got str"),
        ({"kind": "image", "content": b"<svg>"}, "PNG, JPEG, GIF or WebP; these bytes begin with b'<svg>'"),
        ({"kind": "text", "content": "a", "title": None}, "title of a visualization is text, got NoneType"),
    ],
)
def test_content_that_is_not_of_its_kind_is_refused(given, message) -> None:
    with pytest.raises(UsageError, match=message):
        Visualization(**given)


def test_lone_surrogates_in_text_become_visible_escapes() -> None:
    assert Visualization("text", "a\ud800").data == b"a\\ud800"


@pytest.mark.parametrize("cls", [HTMLString, MarkdownString, CSVString, JSONString])
def test_text_that_shows_itself_is_text(cls) -> None:
    text = cls("hello")
    assert text == "hello"
    assert isinstance(text, str)
    assert type(pickle.loads(pickle.dumps(text))) is cls


def test_the_types_are_public() -> None:
    assert PublicHTMLString is HTMLString
