"""What is shown of torch modules, state dicts and tensors."""

import pytest
import torch

from lineal.materializers.registry import registry
from lineal.views.subset import body_of, parse

NET = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8, 2))


class Rude(torch.nn.Module):
    def extra_repr(self) -> str:
        raise RuntimeError("no")


def shown(value) -> list[tuple[str, str]]:
    found = []
    for made in registry.for_value(value).visualize(value):
        if made.kind == "html":
            assert parse(body_of(made.content)) is not None, "a notebook would show it in a frame"
        found.append((made.title, body_of(made.content) if made.kind == "html" else ""))
    return found


def test_a_module_is_a_table_of_its_layers() -> None:
    [(title, body)] = shown(NET)
    assert title == "Sequential"
    for expected in ("Conv2d", "3, 8, kernel_size=(3, 3)", "224", "ReLU", "in_features=8", "float32: 242", "968 B"):
        assert expected in body, expected


def test_lazy_and_rude_modules_are_shown() -> None:
    for module in (torch.nn.LazyLinear(4), Rude(), torch.nn.Sequential(Rude())):
        assert len(shown(module)) == 1


def test_a_state_dict_is_a_table_of_its_tensors() -> None:
    [(title, body)] = shown(NET.state_dict())
    assert title == "State dict"
    assert "0.weight" in body
    assert "8 \N{MULTIPLICATION SIGN} 3 \N{MULTIPLICATION SIGN} 3 \N{MULTIPLICATION SIGN} 3" in body


def test_a_tensor_is_shown_as_an_array() -> None:
    [(title, body), (picture, _)] = shown(torch.arange(2400.0, requires_grad=True).reshape(40, 60))
    assert (title, picture) == ("Tensor", "Heat map")
    assert "2,399" in body


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(3, 3, dtype=torch.bfloat16), torch.eye(3).to_sparse(), torch.tensor(5), torch.nn.Parameter(torch.ones(3)), torch.zeros(0),
        torch.ones(2, dtype=torch.complex64), torch.ones(2, dtype=torch.complex64).conj(), torch.ones(3, 4).T, torch.tensor([True]),
        torch.ones(4).to(torch.float8_e5m2),
    ],
)  # fmt: skip
def test_any_tensor_is_shown(tensor) -> None:
    assert shown(tensor)[0][0] == "Tensor"
