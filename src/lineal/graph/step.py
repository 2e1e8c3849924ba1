"""A step as data: its function, its named inputs and outputs, its options."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final
from weakref import WeakValueDictionary

from lineal.graph.policy import CachePolicy
from lineal.materializers.base import AnyMaterializer


class Missing:
    """The type of MISSING, which stands for "no default" and "no annotation"."""

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class ArtifactConfig:
    """Names and describes the artifact of one output: `Annotated[pd.DataFrame, ArtifactConfig(name="clean", tags=["daily"])]`.

    Args:
        name: The artifact's name, also the output's; may hold placeholders such as `{date}`.
        version: An explicit version instead of the next number; may hold placeholders.
        tags: Tags for each version that is made.
        run_metadata: Metadata for each version that is made.
        artifact_type: Kind of artifact instead of the materializer's: data, model, schema, statistics or service.
    """

    name: str | None = None
    version: str | int | None = None
    tags: Sequence[str] | None = None
    run_metadata: Mapping[str, Any] | None = None
    artifact_type: str | None = None


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One named output of a step. `annotation` is MISSING when the function has none."""

    name: str
    annotation: Any = MISSING
    config: ArtifactConfig = ArtifactConfig()


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One argument of a step. `annotation` and `default` are MISSING when the function has none."""

    name: str
    annotation: Any = MISSING
    default: Any = MISSING
    keyword_only: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """What a step or pipeline takes and gives. `multiple` says that the function returns a tuple with one element per output.

    `of` is what it belongs to, for messages: "step" or "pipeline". Worked out from the inputs, so that binding a call is quick: `positional`, the arguments that can be given by position;
    `required`, those without a default; `blank`, each argument with its default or MISSING.
    """

    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    multiple: bool = False
    of: str = "step"
    positional: tuple[str, ...] = field(init=False, repr=False, compare=False)
    required: tuple[str, ...] = field(init=False, repr=False, compare=False)
    blank: Mapping[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "positional", tuple(spec.name for spec in self.inputs if not spec.keyword_only))
        object.__setattr__(self, "required", tuple(spec.name for spec in self.inputs if spec.default is MISSING))
        object.__setattr__(self, "blank", {spec.name: spec.default for spec in self.inputs})


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed step is tried again, and after how many seconds; each wait is `backoff` times the one before."""

    max_retries: int = 1
    delay: float = 0.0
    backoff: float = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """What can be set on a step, a pipeline, a call and a run. None means "not said here"; the nearer one wins.

    See `lineal.step` for the meaning of each.
    """

    name: str | None = None
    enable_cache: bool | None = None
    cache_policy: CachePolicy | None = None
    undeclared: str | None = None
    output_materializers: Any = None
    enable_artifact_metadata: bool | None = None
    enable_artifact_visualization: bool | None = None
    enable_step_logs: bool | None = None
    on_failure: Callable[..., object] | None = None
    on_success: Callable[..., object] | None = None
    retry: Retry | None = None
    settings: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] | None = None
    substitutions: Mapping[str, str] | None = None
    tags: Sequence[str] | None = None
    model: Any = None

    def over(self, weaker: "Options") -> "Options":
        """Give these options with what they do not say filled in from `weaker`; substitutions are merged key by key."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        if self.substitutions and weaker.substitutions:
            said["substitutions"] = {**weaker.substitutions, **self.substitutions}
        return replace(weaker, **said)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class StepSpec:
    """A step: what is called, what goes in and comes out. Compared by identity."""

    name: str
    function: Callable[..., Any]
    signature: Signature
    options: Options = field(default_factory=Options)
    materializers: Mapping[str, AnyMaterializer] = field(default_factory=dict)


_known: WeakValueDictionary[int, StepSpec] = WeakValueDictionary()
_count = itertools.count()


def remember(spec: StepSpec) -> StepSpec:
    """Note a step of this process, as long as somebody holds it, and give it back."""
    _known[next(_count)] = spec
    return spec


def known_steps() -> list[StepSpec]:
    """Give the steps of this process, the newest first."""
    return [spec for _, spec in sorted(_known.items(), reverse=True)]
