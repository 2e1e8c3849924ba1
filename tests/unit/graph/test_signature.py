"""From a function to named inputs and outputs, and from a call's arguments to inputs."""

import functools
import pickle
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NewType, Optional, Tuple, TypeVar, Union  # noqa: UP035 - the older spellings are what is tested

import pytest

from lineal.errors import CallError, DefinitionError
from lineal.graph.signature import bind, parameters_of, signature_of, split_outputs
from lineal.graph.step import MISSING, ArtifactConfig, InputSpec, OutputSpec, Signature

T = TypeVar("T")
UserId = NewType("UserId", int)


def outputs_of(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """Give name and annotation of each output."""
    return [(output.name, output.annotation) for output in signature_of(function, "s").outputs]


# --- inputs


def test_inputs_are_the_arguments() -> None:
    """Each argument is an input with its annotation, its default, and whether it goes by name only."""

    def train(data: list[int], rate=0.1, *, epochs: int = 3, name):  # type: ignore[no-untyped-def]
        return data

    assert signature_of(train, "train").inputs == (
        InputSpec("data", list[int]),
        InputSpec("rate", MISSING, 0.1),
        InputSpec("epochs", int, 3, keyword_only=True),
        InputSpec("name", MISSING, MISSING, keyword_only=True),
    )


def test_a_default_of_none_is_a_default() -> None:
    """None is a value; no default is MISSING."""

    def f(a: int = None) -> None:  # type: ignore[assignment]  # noqa: RUF013
        pass

    assert signature_of(f, "f").inputs[0].default is None


def star(*args: int) -> None: ...


def starstar(**kwargs: int) -> None: ...


def positional(a: int, /) -> None: ...


def after(after: int) -> None: ...


def with_id(id: int) -> None: ...


async def asynchronous() -> int:
    return 1


def generator() -> Any:
    yield 1


async def async_generator() -> Any:
    yield 1


class Callme:
    """An object that can be called."""

    def __call__(self) -> int:
        return 1

    def method(self) -> int:
        """Be a method."""
        return 1


REFUSED: list[tuple[Any, str]] = [
    (star, r"step 's': the argument '\*args' has no fixed name; name each argument"),
    (starstar, r"step 's': the argument '\*\*kwargs' has no fixed name; name each argument"),
    (positional, "step 's': the argument 'a' is positional-only, but inputs go by name; remove the `/`"),
    (after, "step 's': the argument name 'after' is taken, it orders calls without data; rename the argument"),
    (with_id, "step 's': the argument name 'id' is taken, it names a call; rename the argument"),
    (asynchronous, "step 's' is async; define it with `def`"),
    (async_generator, "step 's' is async; define it with `def`"),
    (generator, r"step 's' is a generator \(it has a `yield`\); collect the values"),
    (Callme(), "step 's' must be a function, got .*Callme object"),
    (Callme, "step 's' must be a function, got <class"),
    (Callme().method, "step 's' must be a function, got <bound method"),
    (functools.partial(print, 1), "step 's' must be a function, got functools.partial"),
    (len, "step 's' must be a function, got <built-in function len>"),
    (None, "step 's' must be a function, got None"),
]


@pytest.mark.parametrize(
    ("function", "message"), REFUSED, ids=[getattr(function, "__name__", type(function).__name__) for function, _ in REFUSED]
)
def test_what_cannot_be_a_step_is_refused_when_it_is_defined(function: Any, message: str) -> None:
    """The message names the step and the argument, and says what to do instead."""
    with pytest.raises(DefinitionError, match=message):
        signature_of(function, "s")


def test_a_decorated_function_keeps_its_own_signature() -> None:
    """What `functools.wraps` points to says what goes in and comes out, the wrapper only runs around it."""

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return wrapper

    @around
    def pair(a: int, *, b: str = "x") -> tuple[int, str]:
        return a, b

    found = signature_of(pair, "pair")
    assert [spec.name for spec in found.inputs] == ["a", "b"]
    assert [spec.name for spec in found.outputs] == ["output_0", "output_1"]
    assert signature_of(functools.lru_cache(pair), "pair") == found


def test_a_wrapper_may_run_what_is_async() -> None:
    """Only what is called counts: a decorator that awaits makes a plain step."""

    @functools.wraps(asynchronous)
    def run() -> int:
        return 1

    assert outputs_of(run) == [("output", int)]


# --- outputs


def test_no_output() -> None:
    """`-> None` has none, written as text too."""

    def f() -> None: ...
    def g() -> "None": ...

    assert outputs_of(f) == outputs_of(g) == []


def test_one_output() -> None:
    """Anything but a literal tuple is one output, and keeps its annotation for the materializer."""

    def plain() -> int:
        return 1

    def bare():  # type: ignore[no-untyped-def]
        return 1, 2

    def anything() -> Any:
        return 1, 2

    def untyped_tuple() -> tuple:  # type: ignore[type-arg]
        return 1, 2

    def old_tuple() -> Tuple:  # type: ignore[type-arg]  # noqa: UP006
        return 1, 2

    def open_tuple() -> tuple[int, ...]:
        return 1, 2

    def empty_tuple() -> tuple[()]:
        return ()

    def single() -> tuple[int]:
        return (1,)

    def stored_tuple() -> tuple[int, str]:
        pair = (1, "a")
        return pair  # noqa: RET504

    def optional_tuple() -> tuple[int, str] | None:
        return 1, "a"

    assert outputs_of(plain) == [("output", int)]
    assert outputs_of(bare) == [("output", MISSING)]
    assert outputs_of(anything) == [("output", Any)]
    assert outputs_of(untyped_tuple) == [("output", tuple)]
    assert outputs_of(old_tuple) == [("output", Tuple)]  # noqa: UP006
    assert outputs_of(open_tuple) == [("output", tuple[int, ...])]
    assert outputs_of(empty_tuple) == [("output", tuple[()])]
    assert outputs_of(single) == [("output", tuple[int])]
    assert outputs_of(stored_tuple) == [("output", tuple[int, str])]
    assert outputs_of(optional_tuple) == [("output", tuple[int, str] | None)]
    assert not signature_of(stored_tuple, "s").multiple


def test_several_outputs() -> None:
    """A tuple annotation of fixed length and a literal tuple in the function's own body make several."""

    def new() -> tuple[int, str]:
        return 1, "a"

    def old() -> Tuple[int, str]:  # noqa: UP006
        return (1, "a")

    def text() -> "Tuple[int, str]":  # noqa: UP006
        return 1, "a"

    for function in (new, old, text):
        assert outputs_of(function) == [("output_0", int), ("output_1", str)]
        assert signature_of(function, "s").multiple


def test_one_literal_return_anywhere_is_enough() -> None:
    """The other branches may return a tuple that was made before."""

    def f(a: bool) -> tuple[int, str]:
        pair = (1, "a")
        if a:
            return pair
        return 2, "b"

    assert [name for name, _ in outputs_of(f)] == ["output_0", "output_1"]


def test_a_nested_function_does_not_count() -> None:
    """What an inner function, lambda or class returns is its own affair."""

    def f() -> tuple[int, int]:
        def inner() -> tuple[int, int]:
            return 1, 2

        class Inner:
            def method(self) -> tuple[int, int]:
                return 1, 2

        also = lambda: (1, 2)  # noqa: E731
        return inner() or also() or Inner().method()

    assert outputs_of(f) == [("output", tuple[int, int])]


def test_the_literal_must_have_the_length_of_the_annotation() -> None:
    """A mistake that would only show after the step has run shows when it is defined."""

    def f() -> tuple[int, int]:
        return 1, 2, 3  # type: ignore[return-value]

    with pytest.raises(DefinitionError, match=r"step 's' returns 3 values where its annotation tuple\[int, int\] has 2; make them equal"):
        signature_of(f, "s")


def test_a_star_hides_the_length() -> None:
    """`return a, *rest` is a literal of several; how many is seen when it runs."""

    def f(rest: list[int]) -> tuple[int, int, int]:
        return 1, *rest  # type: ignore[return-value]

    assert [name for name, _ in outputs_of(f)] == ["output_0", "output_1", "output_2"]


def test_names() -> None:
    """`Annotated` names the output and the artifact; without one an element keeps its place's name."""
    described = ArtifactConfig(name="clean_{date}", version="{time}", tags=("daily",), run_metadata={"a": 1}, artifact_type="data")

    def one() -> Annotated[int, "n"]:
        return 1

    def several() -> tuple[Annotated[int, "a"], str, Annotated[float, described], Annotated[bytes, ArtifactConfig(tags=["x"])]]:
        return 1, "b", 2.0, b""

    def whole() -> Annotated[tuple[int, str], "pair"]:
        return 1, "a"

    assert signature_of(one, "s").outputs == (OutputSpec("n", int, ArtifactConfig(name="n")),)
    assert signature_of(several, "s").outputs == (
        OutputSpec("a", int, ArtifactConfig(name="a")),
        OutputSpec("output_1", str),
        OutputSpec("clean_{date}", float, described),
        OutputSpec("output_3", bytes, ArtifactConfig(tags=("x",))),
    )
    assert outputs_of(whole) == [("pair", tuple[int, str])]


def test_a_name_and_a_config_without_one_go_together() -> None:
    """The text gives the name, the config the rest; what is neither says nothing to us."""

    def f() -> Annotated[int, 3, "n", ArtifactConfig(version=2, tags=["x"])]:
        return 1

    assert signature_of(f, "s").outputs == (OutputSpec("n", int, ArtifactConfig("n", "2", ("x",))),)


def test_names_are_kept_in_normal_form() -> None:
    """Two spellings of an accent are one name."""

    def f() -> Annotated[int, "e\u0301"]:
        return 1

    assert outputs_of(f) == [("\u00e9", int)]


def test_named_elements_of_one_output() -> None:
    """`return some_tuple` is one output, whatever its elements are called."""

    def f() -> tuple[Annotated[int, "a"], Annotated[int, "b"]]:
        pair = 1, 2
        return pair  # noqa: RET504

    assert [name for name, _ in outputs_of(f)] == ["output"]


BAD_NAMES: list[tuple[Any, str]] = [
    (Annotated[int, ""], "step 's': output: output name '' is not allowed: it is empty"),
    (Annotated[int, "a/b"], "output name 'a/b' is not allowed"),
    (Annotated[int, "latest"], "'latest' is a reserved word"),
    (Annotated[int, "{a.b}"], "is not a placeholder"),
    (Annotated[int, "{"], "brace that belongs to no placeholder"),
    (Annotated[int, "a", "b"], r"step 's': output is named more than once \('a', 'b'\)"),
    (Annotated[int, "a", ArtifactConfig(name="a")], "named more than once"),
    (Annotated[int, ArtifactConfig(name="a"), ArtifactConfig(tags=["x"])], "named more than once"),
    (Annotated[int, ArtifactConfig(), ArtifactConfig()], r"named more than once \(two ArtifactConfig\)"),
    (Annotated[int, ArtifactConfig(name="")], "it is empty"),
    (Annotated[int, ArtifactConfig(name=3)], "output name must be a str, got int"),  # type: ignore[arg-type]
    (Annotated[int, ArtifactConfig(version=0)], "version 0 is not allowed"),
    (Annotated[int, ArtifactConfig(version="{a!r}")], "is not a placeholder"),
    (Annotated[int, ArtifactConfig(artifact_type="modell")], "unknown artifact_type 'modell'; use one of data, model"),
    (Annotated[int, ArtifactConfig(tags="daily")], r"must have a list of tags, got 'daily'; write tags=\['daily'\]"),
]


@pytest.mark.parametrize(("annotation", "message"), BAD_NAMES, ids=[str(index) for index in range(len(BAD_NAMES))])
def test_wrong_names_are_refused_when_the_step_is_defined(annotation: Any, message: str) -> None:
    """The message names step and output."""

    def f():  # type: ignore[no-untyped-def]
        return 1

    f.__annotations__["return"] = annotation
    with pytest.raises(DefinitionError, match=message):
        signature_of(f, "s")


def test_two_outputs_cannot_share_a_name() -> None:
    """Neither two given names, nor a given one and that of a place."""

    def twice() -> tuple[Annotated[int, "a"], Annotated[int, "a"]]:
        return 1, 2

    def place() -> tuple[Annotated[int, "output_1"], int]:
        return 1, 2

    with pytest.raises(DefinitionError, match="step 's' has more than one output named 'a'; give each output its own name"):
        signature_of(twice, "s")
    with pytest.raises(DefinitionError, match="more than one output named 'output_1'"):
        signature_of(place, "s")


def test_all_kinds_of_annotations() -> None:
    """Whatever the typing module offers is kept as it is, for inputs and for the output."""
    kinds = [
        Union[int, str], Optional[int], int | None,  # noqa: UP007, UP045
        typing.Literal["a", 1], T, Callable[[int], str], UserId, type[int], dict[str, list[int]],
        typing.Iterable[int], typing.Sequence,
    ]  # fmt: skip
    for kind in kinds:

        def f(a):  # type: ignore[no-untyped-def]
            return a

        f.__annotations__.update({"a": kind, "return": kind})
        found = signature_of(f, "s")
        assert found.inputs[0].annotation == kind
        assert found.outputs[0].annotation == kind


def make_alias(value: Any) -> Any:
    """Give an alias as `type Alias = ...` makes one."""
    if sys.version_info >= (3, 12):
        return typing.TypeAliasType("Alias", value)
    from typing_extensions import TypeAliasType

    return TypeAliasType("Alias", value)


def test_an_alias_is_what_it_stands_for() -> None:
    """`type Pair = tuple[int, str]` makes several outputs, and `type Named = Annotated[...]` names one."""

    def f():  # type: ignore[no-untyped-def]
        return 1, "a"

    f.__annotations__["return"] = make_alias(tuple[int, make_alias(Annotated[str, "word"])])
    assert outputs_of(f) == [("output_0", int), ("word", str)]


def test_a_signature_can_travel() -> None:
    """Worker processes get it by pickle, and find MISSING to be MISSING."""

    def f(a: int, b="x", *, c) -> tuple[Annotated[int, "n"], str]:  # type: ignore[no-untyped-def]
        return a, b

    found = signature_of(f, "f")
    back = pickle.loads(pickle.dumps(found))
    assert back == found
    assert back.inputs[0].default is MISSING
    assert bind(back, "f", (1,), {"c": 2}) == {"a": 1, "b": "x", "c": 2}


# --- pipelines


def test_a_pipeline_has_parameters_and_no_outputs() -> None:
    """What its body returns is not looked at, and the names that step calls take are free."""

    def training(rate: float = 0.1, *, id: str = "x") -> "Whatever":  # type: ignore[name-defined]  # noqa: F821
        return rate

    found = parameters_of(training, "training")
    assert [(spec.name, spec.annotation, spec.default) for spec in found.inputs] == [("rate", float, 0.1), ("id", str, "x")]
    assert (found.outputs, found.of) == ((), "pipeline")
    with pytest.raises(CallError, match="pipeline 'training' has no argument 'rat'; did you mean 'rate'"):
        bind(found, "training", (), {"rat": 1})


@pytest.mark.parametrize("function", [star, starstar, positional, asynchronous, generator])
def test_what_cannot_be_a_pipeline(function: Any) -> None:
    """The same rules, and the message says pipeline."""
    with pytest.raises(DefinitionError, match="pipeline 'p'"):
        parameters_of(function, "p")


# --- calls


def three(a: int, b: int = 2, *, c: int = 3) -> int:
    return a + b + c


THREE = signature_of(three, "three")


@pytest.mark.parametrize(
    ("args", "kwargs", "bound"),
    [
        ((1,), {}, {"a": 1, "b": 2, "c": 3}),
        ((1, 5), {}, {"a": 1, "b": 5, "c": 3}),
        ((), {"a": 1}, {"a": 1, "b": 2, "c": 3}),
        ((1,), {"c": 9, "b": 8}, {"a": 1, "b": 8, "c": 9}),
        ((), {"c": 9, "b": None, "a": MISSING.__class__}, {"a": MISSING.__class__, "b": None, "c": 9}),
    ],
)
def test_binding(args: tuple[Any, ...], kwargs: dict[str, Any], bound: dict[str, Any]) -> None:
    """Each argument by name, in the order of the signature, defaults filled in: what Python itself would bind."""
    found = bind(THREE, "three", args, kwargs)
    assert found == bound
    assert list(found) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "step 'three' needs the argument 'a'; it is called as three(a, b=..., *, c=...)"),
        ((), {"b": 1}, "step 'three' needs the argument 'a'; it is called as three(a, b=..., *, c=...)"),
        ((1, 2, 3), {}, "step 'three' takes 2 by position, got 3; it is called as three(a, b=..., *, c=...)"),
        ((1,), {"a": 1}, "step 'three': the argument 'a' is given twice, by position and by name; give it once"),
        ((1, 2), {"b": 1, "c": 1}, "step 'three': the argument 'b' is given twice, by position and by name; give it once"),
        ((1,), {"zzz": 1}, "step 'three' has no argument 'zzz'; it is called as three(a, b=..., *, c=...)"),
        ((), {"aa": 1}, "step 'three' has no argument 'aa'; did you mean 'a'?"),
    ],
)
def test_wrong_calls(args: tuple[Any, ...], kwargs: dict[str, Any], message: str) -> None:
    """Missing, too many, twice, unknown: refused as Python would, and the message shows how to call."""
    with pytest.raises(TypeError):
        three(*args, **kwargs)
    with pytest.raises(CallError) as caught:
        bind(THREE, "three", args, kwargs)
    assert str(caught.value) == message


def test_several_missing_arguments_are_all_named() -> None:
    """One error tells everything that is missing."""

    def f(first, second, third=1):  # type: ignore[no-untyped-def]
        return first

    with pytest.raises(
        CallError, match=r"step 'f' needs the arguments 'first', 'second'; it is called as f\(first, second, third=\.\.\.\)"
    ):
        bind(signature_of(f, "f"), "f", (), {})
    with pytest.raises(CallError, match="step 'f' takes 3 arguments, got 4"):
        bind(signature_of(f, "f"), "f", (1, 2, 3, 4), {})


def test_binding_compares_no_values() -> None:
    """A value whose comparison fails or is an array can be given like any other."""

    class Prickly:
        """Refuses to be compared or hashed."""

        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

    value = Prickly()
    assert bind(THREE, "three", (value,), {})["a"] is value


def test_a_call_does_not_change_the_signature() -> None:
    """Binding works on a copy of the defaults."""
    before = dict(THREE.blank)
    bind(THREE, "three", (10, 20), {"c": 30})
    assert THREE.blank == before


# --- functions without source


def from_text(text: str) -> Callable[..., Any]:
    """Give the function `f` of some source text that no file holds."""
    space: dict[str, Any] = {}
    exec(text, space)
    function: Callable[..., Any] = space["f"]
    assert isinstance(function, types.FunctionType)
    return function


def test_a_function_without_source_follows_the_same_rule() -> None:
    """At a prompt the bytecode tells what the source would."""
    several = from_text("def f(a: int) -> tuple[int, str]:\n    return a, 'x'")
    one = from_text("def f(a: int) -> tuple[int, str]:\n    pair = (a, 'x')\n    return pair")
    assert [name for name, _ in outputs_of(several)] == ["output_0", "output_1"]
    assert [name for name, _ in outputs_of(one)] == ["output"]


@dataclass
class Row:
    """A type of this module."""

    a: int


def test_what_comes_out_fits_what_was_read() -> None:
    """The signature of a function and its return value go together."""

    def f() -> tuple[Annotated[Row, "row"], int | None]:
        return Row(1), None

    found = signature_of(f, "f")
    assert isinstance(found, Signature)
    assert split_outputs(found, f(), "step 'f'") == (Row(1), None)
