"""Plain values, bytes and containers: the contract, and what is special to them."""

import json
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from lineal.errors import LinealWarning, MaterializerError, NoMaterializer, NotPlain, PickleRefused
from lineal.materializers import pickled
from lineal.materializers.base import BytesMaterializer, Materializer
from lineal.materializers.builtin import JsonMaterializer, RawBytesMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry, registry
from lineal.testing.materializers import MaterializerTests, load, save


@dataclass
class Fitted:
    weights: Any
    name: str = "m"


class Step(NamedTuple):
    array: Any


class Opaque:
    """What only pickle takes."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and other.content == self.content

    __hash__ = None  # type: ignore[assignment]


class TestJson(MaterializerTests):
    materializer = JsonMaterializer()
    values = (1, 1.0, True, None, "ä", [1, (2,)], {"a": {"b", "c", "d"}}, {1: 2}, deque([1]), bytearray(b"x"), Fitted([1]), float("inf"))


class TestRawBytes(MaterializerTests):
    materializer = RawBytesMaterializer()
    values = (b"", b"\x00\xff" * 10)


ARRAY = np.arange(6.0).reshape(2, 3)


class TestContainer(MaterializerTests):
    materializer = registry.by_id("container/1")
    values = (
        [ARRAY],
        {"x": ARRAY, "y": [ARRAY + 1, (2, {"z": np.float32(3)})]},
        (ARRAY, ARRAY + 1),
        OrderedDict(a=ARRAY, b={1, 2}),
        Fitted(ARRAY),
        [Step(ARRAY), Fitted({"w": ARRAY})],
    )

    def equal(self, one: Any, other: Any) -> bool:
        return equal(one, other)


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
class TestPickledContainer(MaterializerTests):
    materializer = registry.by_id("container.pickle/1")
    values = ([Opaque(1)], {"a": (Opaque([1]), 2)})


def equal(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return equal(vars(one), vars(other)) if isinstance(one, Fitted) else bool(one == other)


def test_container_layout(tmp_path: Path) -> None:
    """The JSON is readable as it is, and each element lies in its own format: this is the format `container/1`."""
    folder = save(registry.by_id("container/1"), {"n": 1, "x": ARRAY, "s": np.float32(2)}, tmp_path / "c")
    assert json.loads((folder / "data.json").read_bytes()) == {
        "n": 1,
        "x": {"$type": "item", "n": 0, "materializer": "numpy.ndarray/1"},
        "s": {"$type": "item", "n": 1, "materializer": "numpy.scalar/1"},
    }
    assert np.array_equal(np.load(folder / "items/0/data.npy"), ARRAY)
    assert (folder / "items/1/data.npy").is_file()


def test_shared_elements_are_stored_once_and_come_back_shared(tmp_path: Path) -> None:
    """One array at three places is one file, and one object again."""
    folder = save(registry.by_id("container/1"), {"a": ARRAY, "b": [ARRAY, (ARRAY,)]}, tmp_path / "c")
    assert [path.name for path in (folder / "items").iterdir()] == ["0"]
    back = load(registry.by_id("container/1"), folder)
    assert back["a"] is back["b"][0] is back["b"][1][0]


def test_deep_containers(tmp_path: Path) -> None:
    """A thousand levels with an array at the bottom."""
    value: Any = ARRAY
    for _ in range(1_000):
        value = {"k": value}
    assert registry.for_value(value).id == "container/1"
    back = load(registry.by_id("container/1"), save(registry.by_id("container/1"), value, tmp_path / "c"))
    for _ in range(1_000):
        back = back["k"]
    assert np.array_equal(back, ARRAY)


def test_container_that_may_run_code_says_so(tmp_path: Path) -> None:
    """An element that only pickle takes makes the whole container unsafe, so that the policy sees it."""
    value = [ARRAY, Opaque(1)]
    chosen = registry.for_value(value)
    assert (chosen.id, chosen.safe) == ("container.pickle/1", False)
    with pytest.raises(NoMaterializer, match=r"takes element \[1\], a Opaque"):
        save(registry.by_id("container/1"), value, tmp_path / "c")


@pytest.mark.filterwarnings("ignore::lineal.errors.LinealWarning")
def test_forged_container_is_not_unpickled(tmp_path: Path) -> None:
    """A `container/1` whose bytes name cloudpickle is refused: policy let it pass as one that runs no code."""
    folder = save(registry.by_id("container.pickle/1"), [Bomb(tmp_path / "mark")], tmp_path / "c")
    with pytest.raises(PickleRefused, match="cloudpickle/1, which can run code"):
        load(registry.by_id("container/1"), folder)
    assert not (tmp_path / "mark").exists()


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_items_are_checked(tmp_path: Path) -> None:
    """An item's number is a number: no path can be smuggled in."""
    folder = tmp_path / "c"
    folder.mkdir()
    for node in ({"n": "../..", "materializer": "json/1"}, {"n": 0, "materializer": ["json/1"]}, {"n": True, "materializer": "json/1"}, {}):
        (folder / "data.json").write_text(json.dumps([{"$type": "item", **node}]))
        with pytest.raises(MaterializerError, match="not typed JSON"):
            load(registry.by_id("container/1"), folder)


class Declining(Materializer):
    id = "test.declining/1"
    types = (Opaque,)

    def save(self, value: Any, folder: Path) -> None:
        (folder / "half").write_text("x")
        raise NoMaterializer("not this one")


class Failing(BytesMaterializer):
    id = "test.failing/1"
    types = (Opaque,)

    def dumps(self, value: Any) -> bytes:
        raise OSError("disk on fire")


def test_element_that_is_declined_while_writing_goes_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half-written of the one that declined is left."""
    monkeypatch.setattr(pickled, "_told", set())
    own = Registry(CloudpickleMaterializer())
    own.register(Declining)
    with pytest.raises(NoMaterializer):
        save(own.by_id("container/1"), [Opaque(1)], tmp_path / "safe")
    with pytest.warns(LinealWarning, match=r"element \[0\] of the value is a .*Opaque"):
        folder = save(own.after(own.by_id("container/1"), [Opaque(1)]), [Opaque(1)], tmp_path / "c")
    assert sorted(path.name for path in (folder / "items/0").iterdir()) == ["data.pkl", "environment.json"]


def test_failing_element_is_named(tmp_path: Path) -> None:
    """The error says where the element is and whose failure it was."""
    own = Registry()
    own.register(Failing)
    with pytest.raises(MaterializerError, match=r"element \['a'\]\[1\], a Opaque, could not be saved by test.failing/1: disk on fire"):
        save(own.by_id("container/1"), {"a": [0, Opaque(1)]}, tmp_path / "c")


def test_registered_class_inside_a_container_keeps_its_materializer() -> None:
    """A dataclass that has a materializer of its own is not taken apart."""

    class FittedMaterializer(BytesMaterializer):
        id = "test.fitted/1"

    own = Registry()
    own.register(FittedMaterializer, Fitted)
    assert own.for_value(Fitted(1)).id == "test.fitted/1"
    assert own.for_value([Fitted(1)]).id == "container/1"
    assert Registry().for_value([Fitted(1)]).id == "json/1"


def test_refusal_of_json_has_a_path() -> None:
    """`json/1` asked directly for what it cannot hold says where that is."""
    with pytest.raises(NotPlain) as caught:
        JsonMaterializer().dumps({"a": [ARRAY]})
    assert caught.value.path == "['a'][0]"


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (1, {"value": 1}),
        (True, {"value": True}),
        (None, {"value": None}),
        (2.5, {"value": 2.5}),
        (float("nan"), {"value": "nan"}),
        (float("-inf"), {"value": "-inf"}),
        (1 << 500, {"bits": 501}),
        ("ab", {"length": 2, "value": "ab"}),
        ("x" * 1000, {"length": 1000}),
        ([1, 2], {"length": 2}),
        ({}, {"length": 0}),
        (range(5), {"length": 5}),
        (slice(1), {"value": "slice(None, 1, None)"}),
        (1j, {"value": "1j"}),
    ],
)
def test_metadata(value: Any, facts: dict[str, Any]) -> None:
    """The value of a short scalar, the length of a container."""
    assert JsonMaterializer().metadata(value) == facts


def test_metadata_of_bytes() -> None:
    """The length."""
    assert RawBytesMaterializer().metadata(b"abc") == {"length": 3}
