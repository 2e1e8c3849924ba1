"""What this server runs on: the settings in force, the stores, the versions."""

import platform
import sqlite3
from importlib.metadata import version

from fastapi import Request
from starlette.responses import Response

from lineal.server.answers import answer
from lineal.server.routes import Table
from lineal.settings import setting_names, shown, variable_of
from lineal.workspace import Workspace


def add_to(table: Table, workspace: Workspace) -> None:
    """Add the operations to a table."""

    @table.get("/settings", "look after")
    def get_settings(request: Request) -> Response:
        """Give the settings in force with where each comes from, never a token or a password; the stores, and the versions."""
        settings = workspace.settings
        rows = [
            {
                "name": name,
                "value": shown(name, getattr(settings, name)),
                "source": settings.sources.get(name, ""),
                "variable": variable_of(name),
            }
            for name in setting_names()
        ]
        store_id, schema = workspace.metadata.identity()
        stores = {
            "metadata": settings.metadata_store or f"sqlite:///{workspace.database}", "metadata_id": store_id, "schema": schema, "artifacts": str(workspace.store_folder),
        }  # fmt: skip
        versions = {name: version(name) for name in ("lineal", "fastapi", "starlette", "uvicorn", "pydantic")}
        found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, **versions}
        return answer(request, {"settings": rows, "stores": stores, "versions": found})
