"""What models, tokenizers and configurations of transformers have in common: folders that `from_pretrained` opens.

Beside the library's own files lies `lineal.json`: the class, and what those files do not say. A class is found among those of the
reader's annotation or of the process, or in the transformers package itself; nothing is downloaded, and no code that a file names runs.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import transformers
from transformers.utils import logging

from lineal.errors import MaterializerError
from lineal.materializers.classes import class_name, dotted, find_subclass
from lineal.model.records import Json

_SPEC: Final = "lineal.json"
_FOREIGN_CODE: Final = ("auto_map", "custom_pipelines", "quantization_config")
"""Keys that let a folder name code of its own, or make the library choose other code than the class that was recorded."""


def save(value: Any, folder: Path, spec: Mapping[str, Json]) -> None:
    """Write the library's own files and `lineal.json`."""
    with _quiet():
        value.save_pretrained(folder)
    known = {**spec, "class": class_name(type(value)), "name_or_path": getattr(value, "name_or_path", "")}
    (folder / _SPEC).write_text(json.dumps(known, sort_keys=True), encoding="utf-8")


def load(folder: Path, base: type, annotation: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Give what was saved, of the class that it had, and the spec that was saved with it."""
    spec = spec_of(folder)
    _check_files(folder)
    cls: Any = _class(spec["class"], base, annotation)
    with _quiet():
        value = cls.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)
    if type(value) is not cls:
        raise MaterializerError(f"transformers gave a {dotted(type(value))} where a {dotted(cls)} was saved")
    value.name_or_path = spec["name_or_path"]
    return value, spec


def spec_of(folder: Path) -> dict[str, Any]:
    """Give the spec that was saved with a value."""
    spec: dict[str, Any] = json.loads((folder / _SPEC).read_bytes())
    return spec


def _class(name: str, base: type, annotation: Any) -> type:
    module, _, path = name.partition(":")
    if module.partition(".")[0] == "transformers":
        # Loads the module of the class; what is asked for is an attribute of the package, never a module.
        found = getattr(transformers, path, None) if path.isidentifier() else None
        if isinstance(found, type) and issubclass(found, base) and class_name(found) == name:
            return found
    return find_subclass(name, base, annotation)


def _check_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.suffix in (".py", ".bin", ".pt", ".pkl", ".pickle"):
            raise MaterializerError(f"{path.name} has no place in what {__name__} saves; it was not loaded")
        if path.name in ("config.json", "tokenizer_config.json"):
            named = [key for key in _FOREIGN_CODE if json.loads(path.read_bytes()).get(key)]
            if named:
                raise MaterializerError(f"{path.name} names code of its own ({', '.join(named)}); it was not loaded")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars away: a model in memory is not a download."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
