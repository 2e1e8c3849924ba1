"""Typed JSON: known values and known collisions. Arbitrary values are in tests/property/test_values_property.py."""

import enum
import json
import math
import os
import subprocess
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, NamedTuple, Optional
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pydantic
import pytest

from lineal.errors import MaterializerError
from lineal.model import digest, values
from lineal.model.values import NotPlain


class Color(enum.Enum):
    RED = 1
    BLUE = "blue"
    CRIMSON = 1  # noqa: PIE796  # an alias


class Level(enum.IntEnum):
    LOW = 1


class Rights(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Point(NamedTuple):
    x: int
    y: Any = 0


Pair = namedtuple("Pair", "left right")  # noqa: PYI024  # without annotations


@dataclass
class Plain:
    a: Any = 1
    b: list[int] = field(default_factory=list)


@dataclass
class Other:
    a: Any = 1
    b: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Slotted:
    a: Any
    made: int = field(init=False, default=7)


@dataclass
class WithMore:
    a: int

    def __post_init__(self) -> None:
        self.a += 1
        self.doubled = self.a * 2

    @cached_property
    def costly(self) -> int:
        return self.a * 100


@attrs.define
class Box:
    content: Any
    label: str = "none"


@attrs.define
class PrivateBox:
    _content: Any


class Model(pydantic.BaseModel):
    lr: float = 0.1
    inner: Optional["Model"] = None
    _secret: int = pydantic.PrivateAttr(default=3)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow", frozen=True)
    a: int


class Items(pydantic.RootModel[list[int]]):
    pass


EXACT = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    10**4299,
    10**5000,
    -(10**20000),
    0.0,
    -0.0,
    1e308,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    "",
    "ä€😀",
    "\x00\x7f\u2028",
    "\ud800",
    "\ud83d\ude00",
    b"",
    b"\x00\xff",
    bytearray(b"ab"),
    complex(-0.0, math.inf),
    [],
    (),
    {},
    set(),
    frozenset(),
    (1, [2, (3,)]),
    {"$type": "tuple", "items": []},
    {"$type": 1},
    {1: "a", "1": "b", None: 0, (1, 2): [3], True + 1.5: 4},
    {"b": 1, "a": 2},
    {"\ud800": 1},
    {frozenset({1, 2}), "x", 3.5, (4,)},
    deque([1, 2], maxlen=5),
    deque(),
    defaultdict(list, {"a": [1]}),
    defaultdict(None, {1: 2}),
    OrderedDict([("b", 1), ("a", 2)]),
    Counter({"a": 2, "b": -1, "c": 0}),
    range(1, 10, 3),
    range(10**700),
    slice(1, None, (2,)),
    date(1, 1, 1),
    datetime(2024, 10, 27, 2, 30, 0, 1, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2024, 1, 1),  # noqa: DTZ001  # naive on purpose
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-5, microseconds=3), "odd")),
    time(1, 2, 3, 4, tzinfo=UTC),
    time(1, fold=1),
    timezone(timedelta(hours=2)),
    UTC,
    ZoneInfo("Asia/Tokyo"),
    timedelta(days=-3, microseconds=7),
    UUID(int=7),
    Decimal("1.10"),
    Decimal("-0"),
    Decimal("sNaN12"),
    Decimal("1E+500"),
    Fraction(1, 3),
    Fraction(10**5000, 3),
    Path("/tmp/x"),
    Path("rel/ä\udcff"),
    PurePosixPath("a/b"),
    PureWindowsPath("C:\\a"),
    Color.RED,
    Color.BLUE,
    Level.LOW,
    Rights.READ,
    Rights.READ | Rights.WRITE,
    Rights(0),
    {Color.RED: Level.LOW},
    Point(1, (2,)),
    Pair([1], {"$type": 0}),
    Plain({1, 2}, [3]),
    Slotted(Plain()),
    WithMore(3),
    Box((1, 2)),
    PrivateBox([1]),
    Model(inner=Model(lr=2)),
    Open(a=1, extra=(1, 2)),
    Items([1, 2]),
    [[[{"deep": ((),)}]]],
]


def same(one: Any, other: Any) -> bool:
    """Equality with exact types, order of dictionaries, signed zeros and NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        extra = one.default_factory is other.default_factory if isinstance(one, defaultdict) else True
        return extra and same(list(one.items()), list(other.items()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, deque):
        return one.maxlen == other.maxlen and same(list(one), list(other))
    if isinstance(one, set | frozenset):
        return one == other and {(type(each), each) for each in one} == {(type(each), each) for each in other}
    if isinstance(one, float | complex | Decimal):
        return repr(one) == repr(other)
    if isinstance(one, datetime | time):
        return (repr(one), one.fold, one.tzinfo) == (repr(other), other.fold, other.tzinfo)
    if isinstance(one, pydantic.BaseModel):
        return one == other and one.model_fields_set == other.model_fields_set
    return bool(one == other)


@pytest.mark.parametrize("value", EXACT, ids=lambda value: f"{type(value).__name__}")
def test_value_comes_back_exactly(value: Any) -> None:
    """Equal, of the same types at every depth, in the same order."""
    assert same(values.loads(values.dumps(value)), value)
    assert same(values.from_json(values.to_json([value]))[0], value)


@pytest.mark.parametrize("value", EXACT, ids=lambda value: f"{type(value).__name__}")
def test_bytes_are_json_and_stable(value: Any) -> None:
    """The bytes are standard JSON without NaN, and saving what was loaded gives them again."""
    data = values.dumps(value)
    json.loads(data, parse_constant=pytest.fail, parse_int=str)
    assert values.dumps(values.loads(data)) == data
    assert values.text(values.to_json(value)) == data


def test_plain_values_are_plain_json() -> None:
    """Any tool reads what JSON can hold."""
    value = {"a": [1, 2.5, None, True, "ä"], "b": {"c": []}}
    assert values.dumps(value) == '{"a":[1,2.5,null,true,"ä"],"b":{"c":[]}}'.encode()


def test_every_value_has_its_own_identity() -> None:
    """No two of all these share a digest, whatever `==` says of 1, 1.0 and True."""
    colliding = [1, 1.0, "1", b"1", Decimal(1), Fraction(1), [1], (1,), {1}, frozenset({1}), {1: 1}, {"1": 1}, {True: 1}, {1.0: 1}]
    colliding += [("ab", "c"), ("a", "bc"), ["ab", "c"], "abc", {"a": 1}, Plain(), Other(), Plain(1.0), Point(1), (1, 0), Pair(1, 0)]
    colliding += [{"$type": "set", "items": [1]}, bytearray(b"1"), deque([1]), Counter({"a": 1}), OrderedDict(a=1), defaultdict(int, a=1)]
    digests = [digest.of("value/1", values.identity(value)) for value in EXACT + colliding]
    twice = {one for one in digests if digests.count(one) > 1}
    assert not twice, [value for value, one in zip(EXACT + colliding, digests, strict=True) if one in twice]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1: "x", "y": (2,)}, {"y": (2,), 1: "x"}),
        ({"a", "b", "c"}, {"c", "b", "a"}),
        (Counter("ab"), Counter("ba")),
        (Model(), Model(lr=0.1)),
        (Color.RED, Color.CRIMSON),
        (math.nan, float("-nan")),
        ({"x": {(1, 2): 3, (3, 4): 5}}, {"x": {(3, 4): 5, (1, 2): 3}}),
    ],
)
def test_equal_values_share_an_identity(one: Any, other: Any) -> None:
    """The order of dictionaries and sets, and which fields of a model were named, make no difference."""
    assert digest.of("v", values.identity(one)) == digest.of("v", values.identity(other))


def test_order_matters_where_it_is_part_of_equality() -> None:
    """Lists, and two OrderedDicts, differ by order."""
    assert values.identity([1, 2]) != values.identity([2, 1])
    assert values.identity(OrderedDict(a=1, b=2)) != values.identity(OrderedDict(b=2, a=1))


def test_identity_of_scalars_is_the_value_itself() -> None:
    """The hot path makes nothing new."""
    for value in ("text", 10**6, 2.5, b"bytes", None):
        assert values.identity(value) is value


def test_identity_of_enum_follows_its_value() -> None:
    """A member whose value was changed in the code is another argument, though its name is the same."""
    one, other = (enum.Enum("Rate", {"FAST": value}, module="m", qualname="Rate") for value in (1, 2))
    assert values.identity(one.FAST) != values.identity(other.FAST)
    assert values.to_json(one.FAST) == values.to_json(other.FAST)


def test_identity_holds_across_processes_with_other_hash_seeds() -> None:
    """Sets and dictionaries of text give the same digest whatever the hash seed."""
    code = (
        "from lineal.model import digest, values\n"
        "value = {'s': {'a', 'b', 'c', ('d', 'e')}, 'd': {('x', 'y'): {'p', 'q'}}, 'f': frozenset('qwerty')}\n"
        "print(digest.of('v', values.identity(value)), values.dumps(value).hex())"
    )
    given = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(given) == 1


def test_attribute_whose_name_is_no_text_is_refused() -> None:
    """A typed error, also for what only `setattr` can make."""
    odd = Plain()
    setattr(odd, "\ud800", 1)
    with pytest.raises(NotPlain, match="lone surrogate"):
        values.dumps(odd)


class _Odd(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta(0)


class _Text(str):
    __slots__ = ()


@dataclass
class Layer:
    fn: Any


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (lambda: 0, "config"),
        ({"layers": [0, 1, Layer(print)]}, "config['layers'][2].fn"),
        ([(1, {"a": object()})], "config[0][1]['a']"),
        ({1: {2: [object]}}, "config[1][2][0]"),
        (Model.model_construct(lr=object()), "config.lr"),
        (datetime(2024, 1, 1, tzinfo=_Odd()), "config"),
        (defaultdict(lambda: 1), "config"),
        (_Text("a"), "config"),
        ({"e": ValueError("x")}, "config['e']"),
        ((x for x in ()), "config"),
    ],
)
def test_what_cannot_be_held_is_refused_with_its_path(value: Any, path: str) -> None:
    """The error names where the value is and carries it, for parameters and for cache keys alike."""
    for write in (values.to_json, values.identity):
        with pytest.raises(NotPlain, match="cannot be held") as caught:
            write(value, name="config")
        assert caught.value.path == path
    with pytest.raises(NotPlain):
        values.dumps(value)


def test_refusal_can_be_sent_to_another_process() -> None:
    """The value is left behind: what cannot be held can seldom be pickled."""
    import pickle

    with pytest.raises(NotPlain) as caught:
        values.to_json([lambda: 0], name="x")
    back = pickle.loads(pickle.dumps(caught.value))
    assert (str(back), back.path, back.value) == (str(caught.value), "x[0]", None)


def _nested(levels: int, wrap: Any) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = wrap(value)
    return value


@pytest.mark.parametrize("wrap", [lambda v: {"k": v, "n": 1}, lambda v: [v], lambda v: (v,), lambda v: {1: v}, Box, Point])
def test_thousand_levels_are_held(wrap: Any) -> None:
    """Depth costs no stack: neither when writing, reading, nor digesting."""
    value = _nested(1_000, wrap)
    data = values.dumps(value)
    assert values.dumps(values.loads(data)) == data
    assert digest.of("v", values.identity(value)) == digest.of("v", values.identity(values.loads(data)))
    levels = max_depth = 0
    for character in data.decode():
        levels += (character in "[{") - (character in "]}")
        max_depth = max(max_depth, levels)
    assert max_depth < 150, "tools that read JSON have limits of their own"


def test_depth_beyond_the_limit_is_a_clear_error() -> None:
    """Not a RecursionError."""
    assert values.loads(values.dumps(_nested(values.DEEPEST, lambda v: [v])))
    with pytest.raises(NotPlain, match="more than 10,000 levels"):
        values.dumps(_nested(values.DEEPEST + 1, lambda v: [v]))
    with pytest.raises(NotPlain, match="more than 32 levels"):
        values.dumps({_nested(100, lambda v: (v,))})


def test_deep_identity_ignores_the_order_of_dictionaries() -> None:
    """What is written apart is numbered by content, not by insertion."""
    left, right = (_nested(100, lambda v, end=end: {"k": v, end: end}) for end in "ab")
    assert values.identity({"l": left, "r": right}) == values.identity({"r": right, "l": left})
    assert values.identity({"l": left, "r": right}) != values.identity({"l": right, "r": left})


def test_cyclic_values_are_refused() -> None:
    """Directly, through instances, and through what is written apart because of its depth."""
    straight: list[Any] = []
    straight.append(straight)
    through = Plain()
    through.a = {"self": through}
    far: dict[str, Any] = {}
    far["end"] = _nested(100, lambda v: [v, v] if v == "end" else [v])
    bottom = far["end"]
    while bottom[0] != "end":
        bottom = bottom[0]
    bottom[0] = far
    for value in (straight, through, far):
        with pytest.raises(NotPlain, match="contains itself"):
            values.dumps(value)
    shared = [1]
    assert values.loads(values.dumps([shared, shared])) == [[1], [1]], "the same part twice is no cycle"


def test_instances_are_made_without_running_their_code() -> None:
    """`__post_init__` does not change a restored value a second time; attributes set beside the fields come back, caches do not."""
    value = WithMore(3)
    assert value.costly == 400
    back = values.loads(values.dumps(value))
    assert (back.a, back.doubled) == (4, 8)
    assert "costly" not in vars(back)


def _module(name: str, source: str) -> types.ModuleType:
    module = types.ModuleType(name)
    exec(source, vars(module))
    return module


CONFIG = "from dataclasses import dataclass\n@dataclass\nclass Config:\n    a: int\n"


def test_classes_are_looked_up_and_never_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module that stored bytes name is not imported; its class is found once somebody imported it."""
    (tmp_path / "lineal_test_trap.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    data = b'{"$type":"dataclass","class":"lineal_test_trap:Config","fields":{"a":1}}'
    with pytest.raises(MaterializerError, match="import lineal_test_trap first, or pass the type"):
        values.loads(data)
    module = _module("lineal_test_trap", CONFIG)
    monkeypatch.setitem(sys.modules, "lineal_test_trap", module)
    assert values.loads(data) == module.Config(1)


def test_lookup_does_not_trigger_a_modules_getattr(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lazy module would import what it is asked for."""
    module = types.ModuleType("lineal_test_lazy")
    module.__getattr__ = lambda name: pytest.fail(f"asked for {name}")  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "lineal_test_lazy", module)
    with pytest.raises(MaterializerError, match="not loaded here"):
        values.loads(b'{"$type":"dataclass","class":"lineal_test_lazy:Config","fields":{}}')


@pytest.mark.parametrize("wrap", [lambda c: c, lambda c: c | None, lambda c: list[c], lambda c: dict[str, c], lambda c: Annotated[c, 1]])
def test_annotation_gives_the_class(wrap: Any) -> None:
    """A class that is not to be found by name is taken from the reader's annotation, wherever in it."""
    config = _module("lineal_test_gone", CONFIG).Config
    data = b'{"$type":"dataclass","class":"lineal_test_gone:Config","fields":{"a":2}}'
    assert values.loads(data, wrap(config)) == config(2)


def test_class_of_a_script_is_matched_by_name() -> None:
    """What a script stored as `__main__` is read where the script is imported."""
    data = b'{"$type":"dataclass","class":"__main__:Plain","fields":{"a":2,"b":[]}}'
    assert values.loads(data, Plain) == Plain(2)
    with pytest.raises(MaterializerError, match="pass the type"):
        values.loads(data)


def test_local_classes_come_back_in_the_same_process() -> None:
    """A class inside a function is found among those that this process has written."""

    @dataclass
    class Local:
        a: int

    assert values.loads(values.dumps(Local(1))) == Local(1)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ('{"$type":"dataclass","class":"os:environ","fields":{}}', "not loaded here"),
        ('{"$type":"dataclass","class":"subprocess:Popen","fields":{}}', "was stored as dataclass"),
        ('{"$type":"enum","class":"subprocess:Popen","member":{"name":"x"}}', "was stored as enum"),
        ('{"$type":"defaultdict","factory":"eval","items":[]}', "not typed JSON"),
        ('{"$type":"nonsense"}', "'nonsense' is not known"),
        ('{"$type":"item","n":0}', "is not known"),
        ('{"$type":["tuple"]}', "not typed JSON"),
        ('{"$type":"tuple"}', "not typed JSON"),
        ('{"$type":"set","items":[[]]}', "not typed JSON"),
        ('{"$type":"ZoneInfo","key":"../../etc/passwd"}', "not typed JSON"),
        ('{"$type":"datetime","value":"2024-01-01","tz":{"$type":"set"}}', "not typed JSON"),
        ('{"$type":"deep","parts":[{"$type":"part","n":9}]}', "not typed JSON"),
        ('{"$type":"Decimal","value":"x"}', "not typed JSON"),
        ("[" * 100_000, "too deep"),
        ("{", "not JSON"),
        ("\xff", "not JSON"),
    ],
)
def test_malformed_bytes_are_a_typed_error(node: str, message: str) -> None:
    """Whatever the bytes say, nothing runs and the error is Lineal's."""
    with pytest.raises(MaterializerError, match=message):
        values.loads(node.encode("latin-1"))


def test_changed_classes_are_told() -> None:
    """A new field takes its default; a field without one, a field that is gone, and a member that is gone are errors."""
    name = f"{__name__}:Plain"
    assert values.from_json({"$type": "dataclass", "class": name, "fields": {"a": 5}}) == Plain(5)
    with pytest.raises(MaterializerError, match="has no field gone any more"):
        values.from_json({"$type": "dataclass", "class": name, "fields": {"gone": 5}})
    for kind, cls in (("dataclass", Slotted), ("attrs", Box), ("namedtuple", Point)):
        with pytest.raises(MaterializerError, match=r"no field '[acx].*has no default"):
            values.from_json({"$type": kind, "class": f"{__name__}:{cls.__name__}", "fields": {}})
    with pytest.raises(MaterializerError, match="no member 'GREEN'; it has RED, BLUE"):
        values.from_json({"$type": "enum", "class": f"{__name__}:Color", "member": {"name": "GREEN"}})
    assert values.from_json({"$type": "pydantic", "class": f"{__name__}:Model", "fields": {}}) == Model()


def test_integers_of_any_size_are_read_whoever_wrote_them() -> None:
    """A process that allows more digits writes them plainly; one that allows fewer still reads them."""
    assert values.loads(b"[" + b"7" * 9_000 + b"]") == [int(Decimal("7" * 9_000))]


def test_pydantic_is_not_imported_for_other_values() -> None:
    """The codec asks whether pydantic is loaded and never loads it."""
    code = (
        "import sys, dataclasses\nfrom lineal.model import values\n"
        "C = dataclasses.make_dataclass('C', ['a'])\n"
        "values.dumps(C((1,)))\ntry: values.dumps(object())\nexcept TypeError: pass\n"
        "assert not {'pydantic', 'attr', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_restored_values_are_private() -> None:
    """Two loads share nothing, and `from_json` does not give out parts of the node."""
    node = values.to_json({"a": [1], "b": ([2],)})
    one, other = values.from_json(node), values.from_json(node)
    one["a"].append(9)
    one["b"][0].append(9)
    assert other == {"a": [1], "b": ([2],)} == values.from_json(node)
