"""transformers: models and configurations as folders that `from_pretrained` opens, with the weights in safetensors.

Kept beside what the library's own files say: which parts are in training mode, which parameters are frozen, and the kind of attention.
What was added to a model from outside (hooks, attributes) is not part of the format.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from transformers.configuration_utils import PreTrainedConfig
from transformers.modeling_utils import PreTrainedModel

from lineal.errors import NoMaterializer
from lineal.materializers import pretrained
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.classes import dotted
from lineal.materializers.torch import module_facts
from lineal.model.records import Json

_ATTENTION: Final = ("eager", "sdpa", "flex_attention", "flash_attention_2", "flash_attention_3")
"""Kinds of attention that are code of torch or of an installed package. Any other name is that of code to be fetched."""

_SET_BY_SAVING: Final = ("architectures", "dtype", "transformers_version")
"""What the library adds to the configuration of a model that it saves."""


class ModelMaterializer(Materializer):
    """Saves a model as `model.safetensors`, `config.json`, and `generation_config.json` if it generates."""

    id = "transformers.modeling_utils.PreTrainedModel/1"
    types = (PreTrainedModel,)
    data_type = "model"

    def accepts(self, value: Any) -> bool:
        """Tell whether it is neither quantized nor fitted with adapters, whose files are others."""
        return getattr(value, "hf_quantizer", None) is None and not getattr(value, "_hf_peft_config_loaded", False)

    def save(self, value: Any, folder: Path) -> None:
        """Write the files. Raises NoMaterializer for parameters of several dtypes, which the library would make one."""
        dtypes = {each.dtype for each in value.parameters() if each.is_floating_point()}
        attention = getattr(value.config, "_attn_implementation", None)
        if len(dtypes) > 1 or attention not in (None, *_ATTENTION):
            raise NoMaterializer(f"a model with {len(dtypes)} dtypes and the attention {attention!r} does not come back by from_pretrained")
        spec: dict[str, Json] = {
            "training": [name for name, each in value.named_modules() if each.training],
            "frozen": [name for name, each in value.named_parameters() if not each.requires_grad],
            "attention": attention,
            "unset": [name for name in _SET_BY_SAVING if getattr(value.config, name, None) is None],
        }
        before = {**vars(value.config)}
        try:
            pretrained.save(value, folder, spec)
        finally:
            vars(value.config).clear()
            vars(value.config).update(before)

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the model, of the class that it had, on the CPU."""
        value, spec = pretrained.load(folder, PreTrainedModel, type_, use_safetensors=True, dtype="auto", **_attention(folder))
        value.config.name_or_path = spec["name_or_path"]
        for name in spec["unset"]:
            setattr(value.config, name, None)
        training, frozen = set(spec["training"]), set(spec["frozen"])
        for name, module in value.named_modules():
            module.training = name in training
        for name, parameter in value.named_parameters():
            parameter.requires_grad_(name not in frozen)
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, the kind of model, and the number of modules, parameters, trainable ones, and buffers."""
        return {"model_type": value.config.model_type, **module_facts(value)}


def _attention(folder: Path) -> dict[str, Any]:
    known = pretrained.spec_of(folder)["attention"]
    return {"attn_implementation": known} if known in _ATTENTION else {}


class ConfigMaterializer(Materializer):
    """Saves a configuration as `config.json`."""

    id = "transformers.configuration_utils.PreTrainedConfig/1"
    types = (PreTrainedConfig,)

    def save(self, value: Any, folder: Path) -> None:
        """Write the files."""
        pretrained.save(value, folder, {})

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the configuration, of the class that it had."""
        return pretrained.load(folder, PreTrainedConfig, type_)[0]

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class and the kind of model."""
        return {"class": dotted(type(value)), "model_type": value.model_type}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (ModelMaterializer, ConfigMaterializer)
