"""Records the calls of steps that a pipeline's body makes, and checks each of them at once: nothing has run yet when one is wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lineal.errors import CallError, HandleError, ParameterError
from lineal.graph.external import External
from lineal.graph.handles import Handle, Handles, holds_reference
from lineal.graph.plan import Call, Collection, ExternalRef, Input, OutputName, OutputRef, Parameter, VersionRef
from lineal.graph.policy import check_files
from lineal.graph.signature import bind, coerce_parameter
from lineal.graph.step import InputSpec, Options, StepSpec
from lineal.model import values
from lineal.model.naming import check_name, check_version, expand
from lineal.model.records import VersionRecord

_PLAIN_INT = 1 << 63  # larger ones are written in a form that JSON readers without big integers keep exact
_SIMPLE = frozenset({int, float, str, bool, type(None), bytes})


class Recorder:
    """The plan of one run while the pipeline's body makes it.

    Args:
        pipeline: The pipeline's name.
        options: Options that the pipeline gives to all its steps.
        overrides: Options of this run, which beat those of steps and calls.
        placeholders: What `{date}` and `{time}` stand for in this run.
        load: Runs what an output needs and gives its value.
    """

    def __init__(
        self,
        pipeline: str,
        options: Options,
        overrides: Options,
        placeholders: Mapping[str, str],
        load: Callable[[OutputRef], Any],
    ) -> None:
        self.pipeline = pipeline
        self.calls: list[Call] = []
        self._options = options
        self._overrides = overrides
        self._placeholders = placeholders
        self._load = load
        self._by_name: dict[str, Call] = {}
        self._merged: dict[int, tuple[Options, Options]] = {}
        self._after_names: list[tuple[Call, list[str]]] = []
        self._counts: dict[str, int] = {}
        self._externals: dict[int, tuple[External, ExternalRef]] = {}
        self._given: list[tuple[str, ExternalRef]] = []
        self._versions: list[VersionRef] = []

    def record(self, spec: StepSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Handle | Handles:
        """Add a call and give handles on its outputs. Raises CallError, ParameterError or HandleError before anything is added."""
        after = kwargs.pop("after", None)
        name = self._name(spec, kwargs.pop("id", None))
        given = bind(spec.signature, spec.name, args, kwargs)
        self._given.clear()
        self._versions.clear()
        where = f"step {name!r} of pipeline {self.pipeline!r}"
        inputs = {each.name: self._input(each, given[each.name], where) for each in spec.signature.inputs}
        options = self._merge(spec.options, where)
        call = Call(name, spec, inputs, (), options, len(self.calls), self._output_names(spec, name, options, where))
        if self._versions:
            call.versions = tuple(self._versions)
        if self._given:
            call.externals = self._named_externals(name)
        if after is not None:
            self._after(call, after, where)
        self.calls.append(call)
        self._by_name[name] = call
        outputs = spec.signature.outputs
        if len(outputs) == 1:
            return Handle(OutputRef(call, outputs[0].name), self._load)
        handles = Handles(Handle(OutputRef(call, output.name), self._load) for output in outputs)
        handles.call = call
        return handles

    def close(self) -> list[Call]:
        """Finish the plan: resolve names given to `after`, and give all calls. Raises CallError for an empty plan or an unknown name."""
        if not self.calls:
            raise CallError(f"pipeline {self.pipeline!r} calls no step, so there is nothing to run")
        for call, names in self._after_names:
            for name in names:
                if name not in self._by_name:
                    raise CallError(
                        f"step {call.name!r} of pipeline {self.pipeline!r} should run after {name!r}, but no step of the pipeline has that "
                        f"name; there are: {', '.join(self._by_name)}"
                    )
            call.wait_for([self._by_name[name] for name in names])
        self._after_names.clear()
        return self.calls

    def _name(self, spec: StepSpec, id_: str | None) -> str:
        if id_ is not None:
            name = check_name(id_, f"id of a call of step {spec.name!r}")
            if name in self._by_name:
                raise CallError(f"pipeline {self.pipeline!r} has two calls with the id {name!r}; give each its own")
            return name
        name = spec.name
        while name in self._by_name:
            count = self._counts[spec.name] = self._counts.get(spec.name, 1) + 1
            name = f"{spec.name}_{count}"
        return name

    def _merge(self, options: Options, where: str) -> Options:
        merged = self._merged.get(id(options))
        if merged is None or merged[0] is not options:
            merged = self._merged[id(options)] = (options, self._overrides.over(options.over(self._options)))
            if merged[1].cache_policy is not None:
                check_files(merged[1].cache_policy, where)
        return merged[1]

    def _output_names(self, spec: StepSpec, call: str, options: Options, where: str) -> dict[str, OutputName]:
        names = {}
        for output in spec.signature.outputs:
            config = output.config
            if config.name is None and config.version is None:
                names[output.name] = OutputName(f"{self.pipeline}::{call}::{output.name}")
                continue
            known = {**self._placeholders, **(options.substitutions or {})}
            template = config.name
            artifact = f"{self.pipeline}::{call}::{output.name}" if template is None else expand(template, known)
            version = None if config.version is None else check_version(expand(str(config.version), known))
            names[output.name] = OutputName(check_name(artifact, f"artifact name of output {output.name!r} of {where}"), version)
        return names

    def _input(self, spec: InputSpec, value: Any, where: str) -> Input:
        if type(value) not in _SIMPLE:
            found = self._reference(spec.name, value, where)
            if found is not None:
                return found
        value = coerce_parameter(spec, value, where)
        if type(value) in (str, bool, type(None)) or (type(value) is int and -_PLAIN_INT < value < _PLAIN_INT):
            return Parameter(value, value, value)
        try:
            return Parameter(value, values.to_json(value, name=spec.name), values.identity(value))
        except values.NotPlain as error:
            raise ParameterError(
                f"{where}: {error.path} is a {type(error.value).__qualname__}, which cannot be held as a parameter. Make it the "
                f"output of a step, or pass ExternalArtifact(value)"
            ) from error

    def _reference(self, path: str, value: Any, where: str) -> Input | None:
        if isinstance(value, Handle):
            if value.call.position >= len(self.calls) or self.calls[value.call.position] is not value.call:
                raise HandleError(f"{where}: {path} is a handle of another pipeline run; pass the artifact version instead")
            return value.ref
        record = getattr(value, "record", None)
        if type(record) is VersionRecord:
            ref = VersionRef(record)
            self._versions.append(ref)
            return ref
        if type(value) is External:
            return self._external(path, value, where)
        kind = type(value)
        if kind not in (list, tuple, dict, Handles) or not holds_reference(value, _is_reference):
            return None
        items = value.items() if kind is dict else enumerate(value)
        return Collection(
            tuple if kind is Handles else kind,
            {key: self._input(InputSpec(f"{path}[{key!r}]"), child, where) for key, child in items},
        )

    def _external(self, path: str, external: External, where: str) -> ExternalRef:
        known = self._externals.get(id(external))  # the same one given twice is one artifact
        ref = known[1] if known else ExternalRef(external.value, external.materializer, f"the external artifact for {path!r} of {where}")
        self._given.append((path, ref))
        self._externals[id(external)] = external, ref
        return ref

    def _named_externals(self, call: str) -> tuple[ExternalRef, ...]:
        """Give the call's external artifacts their names: `pipeline::call.argument`, of several in one argument `…argument.0`, `….1`."""
        arguments = [path.partition("[")[0] for path, _ in self._given]
        for place, (path, ref) in enumerate(self._given):
            if not ref.artifact:
                argument = arguments[place]
                member = f".{arguments[:place].count(argument)}" if path != argument else ""
                ref.artifact = check_name(f"{self.pipeline}::{call}.{argument}{member}", "artifact name")
        return tuple(ref for _, ref in self._given)

    def _after(self, call: Call, after: Any, where: str) -> None:
        earlier: list[Call] = []
        names: list[str] = []
        for item in after if isinstance(after, Sequence) and not isinstance(after, str | Handles) else [after]:
            if isinstance(item, str) and item not in self._by_name:
                names.append(item)
            elif isinstance(item, str):  # known already: a body that looks at this call's value waits for it
                earlier.append(self._by_name[item])
            elif isinstance(item, Handle | Handles):
                earlier.append(item.call)
            else:
                raise CallError(f"{where}: after= takes handles or names of calls, got a {type(item).__qualname__}: {item!r}")
        call.after = tuple(earlier)
        if names:
            self._after_names.append((call, names))


def _is_reference(value: Any) -> bool:
    return isinstance(value, Handle | External) or type(getattr(value, "record", None)) is VersionRecord
