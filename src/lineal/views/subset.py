"""Tells HTML that can do nothing but be looked at from all other HTML, and gives it as a tree.

What a version shows may have been written by anyone who may write to the store. A notebook page shows as part of itself only what
passes here, token by token: known tags, known attributes in double quotes, values of a known shape; no script, no style sheet, no
handler, nothing that is loaded, nothing that leaves its place. Anything else is shown in a frame of its own. Such HTML leaves a
browser nothing to interpret, so what is checked here is what it sees.
"""

import html
import re
from dataclasses import dataclass, field
from typing import Final

_names = str.split

_VOID: Final = frozenset({"br", "hr", "img"})
_TAGS: Final = _VOID | frozenset(
    _names(
        "a b blockquote caption circle code dd del details div dl dt ellipse em figcaption figure g h1 h2 h3 h4 h5 h6 i li line ol p path "
        "polygon polyline pre rect s small span strong sub summary sup svg table tbody td text tfoot th thead tr tspan u ul"
    )
)

_WORDS = re.compile(r"[^\x00]*", re.DOTALL)
_SHAPE = re.compile(r"[-+\w .,%#]*")
_TURN = re.compile(r"(?:(?:translate|rotate|scale)\([-+\d., e]*\) ?)*")
_LINK = re.compile(r"(?:https?://|mailto:|#)[^\s\\]*")
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]*={0,2}")
_STYLE_VALUE = re.compile(r"(?!.*-[\d.])[-\w .,%#]*")  # nothing below zero, which could lie over other parts of the page
_STYLES: Final = frozenset(
    _names(
        "background border border-bottom border-collapse border-left border-radius border-right border-top color display fill flex-wrap font-family "
        "font-size font-style font-weight gap height line-height list-style margin margin-bottom margin-left margin-right margin-top "
        "max-height max-width min-width opacity overflow overflow-x overflow-y padding padding-bottom padding-left padding-right padding-top "
        "stroke text-align text-decoration vertical-align white-space width"
    )
)
_ATTRIBUTES: Final = {
    **dict.fromkeys(("alt", "aria-label", "role", "title"), _WORDS),
    **dict.fromkeys(
        _names(
            "colspan cx cy d dominant-baseline dx dy fill fill-opacity font-size font-weight height opacity points preserveAspectRatio r rowspan "
            "rx ry start stroke stroke-dasharray stroke-linecap stroke-linejoin stroke-opacity stroke-width text-anchor viewBox width x x1 x2 y y1 "
            "y2"
        ),
        _SHAPE,
    ),
    "transform": _TURN,
    "href": _LINK,
    "src": _PICTURE,
}
_TOKEN = re.compile(
    r'(?P<text>[^<]+)|<(?P<close>/?)(?P<tag>[a-z][a-z0-9]*)(?P<attributes>(?: [a-zA-Z][a-zA-Z0-9-]*="[^"<>]*")*) ?(?P<end>/?)>'
)
_ATTRIBUTE = re.compile(r' ([a-zA-Z][a-zA-Z0-9-]*)="([^"<>]*)"')
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|#39|#x27);)")
_PAGE = re.compile(r'<!doctype html>\n<html lang="en"><head>.*?</head><body>\n(?P<body>.*)</body></html>\n', re.DOTALL)
_DEEPEST = 100


@dataclass(slots=True)
class Element:
    """A tag with its attributes, and the text and the elements in it."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Element | str]" = field(default_factory=list)


def body_of(content: str) -> str:
    """Give what stands in the body of one of our own pages; any other text as it is."""
    page = _PAGE.fullmatch(content)
    return content if page is None else page["body"]


def parse(fragment: str) -> Element | None:
    """Give the tree of a fragment, None when anything in it is not of the subset."""
    root = Element("")
    stack, place = [root], 0
    while place < len(fragment):
        token = _TOKEN.match(fragment, place)
        if token is None:
            return None
        place = token.end()
        if token["text"] is not None:
            stack[-1].children.append(html.unescape(token["text"]))
        elif not _take(token, stack):
            return None
    return root if len(stack) == 1 else None


def _take(token: "re.Match[str]", stack: list[Element]) -> bool:
    tag = token["tag"]
    if token["close"]:
        return not token["attributes"] and not token["end"] and len(stack) > 1 and stack.pop().tag == tag
    attributes = _attributes(token["attributes"])
    if tag not in _TAGS or attributes is None or len(stack) > _DEEPEST:
        return False
    element = Element(tag, attributes)
    stack[-1].children.append(element)
    if tag not in _VOID and not (token["end"] and _is_drawing(tag, stack)):
        stack.append(element)
        return not token["end"]  # outside of a drawing a browser does not close <div/>
    return True


def _is_drawing(tag: str, stack: list[Element]) -> bool:
    return tag in ("path", "rect", "line", "circle", "ellipse", "polyline", "polygon") and any(each.tag == "svg" for each in stack)


def _attributes(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name, raw in _ATTRIBUTE.findall(text):
        value = html.unescape(raw)
        allowed = _is_style(value) if name == "style" else name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value) is not None
        if name in found or _ENTITY.search(raw) or not allowed:
            return None
        found[name] = value
    return found


def _is_style(value: str) -> bool:
    for declaration in filter(None, value.split(";")):
        name, colon, setting = declaration.partition(":")
        if not colon or name.strip() not in _STYLES or not _STYLE_VALUE.fullmatch(setting):
            return False
    return True
