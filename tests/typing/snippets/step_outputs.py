"""What a step gives has the type of the annotation, named or not, one or several."""

from typing import Annotated, TypeVar, reveal_type

from lineal import ArtifactConfig, step

T = TypeVar("T")


@step
def split(data: list[int]) -> tuple[Annotated[list[int], "train"], Annotated[list[int], ArtifactConfig(name="test", tags=["x"])], int]:
    return data, data, 1


@step
def named() -> Annotated[str, "word"]:
    return "a"


@step
def nothing() -> None: ...


@step
def same(value: T) -> T:
    return value


@step(enable_cache=True)
def untyped(value):  # error: no-untyped-def
    return value


train, test, count = split([1])
reveal_type(train)  # revealed: list[int]
reveal_type(count)  # revealed: int
reveal_type(named())  # revealed: str
reveal_type(same(1))  # revealed: int
reveal_type(untyped(1))  # revealed: Any
split(named())  # error: arg-type
nothing(1)  # error: call-arg
a, b = split([1])  # error: misc
ArtifactConfig(name=3)  # error: arg-type
ArtifactConfig(nme="x")  # error: call-arg
