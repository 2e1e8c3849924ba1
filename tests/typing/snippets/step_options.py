"""`@step(...)` keeps the signature too, and its own keywords are checked."""

from typing import reveal_type

from lineal import Retry, step


@step(name="x", enable_cache=False, tags=["daily"], retry=Retry(max_retries=2), substitutions={"region": "eu"})
def train(a: int, b: str = "x") -> float:
    return a * 0.5


reveal_type(train)  # revealed: lineal.pipelines.Step[[a: int, b: str =], float]
reveal_type(train(1))  # revealed: float
train("no")  # error: arg-type

step(nam="x")  # error: call-overload
step(name=3)  # error: call-overload
step(enable_cache="yes")  # error: call-overload
step("x")  # error: call-overload
