"""Shows torch modules by their layers, state dicts by their tensors, and tensors as arrays."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from lineal.materializers import markup
from lineal.materializers.array_view import SAMPLE, show_array, show_histogram
from lineal.materializers.model_view import show_layers
from lineal.model.records import Json
from lineal.model.text import size_text
from lineal.model.visualization import Visualization


def show_module(module: Any, facts: Mapping[str, Json]) -> Visualization:
    """Give the layers of a module: those without layers of their own, and those with parameters of their own."""
    return show_layers(type(module).__name__, _known(facts), _layers(module))


def show_state_dict(named: Mapping[str, Any], facts: Mapping[str, Json]) -> Visualization:
    """Give the tensors of a state dict."""
    rows = ((name, _dtype(value), _shape(value), value.numel()) for name, value in named.items())
    return show_layers("State dict", _known(facts), rows)


def show_tensor(value: Any, facts: Mapping[str, Json]) -> Iterator[Visualization]:
    """Give a tensor as an array; of one that numpy does not have, or that is not in main memory, the histogram of a sample."""
    tensor = value.detach()
    plain = tensor.layout is torch.strided and tensor.device.type == "cpu" and not _is_strange(tensor)
    if plain:
        yield from show_array(tensor.resolve_conj().resolve_neg().numpy(), title="Tensor")
        return
    shown = {name: markup.number_text(each) if isinstance(each, float) else each for name, each in facts.items()}
    known = {**shown, "shape": _shape(value), "nbytes": None, "size": size_text(value.numel() * value.element_size())}
    yield markup.page(markup.beside(markup.facts(known), _histogram(tensor)), title="Tensor")


def _histogram(tensor: Any) -> str:
    if tensor.layout is not torch.strided or tensor.is_complex() or not tensor.numel():
        return ""
    sample = tensor.reshape(-1)[:: -(-tensor.numel() // SAMPLE)].cpu()
    try:
        return show_histogram((sample.float() if _is_strange(sample) else sample).numpy())
    except NotImplementedError:  # packed numbers, that torch itself cannot take apart
        return ""


def _is_strange(tensor: Any) -> bool:
    return tensor.dtype is torch.bfloat16 or (tensor.is_floating_point() and tensor.element_size() == 1)


def _layers(module: Any) -> Iterator[tuple[str, str, str, int]]:
    for name, layer in module.named_modules():
        own = [each for each in layer.parameters(recurse=False) if not torch.nn.parameter.is_lazy(each)]
        if own or next(layer.children(), None) is None:
            yield name or "(itself)", type(layer).__name__, _said(layer), sum(each.numel() for each in own)


def _said(layer: Any) -> str:
    try:
        return str(layer.extra_repr())
    except Exception:  # somebody else's description
        return ""


def _known(facts: Mapping[str, Json]) -> dict[str, object]:
    known = {name: value for name, value in facts.items() if name not in ("nbytes", "dtypes", "numbers")}
    dtypes = ", ".join(f"{dtype}: {markup.number_text(count)}" for dtype, count in facts["dtypes"].items())
    return {**known, "dtypes": dtypes, "size": size_text(facts["nbytes"])}


def _dtype(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def _shape(value: Any) -> str:
    return f" {markup.TIMES} ".join(f"{each:,}" for each in value.shape) or "a single value"
