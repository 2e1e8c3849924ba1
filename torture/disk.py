"""A model of a disk under a page cache: from a record of calls, what a power cut at any moment can leave.

A call changes the content of one file, or one or two names in folders. It is on the disk for sure once its file, or one of its
folders, was synced after it. Of all others any part may be there and any part may be lost: POSIX promises no more, and less than
ext4, xfs or btrfs keep in practice. A file or folder whose own name is lost is lost with all that is in it. A sync that failed makes
nothing durable, and no later sync of that file saves what was written before it.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CREATE, WRITE, TRUNCATE, MKDIR, RENAME, LINK, UNLINK, RMDIR, SYNC, SYNC_FAILED, NOTE = range(1, 12)
NEVER = 1 << 62
_HEAD = struct.Struct("<6q")
BLOCK = 4096
FATES = ("nothing", "names", "zeros", "content", "journal", "random")
"""What survives of that which no sync has made durable.

nothing; all names and no content; all names, and content as zeros; all content and no names; names up to some moment, with any of the
content; any of all, block by block.
"""


@dataclass(eq=False, slots=True)
class Node:
    """A file or a folder. `entries` holds a folder's names now, `start` a file's content when the record began."""

    is_folder: bool
    entries: dict[str, "Node"] = field(default_factory=dict)
    start: bytes = b""
    before: dict[str, "Node"] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Change:
    """One call that changed something, and the moment from which it is durable."""

    moment: int
    node: Node | None = None  # of a file's content
    offset: int = 0
    data: bytes | None = None  # None truncates to `offset`
    names: list[tuple[Node, str, Node | None]] = field(default_factory=list)
    durable: int = NEVER
    void: bool = False


class Disk:
    """What was recorded, ready to be cut at any moment."""

    def __init__(self, folder: Path) -> None:
        """Take what is in a folder, all of it durable, before anything is recorded."""
        self.folder = folder
        self.changes: list[Change] = []
        self.notes: list[tuple[int, str]] = []
        self.moments = 0
        self._nodes: dict[int, Node] = {}
        self._pending: dict[Node, list[Change]] = {}
        self._of_name: dict[tuple[Node, str], list[Change]] = {}
        self.root = self._load(folder)

    def _load(self, path: Path) -> Node:
        node = self._nodes[path.stat().st_ino] = Node(path.is_dir())
        if node.is_folder:
            node.entries = {each.name: self._load(each) for each in path.iterdir()}
            node.before = dict(node.entries)
        else:
            node.start = path.read_bytes()
        return node

    # -- the record

    def replay(self, log: bytes) -> None:
        """Read the record of the calls."""
        place = 0
        while place < len(log):
            kind, inode, offset, first, second, size = _HEAD.unpack_from(log, place)
            place += _HEAD.size
            parts = []
            for length in (first, second, size):
                parts.append(log[place : place + length])
                place += length
            self.moments += 1
            self._step(kind, inode, offset, parts[0].decode(), parts[1].decode(), parts[2])

    def _step(self, kind: int, inode: int, offset: int, first: str, second: str, data: bytes) -> None:
        if kind == NOTE:
            self.notes.append((self.moments, first))
        elif kind in (WRITE, TRUNCATE):
            node = self._nodes[inode]
            self._add(Change(self.moments, node, offset, data if kind == WRITE else None), [node])
        elif kind in (SYNC, SYNC_FAILED):
            self._sync(self._nodes[inode], kind == SYNC_FAILED)
        elif kind in (CREATE, MKDIR):
            self._nodes[inode] = node = Node(kind == MKDIR)
            self._rename([(*self._split(first), node)])
        elif kind in (UNLINK, RMDIR):
            self._rename([(*self._split(first), None)])
        else:
            folder, name = self._split(first)
            node = folder.entries[name]
            changes: list[tuple[Node, str, Node | None]] = [(*self._split(second), node)]
            self._rename([(folder, name, None), *changes] if kind == RENAME else changes)

    def _split(self, path: str) -> tuple[Node, str]:
        *parents, name = Path(path).relative_to(self.folder).parts
        node = self.root
        for parent in parents:
            node = node.entries[parent]
        return node, name

    def _rename(self, names: list[tuple[Node, str, Node | None]]) -> None:
        change = Change(self.moments, names=names)
        for folder, name, node in names:
            if node is None:
                folder.entries.pop(name, None)
            else:
                folder.entries[name] = node
            self._of_name.setdefault((folder, name), []).append(change)
        self._add(change, list(dict.fromkeys(folder for folder, _, _ in names)))

    def _add(self, change: Change, nodes: list[Node]) -> None:
        self.changes.append(change)
        for node in nodes:
            self._pending.setdefault(node, []).append(change)

    def _sync(self, node: Node, failed: bool) -> None:
        for change in self._pending.pop(node, []):
            if not failed:
                self._settle(change)
            elif change.node is not None:
                change.void = True
            else:
                self._pending.setdefault(node, []).append(change)

    def _settle(self, change: Change) -> None:
        if change.durable == NEVER and not change.void:
            change.durable = self.moments
            for each in self._needed(change):
                self._settle(each)

    def _needed(self, change: Change) -> Iterator[Change]:
        """Give the changes without which this one cannot be: the earlier ones of the same names."""
        for folder, name, _ in change.names:
            for each in self._of_name[folder, name]:
                if each.moment < change.moment:
                    yield each

    # -- the cut

    def cut(self, moment: int, fate: str, seed: str, target: Path) -> list[str]:
        """Write to a new folder what a power cut after so many calls leaves, and give the notes that were made before."""
        chance = random.Random(seed)
        past = [change for change in self.changes if change.moment <= moment]
        journal = chance.randint(0, moment)
        alive: set[Change] = set()
        for change in past:
            if change.durable <= moment or (change.names and _survives(fate, change, journal, chance)):
                self._keep(change, alive)
        content: dict[Node, bytearray] = {}
        for change in past:
            if change.node is not None:
                self._apply(change, change.durable <= moment, fate, chance, content.setdefault(change.node, bytearray(change.node.start)))
        entries: dict[Node, dict[str, Node]] = {}
        for change in sorted(alive, key=lambda change: change.moment):
            for folder, name, node in change.names:
                names = entries.setdefault(folder, dict(folder.before))
                if node is None:
                    names.pop(name, None)
                else:
                    names[name] = node
        _write(self.root, target, entries, content)
        return [note for made, note in self.notes if made <= moment]

    def _keep(self, change: Change, alive: set[Change]) -> None:
        if change not in alive:
            alive.add(change)
            for each in self._needed(change):
                self._keep(each, alive)

    @staticmethod
    def _apply(change: Change, durable: bool, fate: str, chance: random.Random, content: bytearray) -> None:
        if durable:
            _put(content, change.offset, change.data)
        elif change.void or fate in ("nothing", "names"):
            return
        elif fate == "content":
            _put(content, change.offset, change.data)
        elif change.data is None:
            if fate == "zeros" or chance.random() < 0.5:
                _put(content, change.offset, None)
        elif fate == "zeros":
            _put(content, change.offset, bytes(len(change.data)))
        else:
            for start in range(0, len(change.data), BLOCK):
                if chance.random() < 0.5:
                    _put(content, change.offset + start, change.data[start : start + BLOCK])

    def live(self) -> dict[str, bytes]:
        """Give the files as they are without any cut, to compare with the real ones: nothing may have escaped the record."""
        content: dict[Node, bytearray] = {}
        for change in self.changes:
            if change.node is not None:
                _put(content.setdefault(change.node, bytearray(change.node.start)), change.offset, change.data)
        found: dict[str, bytes] = {}
        pending = [("", self.root)]
        for path, node in pending:
            if node.is_folder:
                pending += [(f"{path}/{name}", each) for name, each in node.entries.items()]
            else:
                found[path[1:]] = bytes(content.get(node, node.start))
        return found


def _survives(fate: str, change: Change, journal: int, chance: random.Random) -> bool:
    if fate in ("names", "zeros"):
        return True
    if fate == "journal":
        return change.moment <= journal
    return fate == "random" and chance.random() < 0.5


def _put(content: bytearray, offset: int, data: bytes | None) -> None:
    end = offset if data is None else offset + len(data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if data is None:
        del content[offset:]
    else:
        content[offset:end] = data


def _write(root: Node, target: Path, entries: dict[Node, dict[str, Node]], content: dict[Node, bytearray]) -> None:
    pending = [(target, root)]
    for path, node in pending:
        if node.is_folder:
            path.mkdir()
            pending += [(path / name, each) for name, each in entries.get(node, node.before).items()]
        elif not path.name.endswith("-shm"):  # SQLite's shared memory: made anew by whoever opens the database first
            path.write_bytes(content.get(node, node.start))
