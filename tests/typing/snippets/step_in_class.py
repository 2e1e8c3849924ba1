"""A step in a class body is called without the instance, from the class and from an instance."""

from typing import reveal_type

from lineal import step


class Steps:
    @staticmethod
    @step
    def static(a: int) -> str:
        return str(a)

    @step
    def plain(a: int) -> str:
        return str(a)


reveal_type(Steps.static(1))  # revealed: str
reveal_type(Steps().static(1))  # revealed: str
reveal_type(Steps.plain(1))  # revealed: str
Steps.static("no")  # error: arg-type
