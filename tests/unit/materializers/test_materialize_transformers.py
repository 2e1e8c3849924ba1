import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.pickled import CloudpickleMaterializer
from lineal.materializers.registry import Registry
from lineal.materializers.tokenizers import TokenizerMaterializer as PlainTokenizerMaterializer
from lineal.materializers.transformers import TokenizerMaterializer
from lineal.materializers.transformers_models import ConfigMaterializer, ModelMaterializer
from lineal.testing.materializers import MaterializerTests, load, save

SMALL = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 16}
WORDS = {"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "hello": 5, "world": 6}
IDS = torch.tensor([[1, 2, 3]])


class Mine(BertForSequenceClassification):
    """A model of one's own."""


def bert(cls: Any = BertForSequenceClassification, **options: Any) -> Any:
    torch.manual_seed(0)
    return cls(BertConfig(**SMALL, vocab_size=12, **options))


def gpt() -> Any:
    torch.manual_seed(0)
    config = GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=20, n_positions=16, bos_token_id=1, eos_token_id=2)
    model = GPT2LMHeadModel(config).to(torch.bfloat16).eval()
    model.generation_config.max_new_tokens = 5
    return model


def llama() -> Any:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(**SMALL, vocab_size=20, attn_implementation="eager")).eval()


def tokenizer() -> Any:
    made = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def tokenizers() -> tuple[Any, ...]:
    options = {"unk_token": "[UNK]", "pad_token": "[PAD]", "model_max_length": 12, "padding_side": "left"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer(), **options)
    fast.chat_template = "{{ messages }}"
    more = PreTrainedTokenizerFast(tokenizer_object=tokenizer(), **options)
    more.add_tokens(["lineal", "steps"])
    return fast, more, BertTokenizer(vocab=dict(WORDS))


class TestModel(MaterializerTests):
    """Models."""

    materializer = ModelMaterializer()
    other_process = False  # see test_bytes_are_the_same_in_another_process
    values = (bert().eval(), bert(Mine), gpt(), llama())

    def equal(self, one: Any, other: Any) -> bool:
        first, second = one.state_dict(), other.state_dict()
        same = first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
        return same and one.config.to_dict() == other.config.to_dict() and one.training == other.training

    def mutate(self, value: Any) -> bool:
        with torch.no_grad():
            next(value.parameters()).add_(1)
        return True


class TestTokenizer(MaterializerTests):
    """Tokenizers of transformers."""

    materializer = TokenizerMaterializer()
    other_process = False
    values = tokenizers()

    def equal(self, one: Any, other: Any) -> bool:
        names = ("special_tokens_map", "padding_side", "model_max_length", "chat_template", "name_or_path")
        same = all(getattr(one, name) == getattr(other, name) for name in names)
        return same and one("hello lineal there") == other("hello lineal there") and one.get_vocab() == other.get_vocab()

    def mutate(self, value: Any) -> bool:
        return bool(value.add_tokens(["another"]))


class TestConfig(MaterializerTests):
    """Configurations."""

    materializer = ConfigMaterializer()
    other_process = False
    values = (
        BertConfig(**SMALL),
        GPT2Config(n_layer=1, n_head=2),
        LlamaConfig(**SMALL, rope_parameters={"rope_type": "default", "rope_theta": 5.0}),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return one.to_dict() == {**other.to_dict(), "transformers_version": one.to_dict()["transformers_version"]}

    def mutate(self, value: Any) -> bool:
        value.vocab_size = 1
        return True


class TestPlainTokenizer(MaterializerTests):
    """Tokenizers of the library below."""

    materializer = PlainTokenizerMaterializer()
    other_process = False
    values = (tokenizer(), Tokenizer(models.BPE()))

    def equal(self, one: Any, other: Any) -> bool:
        return bool(one.to_str() == other.to_str())

    def mutate(self, value: Any) -> bool:
        return bool(value.add_tokens(["another"]))


def test_model_computes_the_same_after_loading(tmp_path: Path) -> None:
    """With the same attention, tied weights and settings for generating. The weights are exact; sums may differ with their place in memory."""
    for index, model in enumerate([bert().eval(), gpt(), llama()]):
        back = load(ModelMaterializer(), save(ModelMaterializer(), model, tmp_path / str(index)))
        assert torch.allclose(back(IDS).logits, model(IDS).logits, rtol=1e-5, atol=1e-6)
        assert back.config._attn_implementation == model.config._attn_implementation
        assert back.dtype == model.dtype
    back = load(ModelMaterializer(), tmp_path / "1")
    assert back.lm_head.weight is back.transformer.wte.weight
    assert back.generation_config.max_new_tokens == 5
    assert torch.equal(back.generate(IDS, do_sample=False), gpt().generate(IDS, do_sample=False))


def test_model_keeps_modes_frozen_parameters_and_its_name(tmp_path: Path) -> None:
    """from_pretrained alone would forget all three."""
    model = bert().train()
    model.bert.embeddings.requires_grad_(False)
    model.classifier.eval()
    model.name_or_path = model.config.name_or_path = "team/sentiment"
    back = load(ModelMaterializer(), save(ModelMaterializer(), model, tmp_path / "a"))
    assert [each.training for each in back.modules()] == [each.training for each in model.modules()]
    assert [each.requires_grad for each in back.parameters()] == [each.requires_grad for each in model.parameters()]
    assert back.name_or_path == back.config.name_or_path == "team/sentiment"


def test_model_trains_on_after_loading(tmp_path: Path) -> None:
    """Its parameters are memory of its own."""
    back = load(ModelMaterializer(), save(ModelMaterializer(), bert(), tmp_path / "a"))
    before = back.classifier.weight.clone()
    back(IDS, labels=torch.tensor([1])).loss.backward()
    torch.optim.SGD(back.parameters(), lr=1.0).step()
    assert not torch.equal(back.classifier.weight, before)


def test_folder_is_one_that_transformers_reads(tmp_path: Path) -> None:
    """Without Lineal."""
    model = bert().eval()
    folder = save(ModelMaterializer(), model, tmp_path / "a")
    assert torch.allclose(BertForSequenceClassification.from_pretrained(folder)(IDS).logits, model(IDS).logits, rtol=1e-5, atol=1e-6)


def test_registry_chooses_the_nearest(tmp_path: Path) -> None:
    """A model of transformers is a torch module too; with parameters of two dtypes it is left to that."""
    registry = Registry(CloudpickleMaterializer())
    assert registry.for_value(bert()).id == "transformers.modeling_utils.PreTrainedModel/1"
    assert registry.for_value(bert(Mine)).id == "transformers.modeling_utils.PreTrainedModel/1"
    assert registry.for_value(tokenizers()[0]).id == "transformers.Tokenizer/1"
    assert registry.for_value(bert().config).id == "transformers.configuration_utils.PreTrainedConfig/1"
    assert registry.for_value(tokenizer()).id == "tokenizers.Tokenizer/1"
    mixed = bert()
    mixed.classifier.to(torch.float64)
    with pytest.raises(NoMaterializer, match="2 dtypes"):
        save(registry.for_value(mixed), mixed, tmp_path / "a")
    assert [each.id for each in registry.candidates(mixed)][1:3] == ["torch.Module/1", "torch.PickledModule/1"]


def test_values_are_loaded_where_nothing_was_imported(elsewhere: Callable[..., str], tmp_path: Path) -> None:
    """The id alone tells which file to load. A tokenizer does not need torch, which takes seconds to import."""
    save(TokenizerMaterializer(), tokenizers()[0], tmp_path / "a")
    save(ModelMaterializer(), bert().eval(), tmp_path / "b")
    program = """
import sys
from pathlib import Path
from lineal.materializers.registry import registry
print(registry.by_id("transformers.Tokenizer/1").load(Path(sys.argv[1]), None)("hello").input_ids, "torch" in sys.modules)
print(type(registry.by_id("transformers.modeling_utils.PreTrainedModel/1").load(Path(sys.argv[2]), None)).__name__)
"""
    assert elsewhere(program, tmp_path / "a", tmp_path / "b").splitlines() == ["[5] False", "BertForSequenceClassification"]


def test_tokenizer_with_parts_in_python_is_declined() -> None:
    """They cannot be written as JSON."""

    class Splitter:
        def pre_tokenize(self, text: Any) -> None:
            text.split(lambda index, piece: [piece])

    made = tokenizer()
    made.pre_tokenizer = pre_tokenizers.PreTokenizer.custom(Splitter())
    with pytest.raises(NoMaterializer, match="cannot be written as JSON"):
        PlainTokenizerMaterializer().dumps(made)


@pytest.mark.parametrize("key", ["auto_map", "quantization_config"])
def test_configuration_that_names_code_is_refused(tmp_path: Path, key: str) -> None:
    """Code in a folder is what trust_remote_code would run."""
    folder = save(ModelMaterializer(), bert(), tmp_path / "a")
    config = json.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps({**config, key: {"AutoModel": "evil.Model"}}), encoding="utf-8")
    with pytest.raises(MaterializerError, match=rf"config.json names code of its own \({key}\)"):
        load(ModelMaterializer(), folder)


@pytest.mark.parametrize("name", ["subprocess:Popen", "transformers:pipeline", "transformers.models:bert", "this.is.nowhere:Model"])
def test_class_that_is_no_model_is_refused(tmp_path: Path, name: str) -> None:
    """What is named is neither imported nor called."""
    folder = save(ModelMaterializer(), bert(), tmp_path / "a")
    spec = json.loads((folder / "lineal.json").read_bytes())
    (folder / "lineal.json").write_text(json.dumps({**spec, "class": name}), encoding="utf-8")
    with pytest.raises(MaterializerError, match="is not loaded here"):
        load(ModelMaterializer(), folder)


def test_attention_from_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    """The name of a kernel on a hub is that of code."""
    model = bert()
    model.config._attn_implementation_internal = "evil/kernel"
    with pytest.raises(NoMaterializer, match="'evil/kernel'"):
        save(ModelMaterializer(), model, tmp_path / "a")
    folder = save(ModelMaterializer(), bert(), tmp_path / "b")
    spec = json.loads((folder / "lineal.json").read_bytes())
    (folder / "lineal.json").write_text(json.dumps({**spec, "attention": "evil/kernel"}), encoding="utf-8")
    assert load(ModelMaterializer(), folder).config._attn_implementation == "sdpa"


def test_no_pickle_is_read_in_the_place_of_weights(tmp_path: Path, trap: Any) -> None:
    """Neither as model.safetensors nor beside it under the names that torch uses."""
    torch.save({"tensor": trap}, tmp_path / "trap.pt")
    pickles = [trap.pickled, (tmp_path / "trap.pt").read_bytes()]
    for index, data in enumerate(pickles):
        folder = save(ModelMaterializer(), bert(), tmp_path / f"a{index}")
        (folder / "model.safetensors").write_bytes(data)
        with pytest.raises(Exception, match=r"(?i)header|safetensor"):
            load(ModelMaterializer(), folder)
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        with pytest.raises(MaterializerError, match=r"pytorch_model\.bin has no place"):
            load(ModelMaterializer(), folder)
    assert not trap.sprung


def test_metadata() -> None:
    """Class, kind of model and counts; vocabulary and special tokens."""
    facts = ModelMaterializer().metadata(bert())
    assert (facts["model_type"], facts["modules"]) == ("bert", 33)
    assert facts["parameters"] == bert().num_parameters()
    facts = TokenizerMaterializer().metadata(tokenizers()[1])
    assert (facts["vocabulary"], facts["special_tokens"]) == (9, {"unk_token": "[UNK]", "pad_token": "[PAD]"})


def test_saving_leaves_the_configuration_as_it_was(tmp_path: Path) -> None:
    """The library would add the class and the dtype to it."""
    model = bert()
    before = copy.deepcopy(model.config.to_dict())
    save(ModelMaterializer(), model, tmp_path / "a")
    assert model.config.to_dict() == before


def test_bytes_are_the_same_in_another_process(assert_same_elsewhere: Callable[..., None]) -> None:
    """The values are made anew there, under another hash seed."""
    assert_same_elsewhere(TestModel, TestTokenizer, TestConfig, TestPlainTokenizer)
