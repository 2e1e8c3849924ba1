import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from lineal.errors import MaterializerError
from lineal.materializers.onnx import ModelMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.testing.materializers import MaterializerTests, load, save

WEIGHTS = np.arange(6, dtype=np.float32).reshape(3, 2)


def linear(name: str = "linear", **properties: str) -> Any:
    """Give a model of one multiplication."""
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["batch", 3])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    node = helper.make_node("MatMul", ["rows", "weights"], ["result"])
    graph = helper.make_graph([node], name, [rows], [result], [numpy_helper.from_array(WEIGHTS, "weights")])
    model = helper.make_model(graph, producer_name="tests", opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, properties)
    return model


def branching() -> Any:
    """Give a model whose constants lie in the branches of a condition."""
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [2])
    branches = {}
    for name in ("then_branch", "else_branch"):
        constant = helper.make_node("Constant", [], ["out"], value=numpy_helper.from_array(np.ones(2, np.float32), name))
        branches[name] = helper.make_graph([constant], name, [], [out])
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    return helper.make_model(helper.make_graph([helper.make_node("If", ["flag"], ["out"], **branches)], "either", [flag], [out]))


class TestModel(MaterializerTests):
    """Models."""

    materializer = ModelMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = (linear(), linear("other", author="me", licence="none", version="3"), branching(), onnx.ModelProto())

    def copy(self, value: Any) -> Any:
        return copy.deepcopy(value)

    def mutate(self, value: Any) -> bool:
        value.producer_name = "changed"
        return True


def test_model_computes_the_same_after_loading(tmp_path: Path) -> None:
    """Run by the reference implementation."""
    back = load(ModelMaterializer(), save(ModelMaterializer(), linear(), tmp_path / "a"))
    rows = np.eye(3, dtype=np.float32)
    assert np.array_equal(ReferenceEvaluator(back).run(None, {"rows": rows})[0], WEIGHTS)


def test_file_is_one_that_onnx_reads(tmp_path: Path) -> None:
    """Without Lineal."""
    folder = save(ModelMaterializer(), linear(), tmp_path / "a")
    assert onnx.load(folder / "model.onnx") == linear()


def test_registry_knows_models() -> None:
    """By the root package of their class."""
    assert Registry(CloudpickleMaterializer()).for_value(linear()).id == "onnx.ModelProto/1"


@pytest.mark.parametrize("inside", [False, True])
def test_model_with_tensors_in_other_files_says_what_to_do(inside: bool) -> None:
    """Without these files the model would be useless; also when the tensor lies in a branch."""
    model = branching() if inside else linear()
    tensor = model.graph.node[0].attribute[0].g.node[0].attribute[0].t if inside else model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    with pytest.raises(MaterializerError, match=r"lies in another file; read it with onnx.load\(path, load_external_data=True\)"):
        ModelMaterializer().dumps(model)


def test_model_that_protobuf_refuses_says_what_to_do() -> None:
    """As it does above 2 GiB."""

    class Large:
        graph = linear().graph

        def SerializeToString(self, deterministic: bool) -> bytes:
            raise ValueError("too large")

    with pytest.raises(MaterializerError, match=r"holds at most 2,147,483,647 bytes .*save_as_external_data=True"):
        ModelMaterializer().dumps(Large())


def test_metadata() -> None:
    """Inputs and outputs with their shapes, nodes and parameters."""
    facts = ModelMaterializer().metadata(linear())
    assert facts["inputs"] == {"rows": "float[batch, 3]"}
    assert facts["outputs"] == {"result": "float"}
    assert (facts["nodes"], facts["parameters"], facts["opsets"], facts["producer"]) == (1, 6, {"ai.onnx": 17}, "tests")
    assert ModelMaterializer().metadata(branching())["parameters"] == 4


def test_no_pickle_is_read(tmp_path: Path, trap: Any) -> None:
    """A pickle is no protocol buffer."""
    folder = save(ModelMaterializer(), linear(), tmp_path / "a")
    (folder / "model.onnx").write_bytes(trap.pickled)
    with pytest.raises(Exception, match=r"(?i)parsing"):
        load(ModelMaterializer(), folder)
    assert not trap.sprung


def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """Also where the model holds a map, which has no order."""
    assert_same_elsewhere(TestModel)
