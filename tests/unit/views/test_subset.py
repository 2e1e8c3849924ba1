"""What may stand in a notebook's own page, and what may not."""

import pytest

from lineal.materializers import markup
from lineal.views.subset import Element, body_of, parse

HARMLESS = [
    "",
    "text &amp; more &lt;b&gt;",
    '<div style="margin:4px 0;overflow-x:auto"><table><tr><td colspan="2">1</td></tr></table></div>',
    '<svg width="10" height="10" viewBox="0 0 10 10"><path d="M0 1h2v-1z" fill="#4a8fdd"/><line x1="1" y2="2" stroke="#8889"/><g transform="rotate(-45 3 4)"><text x="1">a</text></g></svg>',
    '<a href="https://example.org/?a=1&amp;b=2">link</a><a href="#there">here</a>',
    '<img src="data:image/png;base64,iVBORw0KGgo=" alt="it&#x27;s &lt;script&gt;">',
    "<ul><li>a<br>b</li></ul><hr><p><code>x</code></p>",
]

HARMFUL = [
    "<script>alert(1)</script>",
    "<ScRiPt>alert(1)</sCrIpT>",
    '<img src="data:image/png;base64,AA==" onerror="alert(1)">',
    '<img src="https://example.org/pixel.png">',
    '<img src="data:image/svg+xml;base64,AA==">',
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" javascript:alert(1)">x</a>',
    '<a href="java&#x0A;script:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="data:text/html,x">x</a>',
    "<style>*{display:none}</style>",
    '<link rel="stylesheet" href="https://example.org/x.css">',
    '<div style="background:url(https://example.org)">x</div>',
    '<div style="background:u\\72l(https://example.org)">x</div>',
    '<div style="position:fixed">x</div>',
    '<div style="margin:-500px">x</div>',
    '<div style="margin:0 -.5em">x</div>',
    '<div style="color:red;behavior:x">x</div>',
    '<div style="width:expression(alert(1))">x</div>',
    '<base href="https://example.org"><p>x</p>',
    '<meta http-equiv="refresh" content="0;url=https://example.org">',
    '<form action="https://example.org"><input name="a"></form>',
    '<iframe src="https://example.org"></iframe>',
    '<object data="x"></object>',
    '<svg><use href="#x"/></svg>',
    '<svg><animate attributeName="href" values="javascript:alert(1)"/></svg>',
    '<svg><foreignObject><p>x</p></foreignObject></svg>',
    '<svg><path d="M0" fill="url(#a)"/></svg>',
    "<math><mi>x</mi></math>",
    "<!-- comment -->",
    "<![CDATA[x]]>",
    "<?php x ?>",
    "<p onclick='x'>x</p>",
    "<p title=x>x</p>",
    '<p title="a"title="b">x</p>',
    '<p title="a" title="b">x</p>',
    '<p id="header">x</p>',
    '<p class="jp-Cell">x</p>',
    "<p",
    "<p>",
    "</p>",
    "<p></b></p>",
    "</div><p>out</p>",
    '<div/><p>x</p>',
    "a < b",
    '<p title="a>b">x</p>',
    "<template><p>x</p></template>",
    "<noscript><p>x</p></noscript>",
    "<textarea></textarea>",
    "<b>" * 200 + "</b>" * 200,
]  # fmt: skip


@pytest.mark.parametrize("fragment", HARMLESS)
def test_what_can_only_be_looked_at_passes(fragment: str) -> None:
    assert parse(fragment) is not None


@pytest.mark.parametrize("fragment", HARMFUL)
def test_whatever_can_do_anything_else_does_not_pass(fragment: str) -> None:
    assert parse(fragment) is None
    assert parse(f"<p>before</p>{fragment}") is None


@pytest.mark.parametrize("fragment", HARMFUL)
def test_hostile_text_in_our_own_pieces_is_only_text(fragment: str) -> None:
    """What a name, a value or a cell holds is shown as it is."""
    made = markup.page(
        markup.heading(fragment), markup.facts({fragment: fragment}), markup.note(fragment), markup.bars([(fragment, 1.0)]),
        markup.table([markup.escaped(fragment)], [[markup.dim(fragment)]], [False]), title=fragment,
    )  # fmt: skip
    tree = parse(body_of(str(made.content)))
    assert tree is not None
    assert markup.shown(fragment, markup.LONGEST) in texts(tree)


def test_a_tree_has_tags_attributes_and_text() -> None:
    tree = parse('<p title="a&quot;b">x &lt; y<br>z</p>')
    assert tree == Element("", {}, [Element("p", {"title": 'a"b'}, ["x < y", Element("br"), "z"])])


def test_only_the_body_of_our_own_pages_is_looked_at() -> None:
    assert body_of(markup.document("t", "<p>x</p>")) == "<p>x</p>\n"
    assert body_of("<html><body><p>x</p></body></html>") == "<html><body><p>x</p></body></html>"


def texts(element: Element) -> list[str]:
    """Give all text in a tree."""
    return [text for child in element.children for text in ([child] if isinstance(child, str) else texts(child))]
