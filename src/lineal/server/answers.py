"""How answers are made: JSON with an ETag, problems, and files of which a part can be asked for."""

import errno
import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lineal.artifact_store.fsops import open_regular
from lineal.errors import LinealError, VersionGone
from lineal.model.text import finite

CHUNK: Final = 256 * 1024

WORTH: Final = 1000
"""Bytes from which an answer is worth compressing."""

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def answer(request: Request, payload: Any) -> Response:
    """Answer with JSON; with 304 and nothing when the browser has that already."""
    try:
        text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(finite(payload), ensure_ascii=False, separators=(",", ":"))
    return held(request, text.encode("utf-8", "backslashreplace"), "application/json")


def held(request: Request, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with bytes that the browser may keep, and must ask about before it shows them again."""
    tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'  # of the plain content: compared weakly, whatever the encoding
    kept = {"etag": tag, "cache-control": "private, no-cache", **(headers or {})}
    known = request.headers.get("if-none-match", "")
    if tag in (each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status_code=304, headers=kept)
    if len(body) > WORTH and "gzip" in request.headers.get("accept-encoding", "") and not media_type.startswith("image/"):
        body = gzip.compress(body, 4, mtime=0)
        kept |= {"content-encoding": "gzip", "vary": "accept-encoding"}
    return Response(body, media_type=media_type, headers=kept)


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """Answer with what went wrong, as RFC 9457 has it; never with HTML, so that nothing of a request is shown as a page."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail, **more}, ensure_ascii=True)
    return Response(body, status, media_type="application/problem+json")


def problem_of(error: LinealError) -> Response:
    """Answer with a typed error: its class as title, its message as detail, its HTTP status."""
    more = {"step_run_id": error.step_run_id} if isinstance(error, VersionGone) else {}
    return problem(error.http_status, type(error).__name__, str(error), **more)


class Span(NamedTuple):
    """A part of a file: its first byte and how many bytes."""

    start: int
    length: int


def span_of(header: str | None, size: int) -> Span | None:
    """Give the part that a Range header asks for; the whole when it asks for none that can be given in one piece; None when there is no
    such part (416).
    """
    found = _RANGE.fullmatch((header or "").strip())
    if found is None or found[1] == found[2] == "":
        return Span(0, size)
    if found[1] == "":
        length = min(int(found[2]), size)
        return Span(size - length, length) if length else None
    start, end = int(found[1]), int(found[2]) if found[2] else size - 1
    if start >= size or end < start:
        return None
    return Span(start, min(end, size - 1) - start + 1)


def attachment(name: str) -> str:
    """Give a Content-Disposition that saves under a name, which cannot leave the header or the folder of downloads."""
    last = re.split(r"[/\\]", name)[-1] or "file"
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", last).lstrip(".") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(last, safe='')}"


def file_answer(request: Request, path: str, name: str, digest: str, *, is_ours: bool = True) -> Response:
    """Answer with a regular file, or the part of it that was asked for. Links are not followed.

    A whole file is hashed on its way: when it is not what was recorded, the connection ends before its last bytes. A part is sent as it
    is. A file that is not ours is hashed before anything of it is sent: a client may have recorded any path of this machine, and gets
    back only what it knew. Raises OSError when the file cannot be opened, or is another then.
    """
    descriptor, found = open_regular(path)
    if not is_ours and _digest(descriptor) != digest:
        os.close(descriptor)
        raise OSError(errno.EIO, "it is not what was recorded")
    headers = {
        "etag": f'"{digest}"', "cache-control": "private, no-cache", "accept-ranges": "bytes", "content-disposition": attachment(name),
    }  # fmt: skip
    if headers["etag"] in request.headers.get("if-none-match", ""):
        os.close(descriptor)
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range") if request.headers.get("if-range") in (None, headers["etag"]) else None
    span = span_of(wanted, found.st_size)
    if span is None:
        os.close(descriptor)
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{found.st_size}"})
    headers["content-length"] = str(span.length)
    is_part = span.length != found.st_size
    if is_part:
        headers["content-range"] = f"bytes {span.start}-{span.start + span.length - 1}/{found.st_size}"
    body = _pieces(descriptor, span, None if is_part else digest)
    return StreamingResponse(body, 206 if is_part else 200, headers, "application/octet-stream")


def _digest(descriptor: int) -> str:
    hasher = blake3()
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        while piece := file.read(CHUNK):
            hasher.update(piece)
        file.seek(0)
    return hasher.hexdigest()


def _pieces(descriptor: int, span: Span, digest: str | None) -> Iterator[bytes]:
    hasher = blake3()
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        file.seek(span.start)
        left = span.length
        while left:
            piece = file.read(min(CHUNK, left))
            left -= len(piece)
            hasher.update(piece)
            if not piece or (not left and digest not in (None, hasher.hexdigest())):
                raise OSError("the file is not what was recorded")  # ends the connection: who reads sees that it is not whole
            yield piece
