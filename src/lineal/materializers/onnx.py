"""onnx: models as the protocol buffer that every onnx runtime reads, written in its deterministic form."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import onnx

from lineal.errors import MaterializerError
from lineal.materializers.base import AnyMaterializer, BytesMaterializer
from lineal.model.records import Json

LIMIT: Final = (1 << 31) - 1
"""Number of bytes that a protocol buffer can have."""

SHOWN: Final = 50
"""Number of inputs and outputs that metadata holds."""


class ModelMaterializer(BytesMaterializer):
    """Saves a model as `model.onnx`."""

    id = "onnx.ModelProto/1"
    filename: ClassVar[str] = "model.onnx"
    types = (onnx.ModelProto,)
    data_type = "model"

    def dumps(self, value: Any) -> bytes:
        """Give the bytes. Raises MaterializerError for a model that has tensors in other files, or is larger than 2 GiB."""
        outside = next((tensor.name for tensor in _tensors(value.graph) if tensor.data_location == onnx.TensorProto.EXTERNAL), None)
        if outside is not None:
            raise MaterializerError(
                f"tensor {outside!r} of the model lies in another file; read it with onnx.load(path, load_external_data=True), or "
                "return the path of the folder with the model's files instead of the model"
            )
        try:
            data: bytes = value.SerializeToString(deterministic=True)
        except Exception as error:  # which one depends on the implementation of protobuf
            raise MaterializerError(
                f"the model cannot be written as one protocol buffer, which holds at most {LIMIT:,} bytes ({error}); save it with "
                "onnx.save(..., save_as_external_data=True), and return the path of its folder"
            ) from error
        return data

    def loads(self, data: bytes, type_: Any) -> Any:
        """Give the model. Nothing of it is run or checked."""
        return onnx.ModelProto.FromString(data)

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give versions, producer, inputs and outputs with their shapes, and the number of nodes and parameters."""
        tensors = list(_tensors(value.graph))
        return {
            "ir_version": value.ir_version,
            "opsets": {each.domain or "ai.onnx": each.version for each in value.opset_import},
            "producer": " ".join(filter(None, (value.producer_name, value.producer_version))),
            "graph": value.graph.name,
            "nodes": len(value.graph.node),
            "parameters": sum(_size(tensor) for tensor in tensors),
            "inputs": {each.name: _shown(each.type) for each in value.graph.input[:SHOWN]},
            "outputs": {each.name: _shown(each.type) for each in value.graph.output[:SHOWN]},
        }


def _tensors(graph: Any) -> Iterator[Any]:
    """Give the tensors of a graph, those in its nodes and the graphs in them too."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _tensors(inner)


def _size(tensor: Any) -> int:
    size = 1
    for each in tensor.dims:
        size *= each
    return size


def _shown(kind: Any) -> str:
    """Give a type as text: `float32[batch, 3]`."""
    if not kind.HasField("tensor_type"):
        return str(kind.WhichOneof("value"))
    tensor = kind.tensor_type
    name: str = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    if not tensor.HasField("shape"):
        return name
    sizes = (each.dim_param or (str(each.dim_value) if each.HasField("dim_value") else "?") for each in tensor.shape.dim)
    return f"{name}[{', '.join(sizes)}]"


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ModelMaterializer,)
