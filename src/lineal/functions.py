"""The functions that work anywhere: in a step, in a script, in a notebook."""

from collections.abc import Mapping
from typing import Any

from lineal.engine.context import StepContext, current_step
from lineal.errors import NotFound, UsageError
from lineal.model.metadata import hold_metadata
from lineal.workspace import open_workspace


def log_metadata(
    metadata: Mapping[str, Any],
    *,
    artifact_name: str | None = None,
    artifact_version: str | int | None = None,
    output_name: str | None = None,
    infer_artifact: bool = False,
    run: str | None = None,
) -> None:
    """Add metadata to the running step, or to an artifact version or a run.

    Args:
        metadata: Numbers, text, booleans, None, datetimes, lists and dicts of such, by key; a key that is there already is replaced.
        artifact_name: Add to a version of this artifact; inside a step this may be the artifact of one of its outputs.
        artifact_version: Which version of `artifact_name`; the newest by default.
        output_name: Inside a step: add to the version that this output will make.
        infer_artifact: Inside a step with one output: add to the version that it will make.
        run: Add to this run (name or id).

    Without a target it must be called inside a step. Raises UsageError for a target that does not fit or a value that metadata cannot
    hold, NotFound for a version or run that does not exist.
    """
    context = current_step()
    if run is not None:
        workspace = open_workspace()
        workspace.metadata.update_run(workspace.metadata.get_run(run).id, metadata=hold_metadata(metadata, f"run {run!r}"))
    elif context is not None and (output_name is not None or infer_artifact or _is_own_output(context, artifact_name, artifact_version)):
        output = _output(context, output_name, artifact_name)
        held = hold_metadata(metadata, f"output {output!r} of step {context.step_name!r}")
        context.output_metadata.setdefault(output, {}).update(held)
    elif artifact_name is not None:
        workspace = open_workspace()
        version = workspace.metadata.get_version(artifact_name, None if artifact_version is None else str(artifact_version))
        workspace.metadata.update_version(version.id, metadata=hold_metadata(metadata, f"artifact {artifact_name!r}"))
    elif context is not None:
        context.metadata.update(hold_metadata(metadata, f"step {context.step_name!r}"))
    else:
        raise UsageError("log_metadata() needs to know what it speaks of outside of a step: pass artifact_name= or run=")


def _is_own_output(context: StepContext, artifact: str | None, version: str | int | None) -> bool:
    return version is None and artifact is not None and artifact in context.outputs.values()


def _output(context: StepContext, output: str | None, artifact: str | None) -> str:
    names = context.outputs
    if output is not None:
        if output not in names:
            raise NotFound(f"step {context.step_name!r} has no output {output!r}; there are: {', '.join(names) or 'none'}")
        return output
    if artifact is not None:
        return next(name for name, own in names.items() if own == artifact)
    if len(names) != 1:
        raise UsageError(
            f"infer_artifact=True needs a step with one output; {context.step_name!r} has {len(names)}: say which with output_name="
        )
    return next(iter(names))
