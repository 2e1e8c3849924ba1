"""Runs steps with one system, in that system's environment: each in a process of its own, forked after the system was imported.

Reads one request per line, `{"folder": ..., "state": ..., "args": [...]}`, and answers each with one line of JSON: whether the body of
the step ran, and what came back. Uses the standard library only.
"""

import importlib
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

MARK = "the body of the step runs"


def answer(adapter, request):
    """Run the step in a child and give what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        said, printed = Path(folder, "said"), Path(folder, "printed")
        child = os.fork()
        if child == 0:
            run_here(adapter, request, said, printed)
            os._exit(0)
        os.waitpid(child, 0)
        text = printed.read_text(encoding="utf-8", errors="replace")
        if not said.exists():
            return {"error": text[-2000:]}
        return {"ran": MARK in text, **json.loads(said.read_text(encoding="utf-8"))}


def run_here(adapter, request, said, printed):
    """Run the step in this process."""
    out = os.open(printed, os.O_WRONLY | os.O_CREAT)
    os.dup2(out, 1)
    os.dup2(out, 2)
    try:
        os.chdir(request["folder"])
        sys.path.insert(0, request["folder"])
        step = importlib.import_module("steps").step
        found = {"result": repr(adapter.run(step, request["args"], request["state"]))}
    except BaseException:
        found = {"error": traceback.format_exc()[-2000:]}
    sys.stdout.flush()
    said.write_text(json.dumps(found), encoding="utf-8")


def main():
    """Serve until the input ends."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what a system prints at its import is no answer
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "matrix_adapter.py").write_text(os.environ["MATRIX_ADAPTER"], encoding="utf-8")
        sys.path.insert(0, folder)
        adapter = importlib.import_module("matrix_adapter")
        for line in sys.stdin:
            os.write(answers, json.dumps(answer(adapter, json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    main()
