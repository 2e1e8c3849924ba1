"""The digest of an object is a function of its files alone."""

import tempfile
import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lineal.artifact_store.local import LocalArtifactStore
from lineal.model import digest
from lineal.testing.artifact_store import content, record_of

names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="/\\"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


def _separate(files: dict[tuple[str, ...], bytes]) -> dict[str, bytes]:
    """Drop what some filesystem could not hold beside the others: a file and a folder of one name, or names that differ only in case."""
    kept: dict[str, bytes] = {}
    used: dict[str, str] = {}
    for parts, data in files.items():
        path = "/".join(parts)
        prefixes = {"/".join(parts[:length]): "file" if length == len(parts) else "folder" for length in range(1, len(parts) + 1)}
        folded = {unicodedata.normalize("NFC", prefix).casefold(): f"{what}{prefix}" for prefix, what in prefixes.items()}
        if all(used.get(key, what) == what and not (what == f"file{path}" and key in used) for key, what in folded.items()):
            used |= folded
            kept[path] = data
    return kept


objects = st.dictionaries(st.lists(names, min_size=1, max_size=3).map(tuple), st.binary(max_size=40), max_size=6).map(_separate)


def _seal(store: LocalArtifactStore, files: list[tuple[str, bytes]]):
    folder = store.stage()
    for path, data in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return store.seal([folder], sync=False)[0]


@given(files=objects, order=st.randoms(use_true_random=False))
def test_the_digest_follows_from_the_listing_in_any_order(files: dict[str, bytes], order):
    """Made in any order, in any store, the object has the digest of its listing and comes back bit by bit."""
    shuffled = list(files.items())
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first, second = LocalArtifactStore(Path(one)), LocalArtifactStore(Path(two))
        record = _seal(first, list(files.items()))
        assert _seal(second, shuffled) == record
        assert record.digest == digest.of_object(record.files) == record_of(files).digest
        assert content(first.fetch(record, verify=True), files) == files


@given(one=objects, two=objects)
def test_different_files_have_different_digests(one: dict[str, bytes], two: dict[str, bytes]):
    """Equal digests mean equal files, and the other way round."""
    assert (record_of(one).digest == record_of(two).digest) == (one == two)
