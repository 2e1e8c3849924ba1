"""tokenizers: a tokenizer as the `tokenizer.json` of the library itself."""

from collections.abc import Mapping
from typing import Any, ClassVar

import tokenizers

from lineal.errors import NoMaterializer
from lineal.materializers.base import AnyMaterializer, BytesMaterializer
from lineal.model.records import Json


class TokenizerMaterializer(BytesMaterializer):
    """Saves a tokenizer as `tokenizer.json`."""

    id = "tokenizers.Tokenizer/1"
    filename: ClassVar[str] = "tokenizer.json"
    types = (tokenizers.Tokenizer,)

    def accepts(self, value: Any) -> bool:
        """Tell whether it is a tokenizer and no subclass."""
        return type(value) is tokenizers.Tokenizer

    def dumps(self, value: Any) -> bytes:
        """Give the JSON. Raises NoMaterializer for one with parts that are written in Python."""
        try:
            text: str = value.to_str()
        except Exception as error:  # the library has no class of its own for it
            raise NoMaterializer(f"the tokenizer cannot be written as JSON: {error}") from error
        return text.encode()

    def loads(self, data: bytes, type_: Any) -> Any:
        """Give the tokenizer."""
        return tokenizers.Tokenizer.from_str(data.decode())

    def metadata(self, value: Any) -> Mapping[str, Json]:
        """Give the kind of its model and the size of its vocabulary."""
        return {"model": type(value.model).__name__, "vocabulary": value.get_vocab_size()}


MATERIALIZERS: tuple[type[AnyMaterializer], ...] = (TokenizerMaterializer,)
