"""Which file system a path lies on, and whether that is one of the network."""

import os
import re
import sys
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

NETWORK = frozenset(
    [
        "acfs",
        "afpfs",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.ceph",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.juicefs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.goofys",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
        "webdav",
        "wekafs",
    ]
)
"""Names of file systems whose locks and shared memory other machines do not see, or see late."""

_ESCAPED = re.compile(r"\\([0-7]{3})")


def type_of(path: Path) -> str:
    """Give the name of the file system that a path lies on, or will lie on, such as `ext4`; empty where it cannot be told."""
    real = Path(os.path.realpath(path))
    return _type_of(str(next(place for place in (real, *real.parents) if os.path.lexists(place))))


def is_network(name: str) -> bool:
    """Tell whether a file system of that name is one of the network."""
    return name in NETWORK


if sys.platform == "linux":

    def _type_of(place: str) -> str:
        try:
            lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return ""
        best, found = -1, ""
        for line in lines:
            fields, _, rest = line.partition(" - ")
            point = fields.split(" ", 5)[4]
            if "\\" in point:
                point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), point)
            inside = place == point or place.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= best:  # of two on one point the later one covers the earlier
                best, found = len(point), rest.split(" ")[0]
        return found

elif sys.platform == "darwin":

    def _type_of(place: str) -> str:
        import ctypes  # late: only this needs it

        libc = ctypes.CDLL(None)
        ask = getattr(libc, "statfs$INODE64", None) or libc.statfs
        answer = ctypes.create_string_buffer(4096)
        if ask(os.fsencode(place), answer) != 0:
            return ""
        return answer.raw[72:88].partition(b"\0")[0].decode("ascii", "replace")  # f_fstypename of struct statfs

elif sys.platform == "win32":

    def _type_of(place: str) -> str:
        import ctypes  # late: only this needs it

        drive_remote = 4
        root = os.path.splitdrive(place)[0] + "\\"
        return "smbfs" if ctypes.windll.kernel32.GetDriveTypeW(root) == drive_remote else ""

else:

    def _type_of(place: str) -> str:
        return ""
