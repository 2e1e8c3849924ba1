"""`@step` keeps the signature: what editors complete and type checkers check is the function's own."""

from typing import reveal_type

from lineal import step


@step
def train(a: int, b: str = "x", *, c: bool = False) -> float:
    return a * 0.5


reveal_type(train)  # revealed: lineal.pipelines.Step[[a: int, b: str =, *, c: bool =], float]
reveal_type(train(1))  # revealed: float
reveal_type(train(1, "y", c=True))  # revealed: float
reveal_type(train(a=1, b="y"))  # revealed: float
train("no")  # error: arg-type
train()  # error: call-arg
train(1, b=2)  # error: arg-type
train(1, "y", True)  # error: call-arg
train(1, d=3)  # error: call-arg
reveal_type(train.name)  # revealed: str
reveal_type(train.with_options(enable_cache=False))  # revealed: lineal.pipelines.Step[[a: int, b: str =, *, c: bool =], float]
reveal_type(train.with_options(name="other")(1))  # revealed: float
reveal_type(train.configure(enable_cache=False)(1))  # revealed: float
train.with_options(name="other")("no")  # error: arg-type
