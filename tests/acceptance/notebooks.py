"""Notebooks that are run for real, by a kernel of this interpreter."""

import asyncio
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def executed(folder: Path, cells: Iterable[str]) -> nbformat.NotebookNode:
    """Give a notebook of some cells after it was run, in a store of its own below a folder."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "lineal-test", "display_name": "this interpreter", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    kernel = folder / "share" / "jupyter" / "kernels" / "lineal-test"
    kernel.mkdir(parents=True)
    command = [Path(sys.executable).as_posix(), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "this interpreter", "language": "python"}), encoding="utf-8"
    )
    before = dict(os.environ)
    os.environ |= {
        "LINEAL_HOME": str(folder / "home"), "JUPYTER_PATH": str(folder / "share" / "jupyter"), "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_PLATFORM_DIRS": "1",
    }  # fmt: skip
    try:
        client = NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(folder)}})
        asyncio.run(client.async_execute())
    finally:
        os.environ.clear()
        os.environ.update(before)
    return notebook
