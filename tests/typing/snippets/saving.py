"""A value from outside has its own type, and what is saved or registered is a version."""

from pathlib import Path
from typing import reveal_type

from lineal import ExternalArtifact, register_artifact, save_artifact, step


@step
def total(parts: list[int]) -> int:
    return sum(parts)


reveal_type(ExternalArtifact([1, 2]))  # revealed: list[int]
reveal_type(total(ExternalArtifact([1, 2])))  # revealed: int
total(ExternalArtifact("no"))  # error: arg-type
reveal_type(save_artifact([1], "numbers"))  # revealed: VersionView
save_artifact([1])  # error: call-arg
reveal_type(register_artifact(Path("images"), "images", mode="copy").path)  # revealed: Path
register_artifact("images", "images", mode="move")  # error: arg-type
