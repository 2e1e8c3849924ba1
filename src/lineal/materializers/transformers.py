"""transformers: tokenizers as folders that `from_pretrained` opens.

Models and their configurations have a file of their own: what they need takes seconds to import.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from transformers import PreTrainedTokenizerBase

from lineal.materializers import pretrained
from lineal.materializers.base import AnyMaterializer, Materializer
from lineal.materializers.classes import dotted
from lineal.model.records import Json

_OF_LOADING: Final = ("is_local", "local_files_only", "trust_remote_code")
"""What a tokenizer remembers of how it was loaded, and would save."""


class TokenizerMaterializer(Materializer):
    """Saves a tokenizer as `tokenizer.json`, `tokenizer_config.json` and what else its class writes."""

    id = "transformers.Tokenizer/1"
    types = (PreTrainedTokenizerBase,)

    def save(self, value: Any, folder: Path) -> None:
        """Write the files."""
        pretrained.save(value, folder, {})

    def load(self, folder: Path, type_: Any) -> Any:
        """Give the tokenizer, of the class that it had."""
        value, _ = pretrained.load(folder, PreTrainedTokenizerBase, type_)
        for name in _OF_LOADING:
            value.init_kwargs.pop(name, None)
        return value

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the class, the size of the vocabulary, and the special tokens."""
        special = {name: str(token) for name, token in value.special_tokens_map.items()}
        return {"class": dotted(type(value)), "vocabulary": len(value), "special_tokens": special}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (TokenizerMaterializer,)
