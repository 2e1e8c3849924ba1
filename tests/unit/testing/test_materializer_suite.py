"""The shipped contract of materializers finds what it is there to find."""

import random
from pathlib import Path
from typing import Any

import pytest

from lineal.materializers.base import BytesMaterializer, Materializer
from lineal.materializers.builtin import JsonMaterializer
from lineal.testing.materializers import MaterializerTests


class _Suite(MaterializerTests):
    materializer = JsonMaterializer()
    values = ([1], {"a": [2]})


class _Lossy(JsonMaterializer):
    id = "test.lossy/1"

    def loads(self, data: bytes, type_: Any) -> Any:
        return tuple(super().loads(data, type_))


class _Random(JsonMaterializer):
    id = "test.random/1"

    def dumps(self, value: Any) -> bytes:
        return super().dumps(value) + b" " * random.randrange(1, 10**6)


class _Constant(BytesMaterializer):
    id = "test.constant/1"

    def dumps(self, value: Any) -> bytes:
        return b""


class _HashOrder(BytesMaterializer):
    id = "test.order/1"

    def dumps(self, value: Any) -> bytes:
        return repr(set("abcdefgh")).encode() + repr(value).encode()


class _Shared(JsonMaterializer):
    id = "test.shared/1"
    known: Any = None

    def dumps(self, value: Any) -> bytes:
        type(self).known = value
        return super().dumps(value)

    def loads(self, data: bytes, type_: Any) -> Any:
        return self.known


class _Open(Materializer):
    id = "test.open/1"
    kept: list[Any]

    def __init__(self) -> None:
        self.kept = []

    def save(self, value: Any, folder: Path) -> None:
        self.kept.append((folder / "x").open("wb"))


class _Changing(JsonMaterializer):
    id = "test.changing/1"

    def dumps(self, value: Any) -> bytes:
        data = super().dumps(value)
        value.clear()
        return data


class _BadMetadata(JsonMaterializer):
    id = "test.bad/1"

    def metadata(self, value: Any) -> Any:
        return {"x": float("nan")}


class _BadId(JsonMaterializer):
    id = "json"


@pytest.mark.parametrize(
    ("materializer", "test"),
    [
        (_Lossy(), "test_round_trip_gives_equal_value_of_same_type"),
        (_Random(), "test_equal_values_give_equal_bytes"),
        (_Constant(), "test_different_values_give_different_bytes"),
        (_HashOrder(), "test_another_process_gives_equal_bytes"),
        (_Shared(), "test_loaded_value_is_private"),
        (_Open(), "test_save_closes_its_files"),
        (_Changing(), "test_save_leaves_the_value_as_it_was"),
        (_BadMetadata(), "test_metadata_is_json"),
        (_BadId(), "test_has_a_stable_id"),
    ],
)
def test_suite_finds_the_fault(materializer: Any, test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule of the contract is broken once, and the test for it fails."""
    suite = _Suite()
    monkeypatch.setattr(_Suite, "materializer", materializer)
    needs_folder = test not in ("test_metadata_is_json", "test_has_a_stable_id")
    with pytest.raises((AssertionError, ValueError)):
        getattr(suite, test)(*([tmp_path] if needs_folder else []))
    for file in getattr(materializer, "kept", ()):
        file.close()


def test_parts_of_the_contract_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A format that is not deterministic says so."""
    monkeypatch.setattr(_Suite, "materializer", _Random())
    monkeypatch.setattr(_Suite, "deterministic", False)
    _Suite().test_equal_values_give_equal_bytes(tmp_path)
    _Suite().test_another_process_gives_equal_bytes(tmp_path)
    monkeypatch.setattr(_Suite, "deterministic", True)
    monkeypatch.setattr(_Suite, "other_process", False)
    _Suite().test_another_process_gives_equal_bytes(tmp_path)


def test_mutation_of_usual_values() -> None:
    """Containers, sets, bytes and attributes can be changed; a number cannot."""
    suite = _Suite()

    class Thing:
        def __init__(self) -> None:
            self.a = 1

    class Frozen(Thing):
        def __setattr__(self, name: str, value: Any) -> None:
            if value != 1:
                raise AttributeError(name)
            super().__setattr__(name, value)

    for value in ([], {}, set(), bytearray(), Thing()):
        assert suite.mutate(value)
    for value in (1, (), "x", Frozen()):
        assert not suite.mutate(value)
