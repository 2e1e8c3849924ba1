"""The local folder keeps the contract of an artifact store."""

from pathlib import Path

from lineal.artifact_store.base import ArtifactStore
from lineal.artifact_store.local import LocalArtifactStore
from lineal.testing.artifact_store import ArtifactStoreTests


class TestLocalArtifactStore(ArtifactStoreTests):
    def make_store(self, tmp_path: Path) -> ArtifactStore:
        return LocalArtifactStore(tmp_path / "store")
