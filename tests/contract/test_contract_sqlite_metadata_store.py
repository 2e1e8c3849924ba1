"""SQLite keeps the contract of metadata stores."""

from collections.abc import Callable
from pathlib import Path

from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.testing.deleting import OwnFactsTests, SealedTests
from lineal.testing.metadata_store import MetadataStoreTests


class TestSqliteMetadataStore(MetadataStoreTests, OwnFactsTests, SealedTests):
    """The whole contract."""

    def make_store(self, tmp_path: Path) -> SqliteMetadataStore:
        return SqliteMetadataStore(tmp_path / "lineal.db", durability="off")

    def make_asking_store(self, tmp_path: Path, sealed: Callable[[str], bool]) -> SqliteMetadataStore:
        return SqliteMetadataStore(tmp_path / "lineal.db", durability="off", sealed=sealed)
