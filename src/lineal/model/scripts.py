"""What a module is called wherever a name is stored: a script counts under the name that it would have if it were imported.

So what `python train.py` has stored is found again by `lineal run train.py`, by a test that imports it, and by a worker process.
"""

import sys
from pathlib import Path
from typing import Any, Final

MAIN: Final = ("__main__", "__mp_main__")
"""What Python calls the script that it was started with; the latter in worker processes."""

_given = ""


def module_key(namespace: dict[str, Any]) -> str:
    """Give the name of the module with these globals; that of a script is the one under which it would be imported."""
    name = namespace.get("__name__")
    if name not in MAIN:
        return name if isinstance(name, str) else ""
    spec = namespace.get("__spec__")  # there is one under `python -m`
    if spec is not None:
        return str(spec.name).removesuffix(".__main__")
    path = namespace.get("__file__")
    return Path(path).stem if isinstance(path, str) else "__main__"


def script_name() -> str:
    """Give the name of the script of this process, `__main__` in a notebook or at a prompt; in a worker that of the run's process."""
    main = sys.modules.get("__main__")
    return _given or (module_key(vars(main)) if main is not None else "__main__")


def set_script_name(name: str) -> None:
    """Say in a worker process which script its steps come from: its own is the one that starts workers."""
    global _given
    _given = name


def module_of(cls: type) -> str:
    """Give the name of the module of a class."""
    return script_name() if cls.__module__ in MAIN else cls.__module__
