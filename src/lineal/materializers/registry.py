"""Which materializer takes a value, and which one reads what was saved.

For a value: exact type, then the nearest class of its MRO, then predicates, newest first, then typed JSON, then the fallback; the first
that accepts the value takes it. The candidates are remembered by type until something is registered. A builtin container or an
instance held field by field is typed JSON when all its parts are, else a container whose foreign parts have their own materializers.

A library's materializers live in a file of this package, under `MATERIALIZERS`, that is loaded when one of the library's types, or an
id of theirs, first appears. They never displace what was registered for a type by then.
"""

import importlib
import threading
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from lineal.errors import LinealWarning, NoMaterializer, UsageError
from lineal.materializers import text_types
from lineal.materializers.base import AnyMaterializer, BytesMaterializer, Materializer, defined
from lineal.materializers.builtin import ContainerMaterializer, JsonMaterializer, PickledContainerMaterializer, RawBytesMaterializer
from lineal.materializers.paths import PathMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.model import values

LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = {
    "numpy": ("lineal.materializers.numpy",),
    "pandas": ("lineal.materializers.pandas",),
    "sklearn": ("lineal.materializers.sklearn",),
    "polars": ("lineal.materializers.polars",),
    "pyarrow": ("lineal.materializers.pyarrow",),
    "scipy": ("lineal.materializers.scipy",),
    "PIL": ("lineal.materializers.pillow",),
    "matplotlib": ("lineal.materializers.matplotlib",),
    "plotly": ("lineal.materializers.plotly",),
    "altair": ("lineal.materializers.altair",),
    "networkx": ("lineal.materializers.networkx",),
    "torch": ("lineal.materializers.torch",),
    "xgboost": ("lineal.materializers.xgboost",),
    "lightgbm": ("lineal.materializers.lightgbm",),
    "catboost": ("lineal.materializers.catboost",),
    "onnx": ("lineal.materializers.onnx",),
    "tokenizers": ("lineal.materializers.tokenizers",),
    "transformers": ("lineal.materializers.transformers",),
    "transformers.configuration_utils": ("lineal.materializers.transformers_models",),
    "transformers.modeling_utils": ("lineal.materializers.transformers_models",),
    "keras": ("lineal.materializers.keras",),
    "datasets": ("lineal.materializers.datasets",),
}
"""The files of this package that know a library, by its root package or a module of it; the ids begin with the same.

A module is named where loading a file costs much that values of the root package do not need: a tokenizer does not need torch.
"""

_NEVER_TOLD: Final = (Any, object, None, type(None), typing.Generic, typing.Protocol)

_CONCRETE: Final[Mapping[type, type]] = {Path: type(Path())}
"""Classes that people name and that no value is an instance of exactly."""


class Given(NamedTuple):
    """One registration: for types, or for those of which a predicate is true."""

    materializer: AnyMaterializer
    types: tuple[type, ...]
    predicate: Callable[[type], bool] | None = None


class Registry:
    """Chooses materializers. Safe to use from threads.

    Args:
        fallback: Takes what nothing else takes; None to take nothing.
        libraries: Files to load by root package.
    """

    def __init__(self, fallback: AnyMaterializer | None = None, libraries: Mapping[str, tuple[str, ...]] = LIBRARIES) -> None:
        self.generation = 0
        """Grows with every registration: an answer of an earlier generation may no longer hold."""
        self.json = JsonMaterializer()
        self._container = ContainerMaterializer(self)
        self._unsafe_container = PickledContainerMaterializer(self)
        self._fallback = fallback
        self._waiting = dict(libraries)
        self._lock = threading.RLock()
        self.given: list[Given] = []
        """What was registered, in order, for processes that did not see it happen."""
        self._types: dict[type, tuple[AnyMaterializer, ...]] = {}
        self._predicates: list[tuple[Callable[[type], bool], AnyMaterializer]] = []
        self._ids: dict[str, AnyMaterializer] = {}
        self._memo: dict[type, tuple[AnyMaterializer, ...]] = {}
        self._kin: list[Registry] = [self]  # all that know the same
        for own in (self.json, self._container, self._unsafe_container, fallback):
            if own is not None:
                self._ids[own.id] = own

    def __reduce__(self) -> str:
        return "registry"  # by name: each process has its own, and no other can be sent

    def register(self, materializer: Any, *types: type, replace: bool = False) -> None:
        """Let a materializer take types, and their subclasses as far as no nearer class is registered.

        Args:
            materializer: An instance, a class that can be made without arguments, or a subclass of BaseMaterializer.
            *types: The types; by default the materializer's own `types`.
            replace: Say nothing when another materializer had the type.

        A later registration for the same type wins, and a LinealWarning says so. Raises UsageError for a materializer without id or types.
        """
        made = instance(materializer)
        with self._lock:
            taken = types or made.types
            if not taken:
                raise UsageError(
                    f"{made.id} names no types: give them to register_materializer, or set `types` on {type(made).__qualname__}"
                )
            for named in taken:
                each = _CONCRETE.get(named, named)
                self._load_library_of(each)
                earlier = self._types.get(each)
                if earlier is not None and not replace and not _same(earlier[0], made):
                    warnings.warn(
                        f"{made.id} now takes {_name(each)}, which {earlier[0].id} took; pass replace=True if that is meant",
                        LinealWarning,
                        stacklevel=3,
                    )
                self._types[each] = (made,)
            self._ids[made.id] = made
            self.given.append(Given(made, taken))
            self._changed()

    def register_predicate(self, predicate: Callable[[type], bool], materializer: Any) -> None:
        """Let a materializer take every type for which `predicate` is true and that is not registered. The newest predicate comes first."""
        made = instance(materializer)
        with self._lock:
            self._predicates.insert(0, (predicate, made))
            self._ids[made.id] = made
            self.given.append(Given(made, (), predicate))
            self._changed()

    def adopt(self, given: Sequence[Given]) -> None:
        """Register what another process registered, except what is registered here already."""
        for materializer, types_, predicate in given:
            kind = type(materializer)
            if predicate is not None:
                if not any(type(made) is kind for _, made in self._predicates):
                    self.register_predicate(predicate, materializer)
            elif not all(each in self._types and type(self._types[each][0]) is kind for each in types_):
                self.register(materializer, *types_, replace=True)

    def for_value(self, value: Any) -> AnyMaterializer:
        """Give the materializer for a value. Raises NoMaterializer when nothing takes it."""
        cls = type(value)
        for each in self._memo.get(cls) or self._resolve(cls):
            if each.accepts(value):
                return self._by_parts(value) if each is self.json and cls not in values.ATOMS else each
        raise NoMaterializer(f"no materializer takes {_name(cls)}; register one with register_materializer")

    def after(self, declined: AnyMaterializer, value: Any) -> AnyMaterializer:
        """Give the next materializer for a value that one declined while writing. Raises NoMaterializer when it was the last."""
        if declined is self._container:
            return self._unsafe_container
        candidates = self.candidates(value)
        kind = self.json if declined is self._unsafe_container else declined
        for each in candidates[candidates.index(kind) + 1 :] if kind in candidates else candidates:
            return self._element_by_element(value) if each is self.json and type(value) not in values.ATOMS else each
        raise NoMaterializer(f"{declined.id} declined a {_name(type(value))}, and no other materializer takes it")

    def candidates(self, value: Any) -> list[AnyMaterializer]:
        """Give the materializers that may take a value, best first. `json/1` stands for the containers too."""
        found = [each for each in self._resolve(type(value)) if each.accepts(value)]
        whole = self._together(value) if found and found[0] is self.json else None
        return found if whole is None else [whole, *found]

    def for_class(self, cls: type) -> tuple[AnyMaterializer, ...]:
        """Give the materializers that instances of exactly this class may have, best first."""
        return self._resolve(_CONCRETE.get(cls, cls))

    def for_type(self, annotation: Any) -> AnyMaterializer | None:
        """Give the materializer that values of an annotation will have, None when only the value will tell."""
        annotation = bare(annotation)
        origin = typing.get_origin(annotation)
        if origin is Literal or typing.is_typeddict(annotation):
            return self.json
        if origin in (typing.Union, types.UnionType):
            either = {self.for_type(each) for each in typing.get_args(annotation)}
            return either.pop() if len(either) == 1 else None
        cls = annotation if origin is None else origin
        if not isinstance(cls, type) or cls in _NEVER_TOLD or getattr(cls, "_is_protocol", False):
            return self.json if annotation is None or cls is type(None) else None
        candidates = self._resolve(_CONCRETE.get(cls, cls))
        found = candidates[0] if candidates and candidates[0] is not self._fallback else None
        return self._by_arguments(typing.get_args(annotation)) if found is self.json and cls in values.NESTING else found

    def by_id(self, id: str) -> AnyMaterializer:
        """Give the materializer with an id: registered, in a library's file, or a class defined in this process.

        Raises NoMaterializer when there is none.
        """
        found = self._ids.get(id)
        if found is None:
            with self._lock:
                missing = self._load_library(self._root_of(id))
                if id not in self._ids and id in defined:
                    self._ids[id] = instance(defined[id])
                found = self._ids.get(id)
        if found is None:
            remedy = f"install {missing}" if missing else "import the module that defines it"
            raise NoMaterializer(f"no materializer has the id {id!r} in this process; {remedy}")
        return found

    def _resolve(self, cls: type) -> tuple[AnyMaterializer, ...]:
        """Give the candidates for exactly this class, best first."""
        found = self._memo.get(cls)
        if found is None:
            with self._lock:
                self._load_library_of(cls)
                found = self._memo[cls] = tuple(dict.fromkeys(self._find(cls)))
        return found

    def _find(self, cls: type) -> Iterator[AnyMaterializer]:
        for each in cls.__mro__:
            yield from self._types.get(each, ())
        for predicate, materializer in self._predicates:
            if predicate(cls):
                yield materializer
        if values.is_held(cls):
            yield self.json
        if self._fallback is not None:
            yield self._fallback

    def _by_parts(self, value: Any) -> AnyMaterializer:
        """Give the materializer of a value that typed JSON holds if it holds all its parts. Looks at each part once."""
        if values.is_plain_json(value):
            return self.json
        return self._together(value) or self._element_by_element(value)

    def _element_by_element(self, value: Any) -> AnyMaterializer:
        foreign, safe = False, True
        seen: set[int] = set()
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            for part in values.parts_of(each):
                cls = type(part)
                if cls in values.ATOMS:
                    continue
                found = next((some for some in self._memo.get(cls) or self._resolve(cls) if some.accepts(part)), None)
                if found is self.json:
                    waiting.append(part)
                elif found is not None:
                    foreign, safe = True, safe and found.safe
        if not foreign:
            return self.json
        return self._container if safe else self._unsafe_container

    def _together(self, value: Any) -> AnyMaterializer | None:
        """Give the materializer of a dict that is saved as a whole because all its values are of one kind, None for any other value."""
        if not isinstance(value, dict) or not value:
            return None
        cls = type(next(iter(value.values())))
        found = None if cls in values.ATOMS else next(iter(self._memo.get(cls) or self._resolve(cls)), None)
        if found is None or found.together is None:
            return None
        whole = self._ids[found.together]
        return whole if whole.accepts(value) else None

    def _by_arguments(self, arguments: Iterable[Any]) -> AnyMaterializer | None:
        """Give the materializer of a builtin container by the type of its elements."""
        found = [self.for_type(each) for each in arguments if each is not Ellipsis]
        if None in found:
            return None
        if all(each is self.json or isinstance(each, RawBytesMaterializer | PathMaterializer) for each in found):
            return self.json
        return self._container if all(each is not None and each.safe for each in found) else self._unsafe_container

    def _root_of(self, id: str) -> str:
        """Give the library that an id belongs to: the longest beginning of it that names one whose file is not loaded yet."""
        while id and id not in self._waiting:
            id = id.rpartition(".")[0]
        return id

    def _load_library_of(self, cls: type) -> None:
        modules = {each.__module__ for each in cls.__mro__}
        for root in (modules | {each.partition(".")[0] for each in modules}) & self._waiting.keys():
            missing = self._load_library(root)
            if missing:
                warnings.warn(
                    f"{root} values are not saved in their own format, because {missing} is not installed: "
                    f"pip install 'lineal[{root.partition('.')[0]}]'",
                    LinealWarning,
                    stacklevel=2,
                )

    def _load_library(self, root: str) -> str | None:
        """Load the files for a library, if that was not done yet. Gives the name of a package that is missing for it."""
        names = self._waiting.get(root, ())
        taken = set(self._types)
        for name in names:
            try:
                module = importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name is None or error.name.startswith("lineal"):
                    raise
                return error.name
            for made in map(instance, module.MATERIALIZERS):
                self._ids[made.id] = made
                for each in made.types:
                    if each not in taken:
                        self._types[each] = (*self._types.get(each, ()), made)
        if names:
            del self._waiting[root]
            self._changed()
        return None

    def _changed(self) -> None:
        for each in self._kin:
            each.forget()

    def forget(self) -> None:
        """Drop what was concluded from what was known so far."""
        self._memo = {}
        self.generation += 1


class ParquetRegistry(Registry):
    """A registry that knows what another one knows, and of the materializers of a table takes that for Parquet first.

    What is registered with either is known to both.
    """

    def __init__(self, known_to: Registry) -> None:
        vars(self).update(vars(known_to))
        self._memo = {}
        self._container, self._unsafe_container = ContainerMaterializer(self), PickledContainerMaterializer(self)
        self._kin.append(self)

    def __reduce__(self) -> str:
        return "parquet_registry"

    def _find(self, cls: type) -> Iterator[AnyMaterializer]:
        for each in super()._find(cls):
            other = vars(type(each)).get("as_parquet")  # its own: a user's subclass writes what that class says
            if other is not None:
                yield self.by_id(other)
            yield each


_made: Final[dict[type[AnyMaterializer], AnyMaterializer]] = {}


def instance(materializer: Any) -> AnyMaterializer:
    """Give the one instance of a materializer class; an instance is given as it is. Raises UsageError for anything else.

    A class of another shape, such as BaseMaterializer, has a method `as_materializer` that gives it in this one.
    """
    if isinstance(materializer, type) and hasattr(materializer, "as_materializer"):
        materializer = materializer.as_materializer()
    if isinstance(materializer, type) and issubclass(materializer, Materializer | BytesMaterializer):
        if materializer not in _made:
            _made[materializer] = materializer()
        materializer = _made[materializer]
    if not isinstance(materializer, Materializer | BytesMaterializer):
        raise UsageError(f"a materializer is a subclass of Materializer, BytesMaterializer or BaseMaterializer, got {materializer!r:.200}")
    if not isinstance(getattr(materializer, "id", None), str):
        raise UsageError(f'{type(materializer).__qualname__} has no id; give it one that never changes, such as id = "acme.Thing/1"')
    return materializer


def _name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _same(one: AnyMaterializer, other: AnyMaterializer) -> bool:
    # A notebook cell that is run again defines the same class anew.
    return one.id == other.id and type(one).__qualname__ == type(other).__qualname__


def bare(annotation: Any) -> Any:
    """Give an annotation without Annotated, NewType, type aliases and TypeVars."""
    while True:
        if typing.get_origin(annotation) is Annotated:
            annotation = typing.get_args(annotation)[0]
            continue
        for name in ("__supertype__", "__value__", "__bound__"):
            inner = getattr(annotation, name, None)
            if inner is not None and not isinstance(annotation, type):
                annotation = inner
                break
        else:
            return annotation


def _default() -> Registry:
    made = Registry(CloudpickleMaterializer())
    made.register(RawBytesMaterializer)
    made.register(PathMaterializer)
    for each in text_types.MATERIALIZERS:
        made.register(each)
    made.given.clear()  # every process has these
    return made


registry: Final = _default()
"""The registry of this process."""

parquet_registry: Final = ParquetRegistry(registry)
"""The same for those who keep tables as Parquet."""

REGISTRIES: Final[Mapping[str, Registry]] = {"arrow": registry, "parquet": parquet_registry}
"""The registry for each value of the setting `table_format`."""


def register_materializer(materializer: Any, *types: type, replace: bool = False) -> None:
    """Let a materializer take types in this process. See `Registry.register`."""
    registry.register(materializer, *types, replace=replace)
