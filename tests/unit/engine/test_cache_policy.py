"""What a cache policy makes of a second run: hit or miss, and what `why` says of it."""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

from lineal import CachePolicy, Client, pipeline, step
from lineal.engine.dependencies import digest_of_path, has_expired
from lineal.errors import CallError, DefinitionError, UsageError
from lineal.settings import Settings

RATE = 2


def double(value: int) -> int:
    return value * RATE


class Counter:
    """Counts without entering the fingerprint of what counts: the count lies in a file."""

    path = Path("calls.txt")


def note(name: str) -> None:
    with Path("calls.txt").open("a", encoding="utf-8") as file:
        print(name, file=file)


def calls() -> list[str]:
    path = Path("calls.txt")
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def runner(policy: CachePolicy | None, **options: Any) -> Callable[..., Any]:
    """Give a pipeline of one step under a policy; it gives the step run."""

    @step(cache_policy=policy, **options)
    def work(a: int = 1, b: int = 1) -> int:
        return a + b

    @pipeline
    def flow(a: int = 1, b: int = 1) -> None:
        work(a, b)

    return lambda *args: flow(*args).steps["work"]


def test_the_default_policy_gives_the_same_key_as_none() -> None:
    assert runner(CachePolicy())().cache_key == runner(None)().cache_key


# -- what counts


def test_an_ignored_input_makes_no_difference() -> None:
    run = runner(CachePolicy(ignored_inputs=["b"]))
    assert run(1, 1).status == "completed"
    again = run(1, 2)
    assert again.status == "cached"
    assert again.output.load() == 2
    assert run(2, 2).why[0] == "ran: parameter `a` 1 -> 2"


def test_parameters_that_do_not_count_make_no_difference() -> None:
    run = runner(CachePolicy(include_step_parameters=False))
    run(1, 1)
    assert run(5, 7).status == "cached"


def test_a_parameter_inside_a_list_with_artifacts_counts_as_the_others_do() -> None:
    @step
    def one() -> int:
        return 1

    @step
    def total(parts: list[int]) -> int:
        return sum(parts)

    @pipeline
    def flow(n: int, counts: bool) -> None:
        policy = CachePolicy(include_step_parameters=counts)
        total.with_options(cache_policy=policy)([one(), n])

    assert [flow(n, True).steps["total"].status for n in (1, 2)] == ["completed", "completed"]
    assert [flow(n, False).steps["total"].status for n in (3, 4)] == ["completed", "cached"]


def test_a_step_whose_code_does_not_count_is_known_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def define(factor: int, name: str = "scale") -> Any:
        def scale(n: int) -> int:
            return n * factor

        return step(name=name, cache_policy=CachePolicy(include_step_code=False))(scale)

    def run(each: Any) -> Any:
        @pipeline
        def flow() -> None:
            each(3)

        return next(iter(flow().steps.values()))

    assert run(define(2)).output.load() == 6
    assert run(define(5)).output.load() == 6
    assert run(define(5, "rescale")).output.load() == 15


def test_versions_of_packages_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from lineal.engine import fingerprint
    from lineal.engine.code import walk

    monkeypatch.setattr(walk, "distributions_of", lambda top, module: (("numpy", version),))

    @step
    def work(n: int) -> int:
        return int(np.array([n]).sum())

    def run(policy: CachePolicy) -> Any:
        fingerprint._known.clear()  # as in another process

        @pipeline
        def flow() -> None:
            work.with_options(cache_policy=policy)(1)

        return flow().steps["work"]

    found = []
    for version in ("1.0", "2.0"):  # noqa: B007 - read by the function above
        found.append([run(CachePolicy(include_package_versions=counts)).status for counts in (True, False)])
    assert found == [["completed", "completed"], ["completed", "cached"]]
    assert "numpy 1.0 -> 2.0" in Client().list_pipeline_runs()[1].steps["work"].why[0]


def test_ids_of_versions_count_when_they_should_and_contents_when_they_should() -> None:
    @step(enable_cache=False)
    def source(n: int) -> Annotated[int, "source"]:
        return n

    @step
    def use(data: int) -> int:
        return data

    @pipeline
    def flow(n: int, policy: CachePolicy | None = None) -> None:
        use.with_options(cache_policy=policy)(source(n))

    @pipeline
    def of(n: int, kind: str) -> None:
        policies = {
            "content": None,
            "ids": CachePolicy(include_artifact_ids=True),
            "only ids": CachePolicy(include_artifact_ids=True, include_artifact_values=False),
            "neither": CachePolicy(include_artifact_values=False),
        }
        use.with_options(cache_policy=policies[kind])(source(n))

    found = {kind: [of(n, kind).steps["use"].status for n in (1, 1, 2)] for kind in ("content", "ids", "only ids", "neither")}
    assert found == {
        "content": ["completed", "cached", "completed"],
        "ids": ["completed", "completed", "completed"],
        "only ids": ["completed", "completed", "completed"],
        "neither": ["completed", "cached", "cached"],
    }


# -- files


def test_a_declared_file_counts_by_its_content() -> None:
    Path("data.csv").write_text("1")
    run = runner(CachePolicy(file_dependencies=["data.csv"]))
    assert [run().status, run().status] == ["completed", "cached"]
    Path("data.csv").write_text("2")
    changed = run()
    assert changed.status == "completed"
    assert changed.why[0].startswith("ran: file `data.csv` changed")
    Path("data.csv").write_text("1")
    assert run().status == "cached"


def test_a_file_that_was_only_touched_or_moved_counts_as_the_same() -> None:
    Path("data.csv").write_text("1")
    runner(CachePolicy(file_dependencies=["data.csv"]))()
    Path("data.csv").touch()
    assert runner(CachePolicy(file_dependencies=["data.csv"]))().status == "cached"
    Path("moved").mkdir()
    Path("data.csv").rename("moved/data.csv")
    assert runner(CachePolicy(file_dependencies=[Path("moved/data.csv").absolute()]))().status == "cached"


def test_two_files_that_swap_their_contents_have_changed() -> None:
    Path("a").write_text("1")
    Path("b").write_text("2")
    run = runner(CachePolicy(file_dependencies=["a", "b"]))
    run()
    Path("a").write_text("2")
    Path("b").write_text("1")
    assert run().status == "completed"


def test_a_declared_folder_counts_with_all_its_files() -> None:
    Path("data/deep").mkdir(parents=True)
    Path("data/deep/a.txt").write_text("1")
    run = runner(CachePolicy(file_dependencies=["data"]))
    assert [run().status, run().status] == ["completed", "cached"]
    Path("data/deep/b.txt").write_text("")
    assert run().status == "completed"
    Path("data/deep/b.txt").rename("data/deep/c.txt")
    assert run().status == "completed"


def test_a_file_that_is_not_there_is_an_error_before_anything_runs() -> None:
    @step
    def first() -> int:
        note("first")
        return 1

    @step(cache_policy=CachePolicy(file_dependencies=["absent.csv"]))
    def second(n: int) -> int:
        return n

    @pipeline
    def flow() -> None:
        second(first())

    with pytest.raises(CallError, match=r"step 'second' of pipeline 'flow' declares 'absent.csv' in file_dependencies"):
        flow()
    assert calls() == []
    assert Client().list_pipeline_runs().total == 0


def test_a_file_that_vanishes_while_the_pipeline_runs_fails_its_step_alone() -> None:
    Path("data.csv").write_text("1")

    @step
    def remove() -> int:
        Path("data.csv").unlink()
        return 1

    @step(cache_policy=CachePolicy(file_dependencies=["data.csv"]))
    def read(n: int) -> int:
        return n

    @step
    def other(n: int) -> int:
        return n

    @pipeline
    def flow() -> None:
        n = remove()
        read(n)
        other(n)

    with pytest.raises(CallError, match=r"data\.csv"):
        flow()
    steps = Client().get_pipeline_run("latest").steps
    assert {name: each.status for name, each in steps.items()} == {"remove": "completed", "read": "failed", "other": "completed"}
    assert "no such file" in steps["read"].error


def test_a_change_within_the_clock_tick_of_the_file_system_is_seen(tmp_path: Path) -> None:
    """A file of the same size and times, as a quick second write leaves it, is read again."""
    import os

    path = tmp_path / "data"
    path.write_text("one")
    first, times = digest_of_path(str(path), "step"), path.stat()
    path.write_text("two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert digest_of_path(str(path), "step") != first


def test_what_is_neither_file_nor_folder_cannot_be_declared(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CallError, match="neither a file nor a folder"):
        digest_of_path(str(tmp_path / "pipe"), "step")


# -- code


def test_declared_code_counts_by_itself_or_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("prep.py").write_text("LIMIT = 1\ndef clean(x):\n    return x > LIMIT\n")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    import prep  # type: ignore[import-not-found]

    for source in (prep, prep.clean, "prep", "prep.clean"):
        run = runner(CachePolicy(source_dependencies=[source]))
        assert run().status == "completed" or source == "prep", source
        monkeypatch.setattr(prep, "LIMIT", prep.LIMIT + 1)
        changed = run()
        assert changed.status == "completed", source
        assert changed.why[0].startswith("ran: declared code `prep")
    del sys.modules["prep"]  # not by monkeypatch, which would put it back for the tests that follow


def test_declared_code_that_is_not_there_is_named() -> None:
    for name, words in (("nowhere.at.all", "no module of that name"), ("json.nothing", "there is no 'nothing' in it")):
        with pytest.raises(CallError, match=words):
            runner(CachePolicy(source_dependencies=[name]))()


# -- environment


def test_a_declared_variable_counts_and_its_value_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    run = runner(CachePolicy(environment=["MODE"]))
    found = []
    for value in (None, "", "a-secret-value", "a-secret-value"):
        monkeypatch.setenv("MODE", value) if value is not None else monkeypatch.delenv("MODE", raising=False)
        found.append(run())
    assert [each.status for each in found] == ["completed", "completed", "completed", "cached"]
    assert found[2].why[0].startswith("ran: environment variable `MODE` changed")
    assert b"a-secret-value" not in b"".join(path.read_bytes() for path in Settings.load().home.glob("lineal.db*"))


def test_workers_see_the_declared_variables_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process was started with the environment of then; what runs there is what the key says."""
    monkeypatch.setenv("LINEAL_ORCHESTRATOR", "processes")

    @step(cache_policy=CachePolicy(environment=["MODE"]))
    def work() -> str | None:
        import os

        return os.environ.get("MODE")

    @pipeline
    def flow() -> None:
        work()

    found = []
    for value in ("one", "two", None):
        monkeypatch.setenv("MODE", value) if value is not None else monkeypatch.delenv("MODE")
        found.append(flow().steps["work"].output.load())
    assert found == ["one", "two", None]


# -- a function of the user's


def test_what_cache_func_gives_counts() -> None:
    tag = {"etag": "one"}
    run = runner(CachePolicy(cache_func=lambda: Path("etag").read_text()))
    found = []
    for value in ("one", "one", "two"):
        Path("etag").write_text(value)
        found.append(run())
    assert [each.status for each in found] == ["completed", "cached", "completed"]
    assert found[2].why[0].startswith("ran: what cache_func gives changed: 'one' -> 'two'")
    assert tag


def test_a_cache_func_gets_the_inputs_that_it_names() -> None:
    run = runner(CachePolicy(ignored_inputs=["a", "b"], cache_func=lambda a: a % 10))
    assert [run(1, 1).status, run(11, 2).status, run(12, 2).status] == ["completed", "cached", "completed"]


def test_a_cache_func_gets_artifacts_loaded() -> None:
    @step(enable_cache=False)
    def source(n: int) -> list[int]:
        return [n, n + 1]

    @step(cache_policy=CachePolicy(include_artifact_values=False, cache_func=lambda data: len(data)))
    def count(data: list[int]) -> int:
        return len(data)

    @pipeline
    def flow(n: int) -> None:
        count(source(n))

    assert [flow(n).steps["count"].status for n in (1, 2)] == ["completed", "cached"]


def test_the_code_of_cache_func_counts() -> None:
    assert runner(CachePolicy(cache_func=lambda: 1))().status == "completed"
    changed = runner(CachePolicy(cache_func=lambda: 3 - 2))()
    assert changed.status == "completed"
    assert changed.why[0].startswith("ran: the code of cache_func changed")


def test_an_error_of_cache_func_is_that_of_its_step() -> None:
    def broken() -> str:
        raise ZeroDivisionError("no tag")

    with pytest.raises(ZeroDivisionError) as caught:
        runner(CachePolicy(cache_func=broken))()
    assert "in the cache_func of step 'work'" in caught.value.__notes__[0]
    assert Client().get_pipeline_run("latest").steps["work"].status == "failed"


def test_a_cache_func_must_give_a_plain_value() -> None:
    with pytest.raises(UsageError, match="cache_func of step 'work' must give a plain value"):
        runner(CachePolicy(cache_func=object))()


def test_a_pipelines_cache_func_that_needs_an_input_fails_the_steps_without_it() -> None:
    @step
    def work(a: int) -> int:
        return a

    @pipeline(cache_policy=CachePolicy(cache_func=lambda url: url))
    def flow() -> None:
        work(1)

    with pytest.raises(DefinitionError, match="'url'"):
        flow()


# -- expiry


def test_a_result_that_is_too_old_is_made_again_and_is_then_fresh() -> None:
    run = runner(CachePolicy(expires_after=timedelta(seconds=0.3)))
    assert [run().status, run().status] == ["completed", "cached"]
    time.sleep(0.35)
    expired = run()
    assert expired.status == "completed"
    assert "older than the cache policy allows (expires_after: 300 ms)" in expired.why[0]
    assert run().status == "cached"


def test_a_result_given_again_does_not_become_younger() -> None:
    """Age is counted from when the step really ran."""
    run = runner(CachePolicy(expires_after=0.4))
    run()
    time.sleep(0.25)
    assert run().status == "cached"
    time.sleep(0.25)
    assert run().status == "completed"


def test_how_long_a_result_lasts_does_not_make_it_another_one() -> None:
    assert runner(CachePolicy(expires_after=60))().cache_key == runner(None)().cache_key


def test_a_result_from_the_future_has_expired() -> None:
    """After a clock was set back nobody knows the age; a little skew between machines is borne."""
    policy, now = CachePolicy(expires_after=100), 1_000_000_000_000_000
    assert not has_expired(policy, now + 30_000_000, now)
    assert has_expired(policy, now + 86_400_000_000, now)
    assert not has_expired(CachePolicy(), now + 86_400_000_000, now)


# -- who decides


def test_the_call_beats_the_decorator_and_the_run_beats_all() -> None:
    def ignoring(*names: str) -> CachePolicy:
        return CachePolicy(ignored_inputs=names)

    @step
    def plain(a: int, b: int, c: int) -> int:
        return a

    @step(cache_policy=ignoring("b"))
    def decorated(a: int, b: int, c: int) -> int:
        return a

    @pipeline(cache_policy=ignoring("a"))
    def flow() -> None:
        plain(1, 2, 3)
        decorated(1, 2, 3)
        decorated.with_options(cache_policy=ignoring("c"))(1, 2, 3)

    def ignored(run: Any) -> list[Any]:
        return [each.record.ingredients["policy"]["ignored_inputs"] for each in run.steps.values()]

    assert ignored(flow()) == [["a"], ["b"], ["c"]]
    assert ignored(flow.with_options(cache_policy=ignoring("a", "b", "c"))()) == [["a", "b", "c"]] * 3


def test_a_step_without_outputs_is_cached_only_when_asked() -> None:
    def quiet(n: int) -> None:
        note("quiet")

    @pipeline
    def flow(cached: bool) -> None:
        step(quiet).with_options(enable_cache=True if cached else None)(1)

    assert [flow(False).steps["quiet"].status for _ in range(2)] == ["completed", "completed"]
    assert [flow(True).steps["quiet"].status for _ in range(2)] == ["cached", "cached"]
    assert calls() == ["quiet", "quiet"]
