"""SQLite keeps the contract of metadata stores."""

from pathlib import Path

from lineal.metadata_store.sql import SqliteMetadataStore
from lineal.testing.metadata_store import MetadataStoreTests


class TestSqliteMetadataStore(MetadataStoreTests):
    """The whole contract."""

    def make_store(self, tmp_path: Path) -> SqliteMetadataStore:
        return SqliteMetadataStore(tmp_path / "lineal.db", durability="off")
