"""Rows and records."""

import zlib

from lineal.metadata_store.json_text import MAX_LENGTH, dump, load
from lineal.metadata_store.rows import pack_files, pack_plan, pack_tags, plain, unpack_files, unpack_tags
from lineal.model.records import FileEntry


def test_long_listings_are_compressed() -> None:
    """A folder of many files costs little in its row and comes back whole, odd names too."""
    few = (FileEntry("a b/ü\udcff.csv", 5, "0" * 64),)
    many = tuple(FileEntry(f"part-{n:06}", n, f"{n:064x}") for n in range(5000))
    assert isinstance(pack_files(few), str)
    packed = pack_files(many)
    assert isinstance(packed, bytes)
    assert len(packed) < 200_000
    assert unpack_files(pack_files(few)) == few
    assert unpack_files(packed) == many
    assert zlib.decompress(packed).decode() == dump(many), "written in pieces, it is the same text"
    assert unpack_files(pack_files(())) == ()


def test_tags_come_back_in_order_and_once() -> None:
    """A tag that is given twice is one tag."""
    assert unpack_tags(pack_tags(("b", "a", "b"))) == ("b", "a")
    assert pack_tags(()) == "[]"


def test_plain_makes_lone_surrogates_visible() -> None:
    """A traceback can hold a file name that is not valid text; it must not stop the commit."""
    assert plain("bad \udcff name ü") == "bad \\udcff name ü"
    assert plain(None) is None


def test_a_plan_is_as_long_as_the_run_has_steps() -> None:
    """Its text may be longer than that of one value may be."""
    plan = [{"name": f"a step with a long name {number}" * 10, "upstream": []} for number in range(60_000)]
    text = pack_plan(plan)
    assert text is not None
    assert len(text) > MAX_LENGTH
    assert load(text) == plan
