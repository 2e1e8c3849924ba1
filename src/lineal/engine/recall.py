"""Goes back from a stored step run to what can be run again: the step as the code says it now, and the call as it was made."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lineal.engine.cache import output_ids
from lineal.engine.fingerprint import fingerprint
from lineal.errors import ArtifactMissing, CodeNotFound, InputError
from lineal.graph.plan import Collection, Parameter
from lineal.graph.signature import coerce_parameter
from lineal.graph.step import MISSING, InputSpec, StepSpec, known_steps
from lineal.materializers.registry import registry
from lineal.metadata_store.base import MetadataStore
from lineal.model import values
from lineal.model.records import CodeRecord, Json, NewOutput, StepRunRecord, VersionRecord


@dataclass(frozen=True, slots=True)
class Recorded:
    """A step run of the past.

    Attributes:
        step_run: The step run.
        code: Its code as it was.
        inputs: The versions that went in, by path: `data`, `parts[2]`.
        loaded: The versions that the step loaded by itself.
        outputs: The versions that came out, by output name.
        where: How messages name it.
    """

    step_run: StepRunRecord
    code: CodeRecord
    inputs: Mapping[str, VersionRecord]
    loaded: tuple[VersionRecord, ...]
    outputs: Mapping[str, VersionRecord]
    where: str


def recorded(step_run: StepRunRecord, metadata: MetadataStore) -> Recorded:
    """Look up all that is stored of a step run. Raises CodeNotFound when it never began, so that nothing says what it would have done."""
    where = f"step {step_run.name!r} of run {metadata.get_run(step_run.run_id).name!r}"
    code = step_run.ingredients.get("code")
    if code is None:
        raise CodeNotFound(f"{where} is {step_run.status} and never began, so nothing is recorded of what it would have run")
    edges = metadata.step_edges(step_run.id)
    paths = step_run.ingredients.get("versions", {})
    return Recorded(
        step_run,
        metadata.get_code(code),
        {path: version for path, version in edges.inputs if path in paths},
        tuple(version for path, version in edges.inputs if path not in paths),
        {name: version for name, version in edges.outputs if "@" not in name},
        where,
    )


# -- the code


def find_step(call: Recorded) -> StepSpec:
    """Give the step that a stored step run was a call of, as the code says it now; its module is imported when it is not loaded.

    Looked for among the steps of this process, then in the file of the step upward from the working directory, then on Python's own
    path. Raises CodeNotFound.
    """
    root = call.code.parts.get("root", "")
    found = _among_known(call, root)
    if found is None:
        _import(call, root)
        found = _among_known(call, root)
    if found is None:
        inside = " It is defined inside of a function: run this where that function has been called." if "<locals>" in root else ""
        raise CodeNotFound(f"{call.where}: there is no step {call.step_run.step!r} at {root} any more; was it renamed or moved?{inside}")
    return found


def _among_known(call: Recorded, root: str) -> StepSpec | None:
    """Of several steps with the same function, the newest whose outputs are stored in the same formats, else the newest."""
    same = [each for each in known_steps() if each.name == call.step_run.step and fingerprint(each.function).root == root]
    outputs = call.step_run.ingredients.get("outputs")
    return next((each for each in same if dict(output_ids(each, registry)) == outputs), same[0] if same else None)


def _import(call: Recorded, root: str) -> None:
    module = root.partition(":")[0] if ":" in root else root.rpartition(".")[0]
    part = call.code.parts["parts"].get(root)
    if not module or part is None:
        raise CodeNotFound(f"{call.where}: nothing says where its function is defined, so it can be run again only where it is loaded")
    if module in sys.modules:
        return
    if module == "__main__":
        raise CodeNotFound(f"{call.where} was defined in an interactive session, and is not there in this one")
    folder = _folder_of(module, part[2])
    if folder is not None and folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        import_module(module)
    except Exception as error:
        place = f"its file {part[2]} was looked for from {Path.cwd()} upward" if folder is None else f"it is at {folder}"
        raise CodeNotFound(
            f"{call.where}: module {module!r} cannot be imported ({type(error).__name__}: {error}); {place}. Run this in the project's folder"
        ) from error


def _folder_of(module: str, file: str) -> str | None:
    """Give the folder from which a module is imported whose file is known relative to its project."""
    for parent in (Path.cwd(), *Path.cwd().parents):
        path = parent / file
        if file and path.is_file():
            levels = module.count(".") + (path.name == "__init__.py")
            return str(path.parents[levels])
    return None


# -- the call


def inputs_of(call: Recorded, spec: StepSpec, give: Callable[[VersionRecord], Any]) -> dict[str, Any]:
    """Give the inputs of a stored call for the step as it is now; `give` says what stands for a version.

    Raises InputError when the step now takes an argument that the call did not have, or when how an input was put together is not stored.
    """
    return {each.name: _input(each, call, give) for each in spec.signature.inputs}


def _input(spec: InputSpec, call: Recorded, give: Callable[[VersionRecord], Any]) -> Any:
    name, shapes = spec.name, call.step_run.ingredients.get("shapes", {})
    if name in call.inputs:
        return give(call.inputs[name])
    if name in shapes:
        return _shaped(name, shapes[name], call, give)
    if name in call.step_run.parameters:
        return _parameter(spec, values.from_json(call.step_run.parameters[name]), call.where)
    if spec.default is not MISSING:
        return _parameter(spec, spec.default, call.where)
    raise InputError(f"{call.where}: the step takes {name!r} now, and nothing is stored that was given for it")


def _shaped(path: str, shape: Json, call: Recorded, give: Callable[[VersionRecord], Any]) -> Any:
    """Put a list, tuple or dict of versions and plain values together as it was."""
    if shape is None:
        return give(call.inputs[path])
    [(kind, content)] = shape.items()
    if kind == "value":
        return _parameter(InputSpec(path), values.from_json(content), call.where)
    pairs = [(values.from_json(key), child) for key, child in content] if kind == "dict" else list(enumerate(content))
    return Collection(_KINDS[kind], {key: _shaped(f"{path}[{key!r}]", child, call, give) for key, child in pairs})


_KINDS = {"list": list, "tuple": tuple, "dict": dict}


def _parameter(spec: InputSpec, value: Any, where: str) -> Parameter:
    value = coerce_parameter(spec, value, where)
    return Parameter(value, values.to_json(value, name=spec.name), values.identity(value))


def put(version: VersionRecord, metadata: MetadataStore, where: str) -> None:
    """Record a version in another metadata store, under its own id. Raises ArtifactMissing when its data is gone; `where` needs it."""
    if version.state != "live":
        raise ArtifactMissing(f"{where} needs {version.artifact}@{version.version}, whose data is {version.state}")
    output = NewOutput(
        version.id, version.output or "", version.artifact, version.version, version.object, version.materializer, version.type,
        version.data_type, version.save_type, version.tags, version.metadata, content=version.content,
    )  # fmt: skip
    metadata.save_version(output, None)
