"""What a step call gives inside a pipeline body: handles on values that are not there yet."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from lineal.errors import HandleError
from lineal.graph.plan import Call, OutputRef


class Handle:
    """Stands for one output of a step call. Pass it to another step, or call `load()` to run what it needs and get the value.

    Anything that would need the value itself (iterating, indexing, comparing, `if`) raises HandleError.
    """

    __slots__ = ("_load", "ref")

    def __init__(self, ref: OutputRef, load: Callable[[OutputRef], Any]) -> None:
        self.ref = ref
        self._load = load

    def load(self) -> Any:
        """Run what this value needs, if it has not run yet, and give the value."""
        return self._load(self.ref)

    @property
    def call(self) -> Call:
        """The call that makes the value."""
        return self.ref.call

    def __repr__(self) -> str:
        return f"<handle on {self._name}>"

    @property
    def _name(self) -> str:
        return f"output {self.ref.output!r} of step {self.ref.call.name!r}"

    def _refuse(self, what: str) -> NoReturn:
        raise HandleError(
            f"{self._name} is not there yet, so it cannot be {what}: the pipeline's body plans steps before they run. "
            "Pass it to a step, or write .load() to run what it needs and get its value"
        )

    def __iter__(self) -> Iterator[Any]:
        if len(self.ref.call.step.signature.outputs) == 1:
            raise HandleError(
                f"{self._name} is one value, so it cannot be unpacked or iterated in the pipeline's body. For several outputs annotate "
                "the step with a tuple, such as -> tuple[int, str], and return a literal tuple; or write .load() to get the value"
            )
        self._refuse("iterated")

    def __getitem__(self, key: object) -> NoReturn:
        self._refuse("indexed")

    def __bool__(self) -> bool:
        self._refuse("used as a condition")

    def __len__(self) -> int:
        self._refuse("measured")

    def __contains__(self, item: object) -> bool:
        self._refuse("searched")

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        self._refuse("called")

    def __eq__(self, other: object) -> bool:
        self._refuse("compared")

    def __ne__(self, other: object) -> bool:
        self._refuse("compared")

    def __lt__(self, other: object) -> bool:
        self._refuse("compared")

    __le__ = __gt__ = __ge__ = __lt__

    def __add__(self, other: object) -> NoReturn:
        self._refuse("calculated with")

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__

    __hash__ = object.__hash__


class Handles(tuple[Handle, ...]):
    """The outputs of a step call with several outputs, or with none: unpack it, or use it in `after=`."""

    call: Call

    def __repr__(self) -> str:
        return f"<handles on step {self.call.name!r}: {', '.join(handle.ref.output for handle in self) or 'no outputs'}>"

    def load(self) -> tuple[Any, ...]:
        """Run what these values need, if it has not run yet, and give them."""
        return tuple(handle.load() for handle in self)


def holds_reference(value: Any, is_reference: Callable[[Any], bool]) -> bool:
    """Tell whether a list, tuple or dict holds a reference at any depth. No recursion; each container is looked at once."""
    stack, seen = [value], set()
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind in (list, tuple, dict, Handles):
            if id(item) not in seen:
                seen.add(id(item))
                stack.extend(item.values() if kind is dict else item)
        elif is_reference(item):
            return True
    return False
