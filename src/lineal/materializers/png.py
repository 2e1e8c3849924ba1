"""Writes PNG images with zlib alone, so that a picture of an array needs no imaging library."""

import struct
import zlib
from typing import Final

_COLOUR: Final = {1: 0, 3: 2, 4: 6}


def encode(rows: bytes, width: int, height: int, channels: int) -> bytes:
    """Give a PNG of 8 bits a channel: 1 is grey, 3 is red, green and blue, 4 has opacity as well. `rows` has them from the top."""
    if width < 1 or height < 1 or len(rows) != width * height * channels:
        raise ValueError(f"{len(rows)} bytes are no image of {width} x {height} with {channels} channels")
    line = width * channels
    raw = b"".join(b"\0" + rows[start : start + line] for start in range(0, len(rows), line))
    header = struct.pack(">2I5B", width, height, 8, _COLOUR[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw, 4)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
