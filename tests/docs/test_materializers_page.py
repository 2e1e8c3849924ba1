"""The table of materializers on the page is what the registry has."""

import re
from pathlib import Path

from lineal.materializers.registry import LIBRARIES, registry

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "materializers.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("| values | stored as | by |") : PAGE.index("## A type of your own: bytes")]


def test_every_id_on_the_page_is_that_of_a_materializer() -> None:
    """What is promised is there."""
    ids = re.findall(r"`([\w.]+/\d+)`", TABLE)
    assert len(ids) > 20
    assert [registry.by_id(id).id for id in ids] == ids


def test_every_library_with_materializers_is_on_a_page() -> None:
    """A format that nobody can read about cannot be added."""
    others = {"PIL": "Pillow", "sklearn": "scikit-learn"}
    text = (TABLE + (DOCS / "materializers-frameworks.md").read_text(encoding="utf-8")).lower()
    assert [root for root in LIBRARIES if others.get(root, root.partition(".")[0]).lower() not in text] == []
