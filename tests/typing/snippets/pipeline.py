"""A pipeline keeps its parameters, and calling it gives the run."""

from typing import reveal_type

from lineal import pipeline, step


@step
def load(path: str) -> list[int]:
    return [len(path)]


@step
def train(data: list[int], rate: float) -> float:
    return rate


@pipeline
def training(path: str, rate: float = 0.1) -> None:
    model = train(load(path), rate)
    reveal_type(model)  # revealed: float
    train(load(path), "fast")  # error: arg-type
    train(model, rate)  # error: arg-type


@pipeline(name="nightly", enable_cache=False)
def nightly(path: str) -> None:
    training(path)


reveal_type(training)  # revealed: lineal.pipelines.Pipeline[[path: str, rate: float =]]
reveal_type(training.with_options(run_name="x"))  # revealed: lineal.pipelines.Pipeline[[path: str, rate: float =]]
reveal_type(training("a", rate=0.2))  # revealed: RunView
reveal_type(nightly("a"))  # revealed: RunView
reveal_type(nightly.with_options(enable_cache=True)("a"))  # revealed: RunView
training(1)  # error: arg-type
training()  # error: call-arg
training.with_options(run_name="x")("a", speed=1)  # error: call-arg
pipeline(nam="x")  # error: call-overload

run = training("a")
reveal_type(run.name)  # revealed: str
reveal_type(run.steps["train"].outputs["output"].load())  # revealed: Any
