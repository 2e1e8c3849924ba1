"""File systems."""

from pathlib import Path

import pytest

from lineal import Client, filesystems
from lineal.errors import StoreError
from lineal.metadata_store.sql import SqliteMetadataStore

LINES = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /mnt rw shared:1 master:2 - nfs4 server:/export rw
31 30 8:2 / /mnt/local\\040disk rw - xfs /dev/sdb rw
32 22 0:41 / /mount rw - tmpfs tmpfs rw
33 22 0:42 / /mount rw - fuse.sshfs host: rw
"""


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    table = tmp_path / "mountinfo"
    table.write_text(LINES)
    monkeypatch.setattr(filesystems, "MOUNTS", table)
    return table


@pytest.mark.parametrize(
    ("path", "name"),
    [("/", "ext4"), ("/mntother", "ext4"), ("/mnt", "nfs4"), ("/mnt/a/b", "nfs4"), ("/mnt/local disk/a", "xfs"), ("/mount", "fuse.sshfs")],
)
def test_the_nearest_mount_counts(mounts: Path, path: str, name: str) -> None:
    """The longest path that it lies below, with its spaces; the later of two on one point."""
    assert filesystems._type_of(path) == name  # type: ignore[attr-defined]


def test_what_is_not_there_yet_lies_where_its_parent_does(tmp_path: Path) -> None:
    """A store is asked about before it is made."""
    assert filesystems.type_of(tmp_path / "a" / "b") == filesystems.type_of(tmp_path) != ""


def test_where_nothing_can_be_told_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may hide the table."""
    monkeypatch.setattr(filesystems, "MOUNTS", Path("/nowhere"))
    assert filesystems.type_of(Path("/")) == ""
    assert not filesystems.is_network("")


def test_a_database_on_the_network_is_refused_before_it_is_made(mounts: Path, tmp_path: Path) -> None:
    """SQLite relies on locks and shared memory; the error says where else to put it, and doctor says the same."""
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {tmp_path} rw - nfs4 server:/export rw\n")
    with pytest.raises(StoreError, match=r"lies on nfs4.*LINEAL_METADATA_STORE=sqlite:////folder/lineal\.db"):
        SqliteMetadataStore(tmp_path / "new" / "lineal.db").identity()
    assert not (tmp_path / "new").exists()
    checks = {check.name: check for check in Client().doctor()}
    assert (checks["file system of the database"].state, checks["file system of the artifact store"].state) == ("problem", "note")
    assert checks["metadata store"].state == checks["test of the database"].state == "problem"
