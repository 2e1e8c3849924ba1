"""Pipelines that have run, to look at."""

from collections.abc import Callable
from typing import Annotated

import pytest

from lineal import Client, pipeline, step
from lineal.views import RunView


@step
def load(rows: int) -> Annotated[list[int], "numbers"]:
    print(f"loading {rows} rows")
    return list(range(rows))


@step
def train(data: list[int], rate: float) -> Annotated[dict[str, float], "model"]:
    return {"weight": sum(data) * rate}


@step
def evaluate(model: dict[str, float], data: list[int]) -> tuple[Annotated[float, "score"], Annotated[str, "note"]]:
    return model["weight"] / len(data), "fine"


@pipeline(name="training")
def training_pipeline(rows: int = 3, rate: float = 0.5) -> None:
    data = load(rows)
    evaluate(train(data, rate), data)


@step
def predict(model: dict[str, float], x: float) -> Annotated[float, "prediction"]:
    return model["weight"] * x


@pipeline
def inference(x: float = 2.0) -> None:
    predict(Client().get_artifact_version("model"), x)


@step
def fail(x: int) -> int:
    raise ValueError("no luck\nat all")


@step
def after(y: int) -> int:
    return y


@pipeline
def failing() -> None:
    after(fail(1))


@pytest.fixture
def training() -> Callable[..., RunView]:
    """Give the pipeline that trains."""
    return training_pipeline


@pytest.fixture
def run() -> RunView:
    """Give a run of the training."""
    return training_pipeline()


@pytest.fixture
def client(run: RunView) -> Client:
    """Give a client on a store with one training and one inference."""
    inference()
    return Client()


@pytest.fixture
def failed() -> RunView:
    """Give a run whose first step failed."""
    with pytest.raises(ValueError, match="no luck"):
        failing()
    return Client().list_pipeline_runs()[0]
