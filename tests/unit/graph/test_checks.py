"""What goes into a step and what comes out of it."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lineal.errors import InputError, OutputError
from lineal.graph.checks import check_input, split_outputs
from lineal.graph.step import MISSING, InputSpec, OutputSpec, Signature

NOTHING = Signature((), ())
BARE = Signature((), (OutputSpec("output"),))
WHERE = "step 'train'"


def one(annotation: Any) -> Signature:
    """Give a signature with one output."""
    return Signature((), (OutputSpec("model", annotation),))


PAIR = Signature((), (OutputSpec("count", int), OutputSpec("word", str | None)), multiple=True)


def test_one_output_is_given_as_it_is() -> None:
    """The very object, whatever it is, is the output; a tuple is one value."""
    frame = pd.DataFrame({"a": [1]})
    assert split_outputs(one(pd.DataFrame), frame, WHERE)[0] is frame
    assert split_outputs(one(tuple[int, str]), (1, "a"), WHERE) == ((1, "a"),)
    assert split_outputs(BARE, (1, 2), WHERE) == ((1, 2),)
    assert split_outputs(BARE, None, WHERE) == (None,)


def test_several_outputs_are_taken_apart() -> None:
    """One value for each, in order; a named tuple is a tuple."""
    assert split_outputs(PAIR, (1, None), WHERE) == (1, None)
    assert type(split_outputs(PAIR, (1, "a"), WHERE)) is tuple


def test_no_output() -> None:
    """`-> None` returns None."""
    assert split_outputs(NOTHING, None, WHERE) == ()


def test_numpy_scalars_pass_for_their_python_kind() -> None:
    """`-> float` may return what `array.mean()` gives, and `-> float` an int."""
    assert split_outputs(one(float), np.float32(1), WHERE) == (np.float32(1),)
    assert split_outputs(one(float), 1, WHERE) == (1,)


@pytest.mark.parametrize(
    ("signature", "value", "message"),
    [
        (one(int), "a", "step 'train': the output 'model' must be int, got str 'a'"),
        (one(int), 1.5, "step 'train': the output 'model' must be int, got float 1.5"),
        (
            one(pd.DataFrame),
            None,
            "step 'train': the output 'model' must be pandas.DataFrame, got None; does each branch return? Annotate `... | None` if None is meant",
        ),
        (one(list[int]), [1, "a"], "step 'train': the output 'model' must be list[int], got list of 2: [1] must be int, got str 'a'"),
        (PAIR, (1, 2), "step 'train': the output 'word' must be str | None, got int 2"),
        (PAIR, (1,), "step 'train' must return a tuple of 2 values for its outputs count, word; got tuple of 1"),
        (PAIR, (1, "a", 3), "step 'train' must return a tuple of 2 values for its outputs count, word; got tuple of 3"),
        (PAIR, [1, "a"], "step 'train' must return a tuple of 2 values for its outputs count, word; got list of 2"),
        (PAIR, None, "step 'train' must return a tuple of 2 values for its outputs count, word; got None"),
        (NOTHING, 0, "step 'train' is annotated `-> None`, so it has no output, but returned int 0; annotate what it returns"),
    ],
)
def test_wrong_outputs_are_refused(signature: Signature, value: Any, message: str) -> None:
    """One error that names step, output, expected and got."""
    with pytest.raises(OutputError) as caught:
        split_outputs(signature, value, WHERE)
    assert str(caught.value) == message


async def coroutine() -> int:
    return 1


async def async_generator() -> Any:
    yield 1


LAZY: list[tuple[Any, str]] = [
    (lambda: (n for n in "ab"), "generator: its values exist only while it is read; return list"),
    (lambda: map(int, "1"), "map: its values exist"),
    (lambda: filter(None, "1"), "filter: its values exist"),
    (lambda: zip("a", "b", strict=True), "zip: its values exist"),
    (lambda: enumerate("a"), "enumerate: its values exist"),
    (coroutine, "coroutine: define the step with `def`"),
    (async_generator, "async_generator: define the step with `def`"),
]


@pytest.mark.parametrize(("make", "message"), LAZY, ids=[message.partition(":")[0] for _, message in LAZY])
@pytest.mark.parametrize("annotation", [MISSING, Any, object, int])
def test_what_is_not_there_yet_is_refused(make: Any, message: str, annotation: Any) -> None:
    """Whatever the annotation: it would be gone when it is stored. No coroutine is left to warn about later."""
    expected = "must be int, got" if annotation is int else "cannot be"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OutputError) as caught:
            split_outputs(one(annotation), make(), WHERE)
        assert str(caught.value).startswith(f"step 'train': the output 'model' {expected} {message}")
        with pytest.raises(OutputError, match="tuple of 2 values"):
            split_outputs(PAIR, make(), WHERE)
        with pytest.raises(OutputError, match="-> None"):
            split_outputs(NOTHING, make(), WHERE)
        with pytest.raises(OutputError, match="the output 'word'"):
            split_outputs(PAIR, (1, make()), WHERE)


@pytest.mark.parametrize("mode", ["r", "w", "rb", "wb", "r+b"])
def test_an_open_file_is_refused(tmp_path: Path, mode: str) -> None:
    """A file is a thing of this process; its path or its content can be kept."""
    path = tmp_path / "a.txt"
    path.touch()
    with path.open(mode) as file:
        for annotation in (MISSING, type(file)):
            with pytest.raises(OutputError, match=r"an open file cannot be kept; return its content or its pathlib\.Path"):
                split_outputs(one(annotation), file, WHERE)


def test_inputs_are_checked() -> None:
    """What fits goes through; what does not names step, input, expected and got."""
    check_input(InputSpec("data", pd.DataFrame), pd.DataFrame(), WHERE)
    check_input(InputSpec("data", float), np.float32(1), WHERE)
    check_input(InputSpec("data"), object(), WHERE)
    with pytest.raises(InputError) as caught:
        check_input(InputSpec("data", list[int]), ["a"], WHERE)
    assert str(caught.value) == (
        "step 'train': the input 'data' must be list[int], got list of 1: [0] must be int, got str 'a'; give another artifact, or change the annotation"
    )
    with pytest.raises(InputError, match=r"the input 'data' must be pandas\.DataFrame, got None"):
        check_input(InputSpec("data", pd.DataFrame), None, WHERE)


def test_a_default_always_fits() -> None:
    """`a: int = None` takes None, as the function itself does."""
    check_input(InputSpec("a", int, None), None, WHERE)
    with pytest.raises(InputError):
        check_input(InputSpec("a", int, None), "x", WHERE)
