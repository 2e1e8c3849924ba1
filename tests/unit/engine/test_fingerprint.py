"""The fingerprint in a living process: what changes while it runs, what is said, and how it is stored."""

import functools
import gc
import importlib
import json
import linecache
import operator
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lineal import step as as_step
from lineal.engine import fingerprint as module_under_test
from lineal.engine.code import disk
from lineal.engine.fingerprint import Fingerprint, explain_change, fingerprint, set_cache_folder

Load = Callable[..., types.ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Write modules into a folder and import the last one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    # Files that are written while a process runs may be newer than what it loaded; these are not.
    monkeypatch.setattr("lineal.engine.code.sources._STARTED", float("inf"))
    known = set(sys.modules)

    def write(**files: str) -> types.ModuleType:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield write
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def fresh(function: Callable[..., Any]) -> Fingerprint:
    """Take a fingerprint without the memo."""
    module_under_test._known.clear()
    return fingerprint(function)


def test_an_unchanged_function_is_answered_from_memory(load: Load) -> None:
    """The same object comes back as long as nothing changed."""
    steps = load(steps="RATE = [1]\ndef step(x):\n    return RATE\n")
    assert fingerprint(steps.step) is fingerprint(steps.step)


def test_what_changes_in_place_is_noticed_and_can_change_back(load: Load) -> None:
    """Mutable globals count by the value that they have when asked, at any depth."""
    steps = load(steps="OPTIONS = {'a': {'b': [1]}}\ndef step(x):\n    return OPTIONS\n")
    first = fingerprint(steps.step)
    steps.OPTIONS["a"]["b"].append(2)
    assert fingerprint(steps.step).digest != first.digest
    steps.OPTIONS["a"]["b"].pop()
    assert fingerprint(steps.step).digest == first.digest


LIVE = """
import functools

RATE = 1

class Base:
    def base(self):
        return 1

class Model(Base):
    size = 1
    def run(self):
        return self.base()

def make():
    n = 1
    def inner():
        return n
    def set_to(value):
        nonlocal n
        n = value
    return inner, set_to

inner, set_to = make()
model = Model()

def helper(x=1, *, y=1):
    return x

def other():
    return 5

@functools.wraps(helper)
def wrapper():
    return 1

wrapper.limit = 1
wrapper.limits = [1]

def step(x):
    return helper(), Model().run(), inner(), RATE, len(x), model, wrapper.limit, wrapper.limits
"""

CHANGES: dict[str, Callable[[Any], Any]] = {
    "a constant": lambda m: setattr(m, "RATE", 2),
    "the type of a constant": lambda m: setattr(m, "RATE", True),
    "a helper replaced": lambda m: setattr(m, "helper", m.other),
    "the code of a helper": lambda m: setattr(m.helper, "__code__", m.other.__code__),
    "the defaults of a helper": lambda m: setattr(m.helper, "__defaults__", (2,)),
    "a keyword default of a helper": lambda m: m.helper.__kwdefaults__.update(y=2),
    "a method replaced": lambda m: setattr(m.Model, "run", m.other),
    "a method added": lambda m: setattr(m.Model, "more", m.other),
    "a method of the base class replaced": lambda m: setattr(m.Base, "base", m.other),
    "a class attribute": lambda m: setattr(m.Model, "size", 2),
    "the value in a closure": lambda m: m.set_to(2),
    "the state of an object": lambda m: setattr(m.model, "size", 7),
    "what a wrapper says that it wraps": lambda m: setattr(m.wrapper, "__wrapped__", m.other),
    "an attribute of a function": lambda m: setattr(m.wrapper, "limit", 2),
    "an attribute of a function, in place": lambda m: m.wrapper.limits.append(2),
    "a builtin hidden": lambda m: setattr(m, "len", m.other),
    "a name deleted": lambda m: delattr(m, "RATE"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_at_run_time_is_noticed(load: Load, change: Callable[[Any], Any]) -> None:
    """Whatever is replaced while the process runs: the next fingerprint is another one, and the one that a fresh look gives."""
    live = load(live=LIVE)
    before = fingerprint(live.step)
    change(live)
    after = fingerprint(live.step)
    assert after.digest != before.digest
    assert after.digest == fresh(live.step).digest


def test_a_reloaded_module_counts_as_it_is_now(load: Load, tmp_path: Path) -> None:
    """After importlib.reload the new code counts."""
    steps = load(tools="def helper():\n    return 1\n", steps="import tools\ndef step():\n    return tools.helper()\n")
    before = fingerprint(steps.step)
    (tmp_path / "tools.py").write_text("def helper():\n    return 1 + 1\n", encoding="utf-8")
    importlib.reload(steps.tools)
    assert fingerprint(steps.step).digest != before.digest


def test_loaded_code_counts_when_its_file_was_edited_since(load: Load, tmp_path: Path) -> None:
    """A body that changed on disk only: neither the key of the new text nor, silently, that of the old one."""
    old, new = "def step(x):\n    return x + 1\n", "def step(x):\n    return x + 2\n"
    steps = load(steps=old)
    (tmp_path / "steps.py").write_text(new, encoding="utf-8")
    edited = fingerprint(steps.step)
    assert edited.not_followed == ("source of steps.step is not there or was edited since it was loaded: its compiled code counts",)
    assert edited.source == ""
    importlib.reload(steps)
    assert fingerprint(steps.step).digest != edited.digest


def test_a_remark_added_to_a_loaded_file_changes_nothing(load: Load, tmp_path: Path) -> None:
    """An edit on disk that leaves the compiled code as it is leaves the key as it is, also when lines move."""
    steps = load(steps="def step(x):\n    return x + 1\n")
    before = fingerprint(steps.step)
    (tmp_path / "steps.py").write_text("# a remark\n\ndef step(x):\n    # another\n    return x + 1\n", encoding="utf-8")
    after = fresh(steps.step)
    assert after.digest == before.digest
    assert after.parts["steps.step"].lines == (1, 2)  # the code was read before the edit


@pytest.mark.parametrize(
    "text",
    [
        "import functools\n@functools.lru_cache(maxsize=1)\ndef helper():\n    return 1\ndef step():\n    return helper()\n",
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\ndef step():\n    return A()\n",
    ],
    ids=["decorators", "classes"],
)
def test_a_file_newer_than_the_process_has_a_key_of_its_own(load: Load, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What leaves no trace in compiled code may differ from what was loaded, so such a file shares no key with an old one."""
    steps = load(steps=text)
    trusted = fresh(steps.step)
    monkeypatch.setattr("lineal.engine.code.sources._STARTED", 0.0)
    for memory in ("_sources", "_found"):
        monkeypatch.setattr(f"lineal.engine.code.sources.{memory}", {})
    assert fresh(steps.step).digest != trusted.digest


def test_parts_say_what_they_are_and_where(load: Load) -> None:
    """Each part has a kind, a file relative to the project, lines, and plain values as text."""
    steps = load(
        conf="\nRATE = 0.1\n",
        steps="from conf import RATE\nclass A:\n    n = 3\n    def run(self):\n        return RATE\n\ndef step(x=2):\n    return A().run()\n",
    )
    found = {key: (p.kind, p.file, p.lines, p.shown) for key, p in fingerprint(steps.step).parts.items()}
    assert found == {
        "conf.RATE": ("constant", "conf.py", (2, 2), "0.1"),
        "steps.A": ("class", "steps.py", (2, 5), ""),
        "steps.step": ("function", "steps.py", (7, 8), ""),
        "steps.step(x)": ("default", "steps.py", (0, 0), "2"),
        "steps:A.n": ("attribute", "steps.py", (0, 0), "3"),
        "steps:A.run": ("function", "steps.py", (4, 5), ""),
    }


def test_the_source_is_that_of_the_function_itself(load: Load) -> None:
    """Without indentation, with its decorators; also under decorators."""
    text = "def deco(f):\n    return lambda x: f(x)\nclass A:\n    # a remark\n    @staticmethod\n    def step(x):\n        return 1\nstep = A.step\n"
    assert fingerprint(load(steps=text).step).source == "@staticmethod\ndef step(x):\n    return 1\n"


def test_what_cannot_be_followed_is_said_with_its_place(load: Load) -> None:
    """The sentences name what, where, and which line."""
    prep = load(
        prep="import importlib\nLOCK = open\nPIPE = (i for i in [])\ndef clean(x, name):\n    eval(name)\n    importlib.import_module(name)\n"
        "    def inner():\n        return getattr(x, name)\n    return globals(), PIPE, inner\n"
    )
    assert fingerprint(prep.clean).not_followed == (
        "eval in prep.clean, line 5",
        "getattr with a computed name in prep.clean, line 8",
        "globals() in prep.clean, line 9",
        "import_module with a computed name in prep.clean, line 6",
        "value of prep.PIPE of type builtins.generator",
    )


def test_an_import_inside_a_function_that_fails_is_said(load: Load) -> None:
    """A module that cannot be imported does not stop the fingerprint; one that is not there is left to the call."""
    steps = load(broken="1 / 0\n", steps="def step():\n    import broken\n    import nowhere_at_all\n    return broken, nowhere_at_all\n")
    assert fingerprint(steps.step).not_followed == ("import of broken in steps.step: ZeroDivisionError: division by zero",)


def test_third_party_code_enters_by_the_version_of_its_distribution() -> None:
    """Also when the distribution has another name than its package, and when the code only names a function of it."""
    namespace: dict[str, Any] = {"__name__": "made_here"}
    text = "import numpy as np\nfrom sklearn.base import clone\ndef step(x):\n    return clone(np.asarray(x))\n"
    exec(text, namespace)
    from importlib.metadata import version

    found = fingerprint(namespace["step"])
    assert found.distributions == {"numpy": version("numpy"), "scikit-learn": version("scikit-learn")}


def test_the_standard_library_and_lineal_enter_by_nothing() -> None:
    """No version of theirs, no part, no remark."""

    def step(x: object) -> object:
        return json.dumps([x, operator.add(1, 2), as_step, Path, threading.Lock])

    found = fingerprint(step)
    assert found.distributions == {}
    assert found.not_followed == ()
    assert len(found.parts) == 1


def test_a_compiled_module_of_the_user_counts_by_its_bytes(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole file, for nothing in it can be told apart."""
    path = tmp_path / "fast.so"
    path.write_bytes(b"one")
    fast = types.ModuleType("fast")
    fast.__file__ = str(path)
    fast.work = operator.add  # type: ignore[attr-defined]  # set here
    monkeypatch.setitem(sys.modules, "fast", fast)
    steps = load(steps="import fast\ndef step(x):\n    return fast.work(x)\n")
    before = fresh(steps.step)
    assert before.parts["fast"].kind == "extension"
    path.write_bytes(b"other")
    assert fresh(steps.step).digest != before.digest


def test_a_step_of_lineal_counts_as_its_function(load: Load) -> None:
    """The object that @step gives has the fingerprint of what it wraps."""
    steps = load(steps="from lineal import step as as_step\ndef plain(x: int) -> int:\n    return x\nstep = as_step(name='a')(plain)\n")
    assert fingerprint(steps.step).digest == fingerprint(steps.plain).digest
    assert fingerprint(steps.step).source == "def plain(x: int) -> int:\n    return x\n"


def test_whatever_can_be_called_has_a_fingerprint(load: Load) -> None:
    """Partials, bound methods, objects, classes, builtins, lambdas: all different, all the same when asked again."""
    steps = load(
        steps="class A:\n    def __init__(self, n):\n        self.n = n\n    def run(self):\n        return self.n\n    def __call__(self):\n"
        "        return 1\n    __hash__ = None\n"
    )
    callables = [
        functools.partial(steps.A, 1),
        functools.partial(steps.A, 2),
        steps.A(1).run,
        steps.A(2).run,
        steps.A(1),
        steps.A,
        len,
        max,
        "".join,
        lambda: 1,
        lambda: 2,
    ]
    digests = [fingerprint(piece).digest for piece in callables]
    assert len(set(digests)) == len(callables)
    assert [fresh(piece).digest for piece in callables] == digests


def test_functions_made_in_a_loop_are_told_apart(load: Load) -> None:
    """Closures of the same name with different values count one by one, in their order."""
    text = "def make(n):\n    return lambda: n\nhelpers = [make(n) for n in {}]\ndef step():\n    return helpers\n"
    one = fingerprint(load(one=text.format((1, 2, 3))).step)
    assert sorted(p.shown for p in one.parts.values() if p.kind == "closure") == ["1", "2", "3"]
    two = fingerprint(load(two=text.format((1, 3, 2)).replace("two", "one")).step)
    assert [p.digest for p in one.parts.values() if p.kind == "closure"] != [p.digest for p in two.parts.values() if p.kind == "closure"]


def test_parts_do_not_depend_on_where_the_walk_begins(load: Load) -> None:
    """In a cycle each part has one digest, whichever function is asked; the fingerprints differ."""
    steps = load(steps="RATE = 1\ndef a(x):\n    return b(x) + RATE\ndef b(x):\n    return a(x)\n")
    a, b = fingerprint(steps.a), fingerprint(steps.b)
    assert a.parts == b.parts
    assert a.digest != b.digest


def test_long_chains_and_deep_trees_need_no_deep_stack(load: Load) -> None:
    """1,500 functions that call each other, 600 branches of an `elif`, and a sum of 900 terms."""
    chain = "".join(f"def f{n}(x):\n    return f{n + 1}(x)\n" for n in range(1500)) + "def f1500(x):\n    return x\n"
    branches = "def g(x):\n    if x == 0:\n        pass\n" + "".join(f"    elif x == {n}:\n        return {n}\n" for n in range(600))
    steps = load(steps=f"{chain}{branches}def step(x):\n    return f0(x), g(x), {'+'.join('1' for _ in range(900))}\n")
    assert len(fingerprint(steps.step).parts) == 1503


def test_a_function_without_source_counts_by_its_compiled_code() -> None:
    """Its names are followed all the same, and it is said."""

    def made(text: str, rate: int) -> Fingerprint:
        namespace: dict[str, Any] = {"RATE": rate}
        exec(text, namespace)
        return fingerprint(namespace["step"])

    one = made("def step(x):\n    return x * RATE", 1)
    assert "its compiled code counts" in one.not_followed[0]
    assert one.source == ""
    assert one.digest == made("\n\ndef step(x):\n    # a remark\n    return x * RATE", 1).digest
    assert one.digest != made("def step(x):\n    return x / RATE", 1).digest
    assert one.digest != made("def step(x):\n    return x * RATE", 2).digest


def test_a_cell_of_a_notebook_has_its_source() -> None:
    """As IPython leaves it: in linecache, under a name that is no file."""
    text, name = "def step(x):\n    '''Explain.'''\n    return x\n", "<ipython-input-7-abc>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), namespace)
    found = fingerprint(namespace["step"])
    assert found.source == text
    assert found.not_followed == ()


def test_many_threads_get_the_same_answer(load: Load) -> None:
    """Fingerprints are taken while other steps run."""
    live = load(live=LIVE)
    with ThreadPoolExecutor(8) as pool:
        assert len({f.digest for f in pool.map(lambda _: fresh(live.step), range(40))}) == 1


def test_a_fingerprint_comes_back_from_json(load: Load) -> None:
    """What is stored is all there is, but for the source, which is stored beside it."""
    found = fingerprint(load(live=LIVE).step)
    assert Fingerprint.from_json(json.loads(json.dumps(found.to_json())), found.source) == found


# What the fingerprint costs


def test_a_folder_keeps_what_was_read_for_later_processes(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder nothing is parsed again, and the answer is the same; damaged files are not believed."""
    live = load(live=LIVE)
    plain = fresh(live.step)
    folder = tmp_path / "cache"
    monkeypatch.setattr("lineal.engine.code.disk.is_quiet", lambda stamp, now: True)

    def again() -> Fingerprint:
        for memory in ("_sources", "_found"):
            monkeypatch.setattr(f"lineal.engine.code.sources.{memory}", {})
        monkeypatch.setattr("lineal.engine.code.disk.known", disk.Known(folder))
        return fresh(live.step)

    assert again().digest == plain.digest
    [kept] = folder.iterdir()
    with monkeypatch.context() as without_parser:
        without_parser.setattr("lineal.engine.code.sources._parsed", None)
        assert again() == plain
    whole = kept.read_bytes()
    for damaged in (b"", whole[:-1], whole[: len(whole) // 2], whole.replace(b"function", b"functiom", 1), b"\xff" * 100):
        kept.write_bytes(damaged)
        assert again() == plain
        assert kept.read_bytes() == whole
    kept.unlink()
    kept.mkdir()
    assert again() == plain


def test_files_that_did_not_change_are_not_opened_by_later_processes(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But asked about; one that changed is read, and only that one."""
    load(rates="def rate():\n    return 1\n")
    steps = load(steps="import rates\ndef step(x):\n    return rates.rate() * x\n")
    opened: list[str] = []

    def text_of(path: str) -> str | None:
        opened.append(Path(path).name)
        return Path(path).read_text(encoding="utf-8")

    def again() -> Fingerprint:
        opened.clear()
        for memory in ("_sources", "_found"):
            monkeypatch.setattr(f"lineal.engine.code.sources.{memory}", {})
        monkeypatch.setattr("lineal.engine.code.disk.known", disk.Known(tmp_path / "cache"))
        return fresh(steps.step)

    monkeypatch.setattr("lineal.engine.code.disk.is_quiet", lambda stamp, now: True)
    monkeypatch.setattr("lineal.engine.code.sources._text_of", text_of)
    first = again()
    assert sorted(opened) == ["rates.py", "steps.py", "steps.py"]
    assert again() == first
    assert opened == ["steps.py"]  # for the text of the function itself, which is stored with each run
    (tmp_path / "rates.py").write_text("# moved\ndef rate():\n    return 1\n", encoding="utf-8")
    assert again().digest == first.digest
    assert sorted(opened) == ["rates.py", "steps.py"]


def test_a_folder_that_cannot_be_used_is_no_error(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache only ever saves time."""
    live = load(live=LIVE)
    plain = fresh(live.step)
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setattr("lineal.engine.code.disk.known", disk.known)  # put back afterwards
    set_cache_folder(tmp_path / "file" / "cache")
    monkeypatch.setattr("lineal.engine.code.sources._sources", {})
    monkeypatch.setattr("lineal.engine.code.sources._found", {})
    assert fresh(live.step) == plain


def test_importing_it_loads_nothing_heavy() -> None:
    """A fingerprint must not cost the import of a library."""
    text = "import sys; import lineal.engine.fingerprint; print([m for m in ('numpy', 'pandas', 'pydantic', 'importlib.metadata') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# What changed, in words


def stored(load: Load, **files: str) -> dict[str, Any]:
    """Give the stored fingerprint of a project's step, and forget the project."""
    found = fingerprint(load(**files).step).to_json()
    for name in files:
        del sys.modules[name]
    for memory in (module_under_test._known,):
        memory.clear()
    return found


def test_changes_are_told_in_sentences(load: Load) -> None:
    """Changed, new and gone parts by name and place; values with what they were."""
    old = stored(
        load,
        conf="RATE = 0.1\nNAMES = ['a']\n",
        prep="import conf\ndef clean(x):\n    return x * conf.RATE, conf.NAMES\ndef gone():\n    return 1\n",
        steps="from prep import clean, gone\ndef step(x, n=1):\n    return clean(x), gone()\n",
    )
    new = stored(
        load,
        conf="RATE = 0.25\nNAMES = ['a', 'b']\n",
        prep="import conf\n\ndef clean(x):\n    y = x\n    return y * conf.RATE, conf.NAMES\ndef fresh_one():\n    return 1\n",
        steps="from prep import clean, fresh_one\ndef step(x, n=1000):\n    return clean(x), fresh_one()\n",
    )
    assert explain_change(old, new) == [
        "constant `NAMES` in `conf.py` changed ['a'] -> ['a', 'b']",
        "constant `RATE` in `conf.py` changed 0.1 -> 0.25",
        "helper `clean` in `prep.py` changed (lines 3-5)",
        "helper `fresh_one` in `prep.py` is new",
        "helper `gone` in `prep.py` is no longer used",
        "step `step` in `steps.py` changed (lines 2-3)",
        "default `step(n)` in `steps.py` changed 1 -> 1000",
    ]


def test_versions_are_told_in_sentences(load: Load) -> None:
    """Distributions that changed, came and went, and Python's own version."""
    base = stored(load, steps="def step(x):\n    return x\n")
    old = base | {"distributions": {"pandas": "2.2", "old": "1"}, "python": "3.11"}
    new = base | {"distributions": {"pandas": "3.0", "new": "1"}, "python": "3.12"}
    assert explain_change(old, new) == ["Python 3.11 -> 3.12", "new 1 is used now", "old 1 is no longer used", "pandas 2.2 -> 3.0"]
    assert explain_change(base, base) == []


def test_the_digest_covers_versions_and_the_code_digest_does_not() -> None:
    """A policy can leave the versions of others out."""

    def step(x: object) -> object:
        return x

    found = fingerprint(step)
    parts, source = found.parts, found.source
    other = Fingerprint.build("a", parts, {"pandas": "3.0"}, (), source, "3.11")
    same = Fingerprint.build("a", parts, {"pandas": "2.2"}, (), source, "3.11")
    assert other.code == same.code
    assert len({f.digest for f in (other, same, Fingerprint.build("a", parts, {"pandas": "2.2"}, (), source, "3.12"))}) == 3
    assert replace(other, not_followed=("x",)).digest == other.digest


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    """It is held back while code is followed, also when that fails, and never switched on for who had it off."""

    class Refuses:
        def __reduce_ex__(self, protocol: int) -> Any:
            raise KeyboardInterrupt

    thing = Refuses()

    def step() -> Any:
        return thing

    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        fingerprint(lambda: 1)
        assert gc.isenabled() is enabled
        with pytest.raises(KeyboardInterrupt):
            fingerprint(step)
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()
