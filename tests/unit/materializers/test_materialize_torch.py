import copy
import json
import warnings
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lineal.errors import LinealWarning, MaterializerError, NoMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.materializers.torch import (
    ModuleMaterializer,
    PickledModuleMaterializer,
    PlainMaterializer,
    StateDictMaterializer,
    TensorMaterializer,
)
from lineal.testing.materializers import MaterializerTests, content, load, save

BEFORE: Any = torch.arange(6.0).reshape(2, 3)
FLOATS = "float16 bfloat16 float32 float64 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu complex64 complex128"
NUMBERS = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64"


def numbers(tensor: Any) -> Any:
    """Give the bytes of a tensor's numbers: not every dtype can be compared, nor can NaN."""
    dense = tensor.detach().to_dense() if tensor.layout is not torch.strided else tensor.detach()
    dense = dense.resolve_conj().contiguous()
    return (torch.view_as_real(dense).contiguous() if dense.is_complex() else dense).reshape(-1).view(torch.uint8)


def exactly(one: Any, other: Any) -> bool:
    """Tell whether two tensors are the same but for their place in memory."""
    same = all(getattr(one, name) == getattr(other, name) for name in ("dtype", "layout", "shape", "requires_grad", "__dict__"))
    return same and type(one) is type(other) and torch.equal(numbers(one), numbers(other))


def tensors() -> tuple[Any, ...]:
    """Give tensors of every kind."""
    marked = BEFORE.clone()
    marked.unit = "metre"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # layouts that torch calls beta
        compressed = [BEFORE.to_sparse(layout=getattr(torch, f"sparse_{kind}")) for kind in ("csr", "csc")]
        blocks = [torch.eye(4).to_sparse_bsr((2, 2)), torch.eye(4).to_sparse_bsc((2, 2))]
    return (
        *(BEFORE.to(getattr(torch, name)) for name in f"{FLOATS} {NUMBERS}".split()),
        torch.tensor(2.5),
        torch.tensor(7),
        torch.tensor([float("nan"), float("inf"), -0.0]),
        torch.zeros(0, 3),
        BEFORE.t(),
        BEFORE[:, ::2],
        torch.ones(1).expand(4, 5),
        torch.arange(96.0).reshape(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        torch.tensor([1 + 2j, 3j]).conj(),
        BEFORE.clone().requires_grad_(),
        nn.Parameter(BEFORE.clone()),
        nn.Parameter(torch.arange(3), requires_grad=False),
        BEFORE.to_sparse(),
        torch.sparse_coo_tensor([[1, 1]], [2.0, 3.0], (3,), check_invariants=True),
        *compressed,
        *blocks,
        marked,
        torch.arange(400_000.0),
    )


def change(tensor: Any) -> bool:
    """Change a tensor in place if that is possible."""
    if tensor.numel() == 0 or tensor.layout is not torch.strided:
        return False
    with torch.no_grad():
        (torch.view_as_real(tensor) if tensor.is_complex() else tensor).view(-1)[:1].view(torch.uint8).bitwise_xor_(1)
    return True


class TestTensor(MaterializerTests):
    """Tensors of every dtype and layout."""

    materializer = TensorMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = tensors()

    def equal(self, one: Any, other: Any) -> bool:
        return exactly(one, other)

    def copy(self, value: Any) -> Any:
        if value.layout in (torch.sparse_csc, torch.sparse_csr, torch.sparse_bsr, torch.sparse_bsc):
            return value.clone()  # which deepcopy cannot
        return copy.deepcopy(value)

    def mutate(self, value: Any) -> bool:
        return value.layout is torch.strided and value.dtype is torch.float32 and value.is_contiguous() and change(value)


def test_tensor_keeps_the_order_of_its_dimensions_in_memory(tmp_path: Path) -> None:
    """A tensor that fills its memory comes back with its strides, as channels-last images need; one with gaps becomes contiguous."""
    images = torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    for index, (tensor, strides) in enumerate([(images, images.stride()), (BEFORE.t(), (1, 3)), (BEFORE[:, ::2], (2, 1))]):
        assert load(TensorMaterializer(), save(TensorMaterializer(), tensor, tmp_path / str(index))).stride() == strides


def test_tensor_file_is_a_plain_safetensors_file(tmp_path: Path) -> None:
    """Any tool reads the numbers in the shape that they have, with one key of metadata."""
    folder = save(TensorMaterializer(), BEFORE.t(), tmp_path / "a")
    assert torch.equal(load_file(folder / "data.safetensors")["tensor"], BEFORE.t())


def test_result_of_a_computation_comes_back_as_a_leaf(tmp_path: Path) -> None:
    """The graph is not kept; that the tensor wants a gradient is."""
    loss = (BEFORE.clone().requires_grad_() * 2).sum()
    back = load(TensorMaterializer(), save(TensorMaterializer(), loss, tmp_path / "a"))
    assert back.is_leaf
    assert back.requires_grad
    assert back.item() == loss.item()


class Units(torch.Tensor):
    """A tensor class of one's own."""


def test_tensors_that_cannot_come_back_exactly_are_declined() -> None:
    """Quantized, nested and meta tensors, and classes of one's own, are left to the fallback."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        strange = [torch.quantize_per_tensor(BEFORE, 0.1, 0, torch.qint8), torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])]
    for value in (*strange, torch.ones(2, device="meta"), BEFORE.as_subclass(Units)):
        assert not TensorMaterializer().accepts(value)
        assert Registry(CloudpickleMaterializer()).for_value(value).id == "cloudpickle/1"


def test_sparse_indices_that_point_outside_are_refused(tmp_path: Path) -> None:
    """torch does not check them by itself, and would then use memory that belongs to something else."""
    folder = save(TensorMaterializer(), BEFORE.to_sparse(), tmp_path / "a")
    path = folder / "data.safetensors"
    parts = load_file(path)
    parts["tensor.indices"][0, 0] = 1_000_000
    length = int.from_bytes(path.read_bytes()[:8], "little")
    metadata = json.loads(path.read_bytes()[8 : 8 + length])["__metadata__"]
    save_file(parts, path, metadata)
    with pytest.raises(RuntimeError, match="size is inconsistent with indices"):
        load(TensorMaterializer(), folder)


def test_tensor_metadata() -> None:
    """Shape, dtype and statistics; also of what numpy has no dtype for."""
    facts = TensorMaterializer().metadata(BEFORE.bfloat16())
    assert facts["shape"] == [2, 3]
    assert (facts["dtype"], facts["min"], facts["max"], facts["mean"]) == ("bfloat16", 0.0, 5.0, 2.5)
    assert TensorMaterializer().metadata(BEFORE.to_sparse())["nnz"] == 5


def net(**more: Any) -> Any:
    """Give a model with a shared weight, buffers of both kinds, and attributes of many kinds."""
    torch.manual_seed(0)
    return Net(**more)


class Net(nn.Module):
    def __init__(self, frozen: bool = False) -> None:
        super().__init__()
        self.embed = nn.Embedding(5, 4)
        self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 5, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("scale", torch.tensor(2.0))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)
        self.register_buffer("other", torch.ones(2), persistent=False)
        self.act = nn.functional.relu
        self.squash = torch.tanh
        self.config = {"sizes": (1, 2), "dtype": torch.float32, "device": torch.device("cpu"), "shape": torch.Size([2])}
        self.offsets = [torch.arange(3.0)]
        self.again = self.norm
        self.norm.weight.requires_grad_(not frozen)

    def forward(self, rows: Any) -> Any:
        return self.squash(self.head(self.act(self.norm(self.embed(rows)) * self.scale)))


def recurrent() -> Any:
    torch.manual_seed(1)
    return nn.LSTM(3, 4, num_layers=2, bidirectional=True)


def attention() -> Any:
    torch.manual_seed(2)
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, enable_nested_tensor=False)


def same_modules(one: Any, other: Any) -> bool:
    """Tell whether two modules have the same parts, modes, parameters and buffers."""

    def told(module: Any) -> Any:
        return [(name, type(each), each.training) for name, each in module.named_modules(remove_duplicate=False)]

    def held(module: Any) -> dict[str, Any]:
        return dict([*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)])

    first, second = held(one), held(other)
    return told(one) == told(other) and first.keys() == second.keys() and all(exactly(first[name], second[name]) for name in first)


def modules() -> tuple[Any, ...]:
    """Give modules of several kinds, always the same."""
    torch.manual_seed(3)
    return (
        nn.Linear(2, 3),
        nn.Sequential(OrderedDict(first=nn.Linear(2, 3).bfloat16(), second=nn.ReLU())).eval(),
        nn.ModuleDict({"a": nn.Conv2d(1, 2, 3), "b": nn.MultiheadAttention(8, 2)}),
        recurrent(),
        attention(),
        net(),
        nn.Identity(),
    )


class TestModule(MaterializerTests):
    """Modules whose attributes JSON holds: their structure is no pickle."""

    materializer = ModuleMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = modules()

    def equal(self, one: Any, other: Any) -> bool:
        return same_modules(one, other)

    def mutate(self, value: Any) -> bool:
        return any(change(each) for each in value.parameters())


def test_module_computes_the_same_after_loading(tmp_path: Path) -> None:
    """For a class of the user's own and for torch's. The weights are exact; sums may differ with their place in memory."""
    rows, series, words = torch.tensor([1, 4]), torch.rand(5, 3), torch.rand(2, 3, 8)
    for index, (model, given) in enumerate([(net().eval(), rows), (net(), rows), (recurrent(), series), (attention().eval(), words)]):
        back = load(ModuleMaterializer(), save(ModuleMaterializer(), model, tmp_path / str(index)))
        expected, got = model(given), back(given)
        assert torch.allclose(got[0], expected[0], rtol=1e-5, atol=1e-6)
        assert back.training is model.training


def test_module_keeps_attributes_sharing_and_frozen_parameters(tmp_path: Path) -> None:
    """A shared weight is stored once and shared again; what is frozen stays so; a module with two names is one object."""
    model = net(frozen=True)
    folder = save(ModuleMaterializer(), model, tmp_path / "a")
    back = load(ModuleMaterializer(), folder)
    assert back.head.weight is back.embed.weight
    assert back.again is back.norm
    assert not back.norm.weight.requires_grad
    assert back.head.weight.requires_grad
    assert (back.act, back.squash, back.config) == (model.act, model.squash, model.config)
    assert torch.equal(back.offsets[0], model.offsets[0])
    stored = load_file(folder / "model.safetensors")
    assert "embed.weight" in stored
    assert "head.weight" not in stored
    assert back.state_dict().keys() == model.state_dict().keys()


def test_module_trains_on_after_loading(tmp_path: Path) -> None:
    """The parameters are memory of their own, and the file stays as it is."""
    folder = save(ModuleMaterializer(), net(), tmp_path / "a")
    before = content(folder)
    back = load(ModuleMaterializer(), folder)
    optimizer = torch.optim.SGD(back.parameters(), lr=0.1)
    back(torch.tensor([1, 4])).sum().backward()
    optimizer.step()
    assert not same_modules(back, net())
    assert content(folder) == before


def test_module_loads_as_its_state_dict(tmp_path: Path) -> None:
    """With dict for a type the weights come back where the class is not known; tied ones under both names."""
    folder = save(ModuleMaterializer(), net(), tmp_path / "a")
    state = load(ModuleMaterializer(), folder, dict)
    assert list(state) == list(net().state_dict())
    assert all(torch.equal(each, net().state_dict()[name]) for name, each in state.items())


def test_module_of_a_class_that_is_not_loaded_says_what_to_do(tmp_path: Path) -> None:
    """Nothing is imported because a file names it. The annotation's class is taken also when it has moved to another module."""
    folder = save(ModuleMaterializer(), net(), tmp_path / "a")
    path = folder / "structure.json"
    path.write_text(path.read_text(encoding="utf-8").replace(f'"{Net.__module__}:Net"', '"this.is.nowhere:Net"'), encoding="utf-8")
    with pytest.raises(MaterializerError, match=r"a this.is.nowhere.Net, which is not loaded here: import this.is.nowhere first, or name"):
        load(ModuleMaterializer(), folder)
    assert type(load(ModuleMaterializer(), folder, Net)) is Net


@pytest.mark.parametrize(
    ("stored", "forged", "message"),
    [
        ('"torch.nn.modules.activation:ReLU"', '"subprocess:Popen"', "which is not loaded here"),
        ('"torch.nn.modules.activation:ReLU"', '"torch.fx.graph_module:GraphModule"', "makes its instances in its own way"),
        ('{"$type":"item","function":"torch.nn.functional:relu"}', '{"$type":"item","function":"os:system"}', "is no function that"),
        ('{"$type":"item","function":"torch.nn.functional:relu"}', '{"$type":"item","function":"torch:load"}', "is no function that"),
        ('{"$type":"item","function":"torch.nn.functional:relu"}', '{"$type":"item","dtype":"load"}', "has no dtype"),
    ],
)
def test_structure_names_nothing_but_modules_and_functions_that_compute(tmp_path: Path, stored: str, forged: str, message: str) -> None:
    """A forged structure cannot have a class made, or a function put in place, that does something else."""

    model = nn.Sequential(nn.ReLU())
    model.act = nn.functional.relu
    folder = save(ModuleMaterializer(), model, tmp_path / "a")
    path = folder / "structure.json"
    text = path.read_text(encoding="utf-8")
    assert stored in text
    path.write_text(text.replace(stored, forged), encoding="utf-8")
    with pytest.raises(MaterializerError, match=message):
        load(ModuleMaterializer(), folder)


def test_module_metadata() -> None:
    """Counts take a shared parameter once."""
    facts = ModuleMaterializer().metadata(net(frozen=True))
    assert (facts["parameters"], facts["trainable"], facts["buffers"], facts["modules"]) == (28, 24, 14, 4)
    assert facts["dtypes"] == {"float32": 41, "int64": 1}
    assert str(facts["class"]).endswith(".Net")


class Odd(nn.Module):
    """A module with attributes that only a pickle holds, and sets of text."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.register_buffer("one", torch.ones(2), persistent=False)
        self.register_buffer("two", torch.zeros(2), persistent=False)
        self.words = frozenset("abcdefgh")
        self.twice = abs


def marked() -> Any:
    """Give a module of torch with sets of text in it, and a function of Python."""
    torch.manual_seed(4)
    model = nn.Linear(2, 2)
    for name in "abcdef":
        model.register_buffer(name, torch.zeros(1), persistent=False)
    model.words, model.call = frozenset("abcdefgh"), abs
    return model


@pytest.mark.filterwarnings("ignore:.*was pickled")
class TestPickledModule(MaterializerTests):
    """Modules with an attribute that JSON does not hold."""

    materializer = PickledModuleMaterializer()
    values = (net(), marked())
    deterministic = False  # strings that are one object and strings that are equal differ in a pickle

    def equal(self, one: Any, other: Any) -> bool:
        return same_modules(one, other)

    def mutate(self, value: Any) -> bool:
        return any(change(each) for each in value.parameters())


class OfTorchAlone(TestPickledModule):
    """What another process can pickle, which does not find the classes of this file."""

    __test__ = False
    values = (marked(),)


def test_registry_goes_on_to_the_pickle_and_says_what_made_it_necessary(tmp_path: Path) -> None:
    """The tensors stay in the open file; the warning names the attribute."""
    registry = Registry(CloudpickleMaterializer())
    model = Odd()
    first = registry.for_value(model)
    assert first.id == "torch.Module/1"
    with pytest.raises(NoMaterializer, match=r"Odd\['twice'\] is a builtin_function_or_method"):
        save(first, model, tmp_path / "a")
    second = registry.after(first, model)
    assert second.id == "torch.PickledModule/1"
    with pytest.warns(LinealWarning, match=r"Odd, whose structure JSON cannot hold \(Odd\['twice'\] is a .*\) and was pickled"):
        folder = save(second, model, tmp_path / "b")
    assert load_file(folder / "model.safetensors").keys() == {"inner.weight", "inner.bias", "one", "two"}
    assert (folder / "structure.pkl").stat().st_size < 4000
    back = load(second, folder)
    assert same_modules(back, model)
    assert back.words == model.words
    assert registry.after(second, model).id == "cloudpickle/1"


def test_module_that_cannot_be_pickled_says_what_to_return(tmp_path: Path) -> None:
    """torch itself refuses to pickle a parametrized module."""
    model = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(NoMaterializer, match="does not give its state"):
        save(ModuleMaterializer(), model, tmp_path / "a")
    with pytest.raises(MaterializerError, match=r"(?s)cannot be pickled .*; return its state_dict\(\)"):
        save(PickledModuleMaterializer(), model, tmp_path / "b")


def shared() -> dict[str, Any]:
    """Give tensors that overlap, each in another way."""
    base = torch.arange(10.0)
    return {"whole": base, "part": base[2:5], "steps": base[1::3], "square": base[:4].view(2, 2), "apart": torch.ones(1)}


class TestStateDict(MaterializerTests):
    """Dicts of tensors."""

    materializer = StateDictMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = (
        net().state_dict(),
        dict(net().state_dict()),
        {"b": BEFORE, "a": BEFORE.to_sparse(), "a.indices": BEFORE.int()},
        {"a": BEFORE.to_sparse(), "a.indices": BEFORE.int(), "b": BEFORE},
        shared(),
    )

    def equal(self, one: Any, other: Any) -> bool:
        same = list(one) == list(other) and getattr(one, "_metadata", None) == getattr(other, "_metadata", None)
        return same and all(exactly(one[name], other[name]) for name in one)

    def copy(self, value: Any) -> Any:
        made = copy.deepcopy(value)
        if hasattr(value, "_metadata"):
            made._metadata = copy.deepcopy(value._metadata)
        return made


def test_state_dict_shares_memory_as_it_did(tmp_path: Path) -> None:
    """What overlaps is stored once, and a change through one name is seen through the others."""
    back = load(StateDictMaterializer(), save(StateDictMaterializer(), shared(), tmp_path / "a"))
    back["whole"][3] = 99
    assert (back["part"][1], back["square"][1, 1]) == (99, 99)
    assert back["apart"].untyped_storage().nbytes() == 4
    tied = load(StateDictMaterializer(), save(StateDictMaterializer(), net().state_dict(), tmp_path / "b"))
    assert tied["head.weight"].data_ptr() == tied["embed.weight"].data_ptr()


def test_registry_saves_a_dict_of_tensors_as_one_file() -> None:
    """Also inside a container; a dict of other things, or with other keys, is a container."""
    registry = Registry(CloudpickleMaterializer())
    state = net().state_dict()
    assert registry.for_value(state).id == "torch.state_dict/1"
    assert registry.for_value({"a": BEFORE}).id == "torch.state_dict/1"
    assert [each.id for each in registry.candidates(state)][:2] == ["torch.state_dict/1", "json/1"]
    for other in ({1: BEFORE}, {"a": BEFORE, "b": 1}, [BEFORE], {"model": state, "epoch": 3}):
        assert registry.for_value(other).id == "container/1"


def test_checkpoint_keeps_its_state_dicts_whole(tmp_path: Path) -> None:
    """A dict of a model's and an optimizer's state is a container in which the model's is one file."""
    model = net()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.tensor([1, 2])).sum().backward()
    optimizer.step()
    checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    container = Registry(CloudpickleMaterializer()).for_value(checkpoint)
    folder = save(container, checkpoint, tmp_path / "a")
    assert (folder / "items" / "0" / "model.safetensors").exists()
    back = load(container, folder)
    other = net()
    other.load_state_dict(back["model"])
    again = torch.optim.Adam(other.parameters())
    again.load_state_dict(back["optimizer"])
    assert same_modules(other, model)
    assert back["model"]._metadata == model.state_dict()._metadata


class TestPlain(MaterializerTests):
    """dtypes, devices and sizes."""

    materializer = PlainMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = (torch.float32, torch.bfloat16, torch.device("cpu"), torch.device("cuda:1"), torch.Size([2, 3]), torch.Size([]))

    def copy(self, value: Any) -> Any:
        return value if isinstance(value, torch.dtype) else copy.copy(value)

    def mutate(self, value: Any) -> bool:
        return False


@pytest.mark.filterwarnings("ignore:.*was pickled")
def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """The values are made anew there, under another hash seed; pickled structures, which hold sets, are the same too."""
    assert_same_elsewhere(TestTensor, TestModule, TestStateDict, TestPlain, OfTorchAlone)


def test_no_pickle_is_read_in_the_place_of_tensors(tmp_path: Path, trap: Any) -> None:
    """A file of torch.save, or a bare pickle, where safetensors should be, is refused without being read."""
    torch.save({"tensor": trap}, tmp_path / "trap.pt")
    cases = [
        (TensorMaterializer(), BEFORE, "data.safetensors"),
        (StateDictMaterializer(), {"a": BEFORE}, "model.safetensors"),
        (ModuleMaterializer(), nn.Linear(1, 1), "model.safetensors"),
    ]
    for index, (materializer, value, name) in enumerate(cases):
        for kind, forged in enumerate([(tmp_path / "trap.pt").read_bytes(), trap.pickled]):
            folder = save(materializer, value, tmp_path / f"{index}-{kind}")
            (folder / name).write_bytes(forged)
            with pytest.raises(Exception, match="header"):
                load(materializer, folder)
    assert not trap.sprung


def test_safetensors_of_another_program_is_refused(tmp_path: Path) -> None:
    """Its dtype and class are not known."""
    folder = save(TensorMaterializer(), BEFORE, tmp_path / "a")
    save_file({"tensor": BEFORE}, folder / "data.safetensors")
    with pytest.raises(MaterializerError, match="written by another program"):
        load(TensorMaterializer(), folder)


def test_only_the_pickled_structure_can_run_code() -> None:
    """The policy asks for `safe`."""
    assert not PickledModuleMaterializer.safe
    assert all(each.safe for each in (TensorMaterializer, StateDictMaterializer, ModuleMaterializer, PlainMaterializer))
