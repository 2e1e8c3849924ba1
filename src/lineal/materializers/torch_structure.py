"""A tree of torch modules as typed JSON: for each module its class and its attributes, in which tensors and modules are numbers.

No code is stored. A class is found among those of the reader's annotation or of the process; an instance is made bare and given its
attributes, as unpickling does, by the module's own `__setstate__`. What JSON cannot hold (a lambda, a hook, a lock) is declined.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch

from lineal.errors import MaterializerError, NoMaterializer, NotPlain
from lineal.materializers import torch_tensors
from lineal.materializers.classes import class_name, find_subclass
from lineal.model import values
from lineal.model.records import Json

_Module: Final = torch.nn.Module
_FUNCTIONS: Final = {"torch.nn.functional": torch.nn.functional, "torch": torch}


def is_plain_module(cls: type) -> bool:
    """Tell whether instances of a class are taken apart and made as any Python object: no scripted module, no graph that is code."""
    if not issubclass(cls, _Module) or issubclass(cls, torch.jit.ScriptModule):
        return False
    return all(getattr(cls, name) is getattr(object, name) for name in ("__reduce__", "__reduce_ex__"))


def names_of(module: Any) -> dict[int, str]:
    """Give the names of a module's parameters and buffers by the identity of the tensor; the first name of one that has several."""
    found: dict[int, str] = {}
    for named in (module.named_parameters(remove_duplicate=False), module.named_buffers(remove_duplicate=False)):
        for name, value in named:
            found.setdefault(id(value), name)
    return found


class Tensors:
    """Numbers the tensors of a module, with the names that they have in it."""

    def __init__(self, module: Any) -> None:
        self._names = names_of(module)
        self._numbers: dict[int, int] = {}
        self.named: list[tuple[str, Any]] = []

    def number(self, value: Any) -> int:
        """Give the number of a tensor; one that is no parameter or buffer is named by its number."""
        if id(value) not in self._numbers:
            n = self._numbers[id(value)] = len(self.named)
            # No name of a parameter begins with a dot.
            self.named.append((self._names.get(id(value), f".{n}"), value))
        return self._numbers[id(value)]

    def state_dict(self, module: Any) -> dict[str, Json]:
        """Give the numbers of what is in the module's state dict, by name."""
        state = module.state_dict(keep_vars=True)
        return {name: self._numbers[id(value)] for name, value in state.items() if id(value) in self._numbers}


def write(module: Any) -> tuple[dict[str, Json], list[tuple[str, Any]]]:
    """Give the structure of a module, and its tensors with their names. Raises NoMaterializer, with the path, for what JSON cannot hold."""
    return _Writer(module).run()


def read(structure: Mapping[str, Any], tensors: Sequence[Any], annotation: Any) -> Any:
    """Give the module of a structure. Raises MaterializerError when a class is not to be found in this process."""
    nodes = structure["modules"]
    classes = {name: _class(name, annotation) for name in {node["class"] for node in nodes}}
    modules: list[Any] = [object.__new__(classes[node["class"]]) for node in nodes]

    def foreign(node: Mapping[str, Json]) -> Any:
        [kind] = node.keys() - {"$type"}
        return _READERS[kind](node[kind], modules, tensors)

    # Parts before the whole, as far as they do not refer to each other.
    for module, node in reversed([*zip(modules, nodes, strict=True)]):
        module.__setstate__(values.from_json(node["state"], annotation, foreign=foreign))
    return modules[0]


def _class(name: str, annotation: Any) -> type:
    cls = find_subclass(name, _Module, annotation)
    if not is_plain_module(cls):
        raise MaterializerError(f"{name} makes its instances in its own way now; load the module with the class as it was")
    return cls


class _Writer:
    def __init__(self, module: Any) -> None:
        self._root = module
        self._tensors = Tensors(module)
        self._numbers: dict[int, int] = {}
        self._modules: list[Any] = []

    def run(self) -> tuple[dict[str, Json], list[tuple[str, Any]]]:
        self._number(self._root)
        nodes: list[Json] = [self._node(module) for module in self._modules]  # which grows meanwhile
        return {"modules": nodes, "state_dict": self._tensors.state_dict(self._root)}, self._tensors.named

    def _number(self, module: Any) -> int:
        if id(module) not in self._numbers:
            self._numbers[id(module)] = len(self._modules)
            self._modules.append(module)
        return self._numbers[id(module)]

    def _node(self, module: Any) -> Json:
        cls = type(module)
        if not is_plain_module(cls):
            raise NoMaterializer(f"{class_name(cls)} has a form of its own that JSON cannot hold")
        try:
            state = module.__getstate__()
        except Exception as error:  # a parametrized module refuses by a RuntimeError
            raise NoMaterializer(f"{class_name(cls)} does not give its state: {error}") from error
        if type(state) is not dict:
            raise NoMaterializer(f"the state of {class_name(cls)} is no dictionary of attributes")
        try:
            return {"class": class_name(cls), "state": values.to_json(state, name=cls.__qualname__, foreign=self._foreign)}
        except NotPlain as error:
            raise NoMaterializer(str(error)) from error

    def _foreign(self, value: Any, path: Callable[[], str], *, last: bool) -> Json | None:
        if isinstance(value, torch.Tensor):
            return _item("tensor", self._tensors.number(value)) if torch_tensors.is_storable(value) else None
        if isinstance(value, _Module):
            return _item("module", self._number(value))
        return plain_node(value)


def plain_node(value: Any) -> Json | None:
    """Give the node of a dtype, device, size, function of torch or class of a module; None for anything else."""
    if isinstance(value, torch.dtype | torch.device):
        return _item(type(value).__name__, str(value).removeprefix("torch."))
    if type(value) is torch.Size:
        return _item("Size", list(value))
    if isinstance(value, types.FunctionType | types.BuiltinFunctionType):
        for module in _FUNCTIONS:
            if _function(f"{module}:{value.__name__}") is value:
                return _item("function", f"{module}:{value.__name__}")
    return None


def plain_value(node: Mapping[str, Json]) -> Any:
    """Give the value of a node that `plain_node` gave."""
    [kind] = node.keys() - {"$type"}
    return _READERS[kind](node[kind], (), ())


def _item(kind: str, value: Json) -> Json:
    return {"$type": "item", kind: value}


def _function(name: str) -> Any:
    """Give a function by its name if it is one that only computes: torch's own module also has those that load files."""
    module, _, attribute = name.partition(":")
    found = vars(_FUNCTIONS[module]).get(attribute) if module in _FUNCTIONS else None
    computes = types.BuiltinFunctionType if module == "torch" else types.FunctionType | types.BuiltinFunctionType
    return found if isinstance(found, computes) else None


def _read_function(name: str) -> Any:
    found = _function(name)
    if found is None:
        raise MaterializerError(f"{name} is no function that a stored module may name; it was not loaded")
    return found


def _read_dtype(name: str) -> Any:
    found = vars(torch).get(name)
    if not isinstance(found, torch.dtype):
        raise MaterializerError(f"this release of torch has no dtype {name!r}; load the value with the release that saved it")
    return found


_READERS: Final[Mapping[str, Callable[[Any, Sequence[Any], Sequence[Any]], Any]]] = {
    "tensor": lambda n, modules, tensors: tensors[n],
    "module": lambda n, modules, tensors: modules[n],
    "dtype": lambda name, modules, tensors: _read_dtype(name),
    "device": lambda name, modules, tensors: torch.device(name),
    "Size": lambda sizes, modules, tensors: torch.Size(sizes),
    "function": lambda name, modules, tensors: _read_function(name),
}
