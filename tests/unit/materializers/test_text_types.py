"""HTMLString and its like: stored as that text, exact type back, and shown as it."""

import pytest

from lineal.materializers.registry import registry
from lineal.materializers.text_types import MATERIALIZERS, CSVMaterializer, HTMLMaterializer, JSONMaterializer, MarkdownMaterializer
from lineal.model.visualization import CSVString, HTMLString, JSONString, MarkdownString
from lineal.testing.materializers import MaterializerTests

TEXTS = ("", "a", "<p>ü</p>\r\n", "x" * 20_000, "\ud800")


class TestHTML(MaterializerTests):
    materializer = HTMLMaterializer()
    values = tuple(map(HTMLString, TEXTS))


class TestMarkdown(MaterializerTests):
    materializer = MarkdownMaterializer()
    values = tuple(map(MarkdownString, TEXTS))


class TestCSV(MaterializerTests):
    materializer = CSVMaterializer()
    values = tuple(map(CSVString, TEXTS))


class TestJSON(MaterializerTests):
    materializer = JSONMaterializer()
    values = tuple(map(JSONString, TEXTS))


@pytest.mark.parametrize("materializer", MATERIALIZERS)
def test_the_registry_knows_them_and_their_ids(materializer) -> None:
    [type_] = materializer.types
    assert type(registry.for_value(type_("a"))) is materializer
    assert type(registry.for_type(type_)) is materializer
    assert type(registry.by_id(materializer.id)) is materializer


def test_plain_text_and_subclasses_are_left_to_others() -> None:
    class Own(HTMLString):
        pass

    assert registry.for_value("<p>").id == "json/1"
    assert not HTMLMaterializer().accepts(Own("a"))


@pytest.mark.parametrize("materializer", MATERIALIZERS)
def test_the_visualization_is_the_text_itself(materializer) -> None:
    [shown] = materializer().preview((), lambda path: {materializer.filename: "<b>ü".encode()}[path])
    assert (shown.kind, shown.content) == (materializer.kind, "<b>ü")


def test_text_of_more_than_32_mb_is_not_shown_as_html() -> None:
    [shown] = HTMLMaterializer().preview((), lambda path: b"<" * (32 * 1024 * 1024 + 1))
    assert shown.kind == "text"
    assert shown.content == "This html of 34 MB is too large to be shown (34 MB)."
