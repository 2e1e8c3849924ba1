"""Classes that stored bytes name, found without importing anything: among those of the reader's annotation, else those of this process."""

from collections.abc import Iterator
from typing import Any

from lineal.errors import MaterializerError
from lineal.model.values_classes import class_name, classes_in

__all__ = ["class_name", "dotted", "find_subclass"]


def dotted(cls: type) -> str:
    """Give the name of a class as people write it: `package.module.Outer.Inner`."""
    return class_name(cls).replace(":", ".")


def find_subclass(name: str, base: type, annotation: Any) -> type:
    """Give the class recorded as `module:qualname`, which must be `base` or derive from it.

    A class of the annotation comes first, also one of the same name in another module: it may have moved. Of several in this process the one defined last counts, as when a notebook cell ran again. Raises
    MaterializerError when there is none.
    """
    hints = [cls for cls in classes_in(annotation).values() if issubclass(cls, base)]
    known = [base, *_subclasses(base)]
    path = name.partition(":")[2]
    for cls in (*hints, *reversed(known)):
        if name in (class_name(cls), f"{cls.__module__}:{cls.__qualname__}"):
            return cls
    for cls in hints:
        if cls.__qualname__ == path:
            return cls
    module = name.partition(":")[0]
    remedy = "" if module == "__main__" or "<locals>" in name else f"import {module} first, or "
    raise MaterializerError(
        f"the stored value is a {name.replace(':', '.')}, which is not loaded here: {remedy}name the class in the annotation of the "
        "step's input, or pass it to load"
    )


def _subclasses(base: type) -> Iterator[type]:
    derived: list[type] = type.__subclasses__(base)
    for cls in derived:
        yield cls
        yield from _subclasses(cls)
