"""torch: tensors, state dicts and modules as safetensors, which no code is run to load.

A module is its tensors (`model.safetensors`) and its structure (`structure.json`): classes by name and plain attributes. A module that
has attributes which JSON cannot hold keeps its tensors in the same file and its structure as a pickle, by policy. Values come back on
the CPU; gradients and autograd graphs are not kept. Loading a module `as` a dict gives its state dict, without any class at hand.
"""

import io
import json
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cloudpickle
import torch

from lineal.errors import MaterializerError, NoMaterializer, NotPlain
from lineal.materializers import torch_structure, torch_tensors, torch_view
from lineal.materializers.array_summary import summary
from lineal.materializers.base import AnyMaterializer, BytesMaterializer, Materializer
from lineal.materializers.classes import dotted
from lineal.materializers.pickled import ENVIRONMENT, PROTOCOL, environment, unpickle, warn_pickled
from lineal.model import values
from lineal.model.records import Json
from lineal.model.visualization import Visualization

EXACT_LIMIT: Final = 1_000_000
"""Number of elements up to which statistics of a tensor are exact."""

_WEIGHTS: Final = "model.safetensors"
_STRUCTURE: Final = "structure.json"
_PICKLE: Final = "structure.pkl"


class TensorMaterializer(Materializer):
    """Saves a tensor or parameter, dense or sparse, as `data.safetensors`."""

    id = "torch.Tensor/1"
    types = (torch.Tensor,)
    together = "torch.state_dict/1"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a plain tensor: not quantized, nested, on the meta device or of a class of one's own."""
        return torch_tensors.is_storable(value)

    def save(self, value: Any, folder: Path) -> None:
        """Write the file."""
        torch_tensors.write(folder / "data.safetensors", [("tensor", value)])

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the tensor, on the CPU."""
        [(_, value)], _ = torch_tensors.read(folder / "data.safetensors")
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give shape, dtype, device, layout and statistics."""
        known: dict[str, Json] = {"shape": [*value.shape], "dtype": str(value.dtype).removeprefix("torch."), "device": str(value.device)}
        known |= {"requires_grad": value.requires_grad}
        if value.layout is not torch.strided:
            return {**known, "layout": str(value.layout).removeprefix("torch."), "nnz": value._nnz()}  # noqa: SLF001  # as torch prints it
        return {**known, "nbytes": value.numel() * value.element_size(), **_statistics(value.detach())}

    def visualize(self, value: Any) -> Iterator[Visualization]:
        """Give it as an array."""
        return torch_view.show_tensor(value, self.metadata(value))


class StateDictMaterializer(Materializer):
    """Saves a dict of tensors, such as a state dict, as `model.safetensors`; the order of its keys is kept."""

    id = "torch.state_dict/1"
    data_type = "model"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a dict or OrderedDict of nothing but tensors, by text."""
        if type(value) not in (dict, OrderedDict) or not value:
            return False
        return all(type(name) is str and isinstance(each, torch.Tensor) and torch_tensors.is_storable(each) for name, each in value.items())

    def save(self, value: Any, folder: Path) -> None:
        """Write the file. Tensors that share memory are stored once."""
        try:
            attributes = values.to_json(getattr(value, "__dict__", {}))  # `_metadata`: the releases of the modules
        except NotPlain as error:
            raise NoMaterializer(f"the state dict has an attribute that is no plain value: {error}") from error
        extra: Json = {"class": type(value).__qualname__, "attributes": attributes}
        torch_tensors.write(folder / _WEIGHTS, list(value.items()), extra)

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the dict."""
        named, extra = torch_tensors.read(folder / _WEIGHTS)
        if extra["class"] == "dict":
            return dict(named)
        value = OrderedDict(named)
        value.__dict__.update(values.from_json(extra["attributes"]))
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the number of tensors, of numbers by dtype, and of bytes."""
        return {"tensors": len(value), **torch_tensors.facts(value.values())}

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give the table of its tensors."""
        return [torch_view.show_state_dict(value, self.metadata(value))]


class ModuleMaterializer(Materializer):
    """Saves a module as `model.safetensors` and `structure.json`."""

    id = "torch.Module/1"
    types = (torch.nn.Module,)
    data_type = "model"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is an ordinary Python object; what its attributes are only shows in `save`."""
        return torch_structure.is_plain_module(type(value))

    def save(self, value: Any, folder: Path) -> None:
        """Write both files. Raises NoMaterializer, with the path, for an attribute that JSON cannot hold."""
        structure, named = torch_structure.write(value)
        torch_tensors.write(folder / _WEIGHTS, named)
        (folder / _STRUCTURE).write_bytes(values.text(structure))

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the module; with the annotation dict or OrderedDict, its state dict."""
        structure: Any = values.parse((folder / _STRUCTURE).read_bytes())
        named, _ = torch_tensors.read(folder / _WEIGHTS)
        if type_ in (dict, OrderedDict):
            return type_((name, named[n][1].detach()) for name, n in structure["state_dict"].items())
        return torch_structure.read(structure, [value for _, value in named], type_)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, and the number of modules, parameters, trainable ones, and buffers."""
        return module_facts(value)

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give the table of its layers."""
        return [torch_view.show_module(value, module_facts(value))]


class PickledModuleMaterializer(Materializer):
    """Saves a module as `model.safetensors`, and what else there is to it as a pickle without tensors, `structure.pkl`."""

    id = "torch.PickledModule/1"
    types = (torch.nn.Module,)
    data_type = "model"
    safe = False

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a module that can be pickled at all: scripted modules cannot."""
        return not isinstance(value, torch.jit.ScriptModule)

    def save(self, value: Any, folder: Path) -> None:
        """Write the files; one LinealWarning for each class says what it was that had to be pickled."""
        tensors = torch_structure.Tensors(value)
        file = io.BytesIO()
        try:
            _Pickler(file, tensors).dump(value)
        except Exception as error:
            raise MaterializerError(
                f"a {dotted(type(value))} cannot be pickled ({type(error).__name__}: {error}); return its state_dict(), or remove "
                "the attribute that stands in the way"
            ) from error
        torch_tensors.write(folder / _WEIGHTS, tensors.named)
        (folder / _PICKLE).write_bytes(file.getvalue())
        facts = environment(type(value), map(type, value.modules()))
        (folder / ENVIRONMENT).write_text(json.dumps(facts, sort_keys=True), encoding="utf-8")
        warn_pickled(type(value), _reason(value))

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the module. Raises PickleRefused when another release wrote it."""
        named, _ = torch_tensors.read(folder / _WEIGHTS)
        tensors = [value for _, value in named]
        recorded = (folder / ENVIRONMENT).read_bytes()
        return unpickle((folder / _PICKLE).read_bytes(), recorded, lambda data: _Unpickler(io.BytesIO(data), tensors).load())

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, and the number of modules, parameters, trainable ones, and buffers."""
        return module_facts(value)

    def visualize(self, value: Any) -> Sequence[Visualization]:
        """Give the table of its layers."""
        return [torch_view.show_module(value, module_facts(value))]


class PlainMaterializer(BytesMaterializer):
    """Saves a dtype, device or size as JSON."""

    id = "torch.plain/1"
    filename = "data.json"
    types = (torch.dtype, torch.device, torch.Size)

    def dumps(self, value: Any) -> bytes:
        """Give the name or the numbers."""
        return values.text(torch_structure.plain_node(value))

    def loads(self, data: bytes, type_: Any) -> Any:
        """Give the value back."""
        node: Any = values.parse(data)
        return torch_structure.plain_value(node)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the value as it is printed."""
        return {"value": str(value)}


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # a class without types
    """Pickles a module with numbers in the place of its tensors, and sets in an order that the hash seed does not change."""

    def __init__(self, file: io.BytesIO, tensors: torch_structure.Tensors) -> None:
        super().__init__(file, protocol=PROTOCOL)
        self._tensors = tensors
        self._sets: dict[int, int] = {}

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor) and torch_tensors.is_storable(value) and not _has_strange_attributes(value):
            return "tensor", self._tensors.number(value)
        if type(value) in (set, frozenset) and all(type(each) is str for each in value):
            return type(value).__name__, self._sets.setdefault(id(value), len(self._sets)), sorted(value)
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, tensors: list[Any]) -> None:
        super().__init__(file)
        self._tensors = tensors
        self._sets: dict[int, Any] = {}

    def persistent_load(self, pid: Any) -> Any:
        kind, n, *members = pid
        if kind == "tensor":
            return self._tensors[n]
        if n not in self._sets:
            self._sets[n] = _SETS[kind](*members)
        return self._sets[n]


_SETS: Final[Mapping[str, Callable[..., Any]]] = {"set": set, "frozenset": frozenset}


def module_facts(module: Any) -> Mapping[str, Json]:
    """Give what is cheap to know about a module."""
    parameters = [each for each in module.parameters() if not torch.nn.parameter.is_lazy(each)]
    buffers = [each for each in module.buffers() if not torch.nn.parameter.is_lazy(each)]
    known = torch_tensors.facts([*parameters, *buffers])
    return {
        "class": dotted(type(module)),
        "modules": sum(1 for _ in module.modules()),
        "parameters": sum(map(torch.numel, parameters)),
        "trainable": sum(each.numel() for each in parameters if each.requires_grad),
        "buffers": sum(map(torch.numel, buffers)),
        "dtypes": known["dtypes"],
        "nbytes": known["nbytes"],
    }


def _reason(module: Any) -> str:
    try:
        torch_structure.write(module)
    except NoMaterializer as error:
        return f"whose structure JSON cannot hold ({error})"
    return "for which this materializer was chosen,"


def _has_strange_attributes(tensor: Any) -> bool:
    try:
        values.to_json(tensor.__dict__)
    except NotPlain:
        return True
    return False


def _statistics(tensor: Any) -> Mapping[str, Json]:
    """Give statistics of the numbers; of those that numpy does not have, and of those on another device, from a sample."""
    known: dict[str, Json] = {}
    strange = tensor.dtype is torch.bfloat16 or (tensor.is_floating_point() and tensor.element_size() == 1)
    if (strange or tensor.device.type != "cpu") and tensor.numel() > EXACT_LIMIT:
        tensor = tensor.reshape(-1)[:: -(-tensor.numel() // EXACT_LIMIT)]
        known["sampled"] = True
    if strange:
        try:
            tensor = tensor.float()
        except NotImplementedError:  # packed numbers, that torch itself cannot take apart
            return {}
    return {**summary(tensor.cpu().resolve_conj().resolve_neg().numpy(), EXACT_LIMIT), **known}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (
    TensorMaterializer,
    StateDictMaterializer,
    ModuleMaterializer,
    PickledModuleMaterializer,
    PlainMaterializer,
)
