"""Starts the server of one user on this machine: a socket, a token, a link, and uvicorn."""

import contextlib
import gc
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn

from lineal.errors import UsageError
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.workspace import Workspace, prepare_home

HOST: Final = "127.0.0.1"
"""The only address that it listens on: what other machines can reach needs users and passwords."""

PORT: Final = 8237
"""Port that is taken when none is asked for, and it is free."""


class Started(NamedTuple):
    """Where a server is. `link` opens the dashboard once, within ten minutes; `token_file` holds the token for programs."""

    url: str
    link: str
    token_file: Path


def listen(port: int | None, host: str = HOST) -> socket.socket:
    """Give a socket that listens, on this machine only unless another address is given.

    Args:
        port: The port, 0 for any free one; None for 8237, or any free one when that is taken.
        host: The address.

    Raises UsageError when the port is taken.
    """
    # The protocol is named, as asyncio switches Nagle's delay off only then: it would hold back each answer's body for 40 ms.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name != "nt":  # there it would let two servers share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, PORT if port is None else port))
    except OSError as error:
        listener.close()
        if port is None:
            return listen(0, host)
        raise UsageError(f"port {port} cannot be used: {error.strerror}; choose another one, or 0 for any that is free") from error
    listener.listen(128)
    return listener


def serve(workspace: Workspace, port: int | None, started: Callable[[Started], None]) -> None:
    """Serve a workspace until it is interrupted. `started` is told where, once connections are taken.

    Raises UsageError when the port is taken.
    """
    with contextlib.closing(listen(port)) as listener:
        number = listener.getsockname()[1]
        token_file = workspace.settings.home / "server" / "token"
        accounts = None if workspace.database is None else workspace.accounts  # else the server that has the facts records
        access = OwnerAccess(_token(workspace.settings.home, token_file), accounts=accounts)
        url = f"http://{HOST}:{number}"
        app = create_app(workspace, access, [f"{name}:{number}" for name in (HOST, "localhost")])
        started(Started(url, f"{url}/open?code={access.new_link()}", token_file))  # the listener queues what comes before the first accept
        run(app, listener)


def run(app: Any, listener: socket.socket, **more: Any) -> None:
    """Serve an application until it is interrupted; `more` is what uvicorn takes besides."""
    settings: dict[str, Any] = {
        "log_level": "warning", "access_log": False, "server_header": False, "proxy_headers": False, "lifespan": "off", "ws": "none",
        "timeout_graceful_shutdown": 2,
    }  # fmt: skip
    config = uvicorn.Config(app, **(settings | more))
    gc.freeze()  # what is there now stays: to look through it again and again took a quarter of the time of large answers
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _token(home: Path, path: Path) -> str:
    """Give the token of this home, which only its owner can read; it is made at first."""
    prepare_home(home)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        token = path.read_text(encoding="ascii").strip()
        if len(token) < 32:
            raise UsageError(f"{path} holds no token; remove it, and a new one is made") from None
        return token
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return token
