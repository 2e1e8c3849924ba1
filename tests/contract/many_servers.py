"""Serves a server for each name in a path: `python many_servers.py FOLDER TOKEN`; prints the port. For tests that want many, and quickly."""

import sys
from pathlib import Path
from typing import Any

import uvicorn

from lineal.artifact_store.local import LocalArtifactStore
from lineal.server.app import create_app
from lineal.server.owner import OwnerAccess
from lineal.server.serve import listen
from lineal.settings import Settings
from lineal.workspace import Workspace


class Many:
    """An application that passes `/NAME/...` on to the server of the home `FOLDER/NAME`, as a proxy in front of several would."""

    def __init__(self, folder: Path, token: str, host: str) -> None:
        self._folder, self._token, self._host = folder, token, host
        self._apps: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        _, name, rest = scope["path"].split("/", 2)
        if name not in self._apps:
            settings = Settings(home=self._folder / name, durability="off")
            self._apps[name] = create_app(Workspace(settings), OwnerAccess(self._token), [self._host])
        await self._apps[name]({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)


def main() -> None:
    """Serve until killed."""
    # The contract is about facts: its objects are made up. Whether objects are in place is asked in tests of its own.
    LocalArtifactStore.has = lambda self, digest: True  # type: ignore[method-assign]
    listener = listen(0)
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    app = Many(Path(sys.argv[1]), sys.argv[2], host)
    print(host, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none")).run(sockets=[listener])


if __name__ == "__main__":
    main()
