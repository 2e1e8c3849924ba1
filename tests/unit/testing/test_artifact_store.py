"""The contract suite of artifact stores finds what it is there to find: each of these stores breaks one promise."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lineal.artifact_store.local import LocalArtifactStore
from lineal.model.records import ObjectRecord
from lineal.testing import artifact_store
from lineal.testing.artifact_store import ArtifactStoreTests

Failed = (AssertionError, OSError, pytest.fail.Exception)


class Blind(LocalArtifactStore):
    """Checks nothing when it gives an object."""

    def fetch(self, record: ObjectRecord, *, verify: bool = False) -> Path:
        return Path(self._at(record.digest))


class Trusting(LocalArtifactStore):
    """Never compares digests."""

    def fetch(self, record: ObjectRecord, *, verify: bool = False) -> Path:
        return super().fetch(replace(record, boot=None))


class Hoarder(LocalArtifactStore):
    """Deletes nothing and sweeps nothing."""

    def delete(self, digest: str) -> int:
        return 0

    def sweep(self, older_than: float) -> int:
        return 0


class Forgetful(LocalArtifactStore):
    """Lists only one object."""

    def digests(self) -> Iterator[str]:
        yield from list(super().digests())[:1]


class Boastful(LocalArtifactStore):
    """Calls everything durable and finds nothing missing."""

    def sync(self, digests: Sequence[str]) -> None:
        return None


def run(cls: type[LocalArtifactStore], test: str, tmp_path: Path) -> None:
    class Suite(ArtifactStoreTests):
        def make_store(self, tmp_path: Path) -> LocalArtifactStore:
            return cls(tmp_path / "store")

    suite = Suite()
    getattr(suite, test)(suite.make_store(tmp_path))


@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Blind, "test_an_unknown_object_is_missing"),
        (Blind, "test_a_wrong_size_is_noticed"),
        (Trusting, "test_wrong_bytes_are_noticed"),
        (Hoarder, "test_deleting_frees_bytes_once"),
        (Hoarder, "test_sweeping_goes_by_age"),
        (Forgetful, "test_all_digests_are_listed"),
        (Boastful, "test_an_unknown_object_is_missing"),
    ],
)
def test_a_broken_promise_is_found(tmp_path: Path, broken: type[LocalArtifactStore], test: str):
    """The same test passes for the sound store and fails for the broken one."""
    run(LocalArtifactStore, test, tmp_path / "sound")
    with pytest.raises(Failed):
        run(broken, test, tmp_path / "broken")


def test_a_suite_without_a_store_says_what_is_missing(tmp_path: Path):
    """Who inherits must say how the store is opened."""
    with pytest.raises(NotImplementedError, match="ArtifactStoreTests"):
        ArtifactStoreTests().make_store(tmp_path)


def test_the_module_shows_how_to_use_it():
    """The example in the docstring names the class and its hook."""
    assert "class TestMyStore(ArtifactStoreTests):" in str(artifact_store.__doc__)
    assert "def make_store(self, tmp_path):" in str(artifact_store.__doc__)
