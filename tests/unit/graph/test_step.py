"""Steps as data: what is missing, and how options are joined."""

import copy
import pickle

from lineal.graph.step import MISSING, ArtifactConfig, InputSpec, Options, OutputSpec, Retry, Signature, StepSpec


def test_missing_is_one_thing_everywhere() -> None:
    """Copied, and sent to another process, it is still the same object, so `is` works."""
    assert copy.copy(MISSING) is MISSING
    assert copy.deepcopy([MISSING])[0] is MISSING
    assert pickle.loads(pickle.dumps((MISSING,)))[0] is MISSING
    assert repr(MISSING) == "MISSING"


def test_the_nearer_option_wins() -> None:
    """What is said counts, also when it is false or zero; what is not said comes from the weaker."""
    near = Options(enable_cache=False, retry=Retry(0), tags=[])
    far = Options(name="far", enable_cache=True, retry=Retry(3), tags=["a"])
    assert near.over(far) == Options(name="far", enable_cache=False, retry=Retry(0), tags=[])
    assert far.over(near) == far


def test_saying_nothing_changes_nothing() -> None:
    """Empty options are neutral on either side."""
    some = Options(name="x", substitutions={"a": "1"}, extra={"k": 1})
    assert Options().over(some) == some == some.over(Options())


def test_substitutions_are_merged_by_key() -> None:
    """The step's value wins, the pipeline's others stay, and neither mapping is changed."""
    step, pipeline = {"a": "step", "b": "step"}, {"a": "pipeline", "c": "pipeline"}
    joined = Options(substitutions=step).over(Options(substitutions=pipeline))
    assert joined.substitutions == {"a": "step", "b": "step", "c": "pipeline"}
    assert (step, pipeline) == ({"a": "step", "b": "step"}, {"a": "pipeline", "c": "pipeline"})
    assert Options(substitutions={}).over(Options(substitutions=pipeline)).substitutions in ({}, pipeline)


def test_joining_is_associative() -> None:
    """Call over step over pipeline over run: it does not matter which two are joined first."""
    a, b, c = (
        Options(name="a", substitutions={"x": "a"}),
        Options(retry=Retry(2), substitutions={"x": "b", "y": "b"}),
        Options(enable_cache=True),
    )
    assert a.over(b).over(c) == a.over(b.over(c))


def test_a_signature_knows_its_arguments() -> None:
    """What a call needs is worked out once."""
    signature = Signature((InputSpec("a"), InputSpec("b", int, 2), InputSpec("c", keyword_only=True)), (OutputSpec("output"),))
    assert signature.positional == ("a", "b")
    assert signature.required == ("a", "c")
    assert signature.blank == {"a": MISSING, "b": 2, "c": MISSING}


def test_a_step_can_travel() -> None:
    """A worker process gets all of it, and finds that what was missing is missing."""
    spec = StepSpec(
        "s", len, Signature((InputSpec("a"),), (OutputSpec("o", int, ArtifactConfig(name="o", tags=["x"])),)), Options(tags=["t"])
    )
    back = pickle.loads(pickle.dumps(spec))
    assert (back.name, back.function, back.signature, back.options) == (spec.name, spec.function, spec.signature, spec.options)
    assert back.signature.blank == {"a": MISSING}
    assert back != spec, "steps are compared by identity"
