"""Named tensors as one safetensors file, from which each comes back exactly: values, dtype, class, and who shares memory with whom.

The file holds plain contiguous tensors under their names, for any tool to open. What it cannot say itself lies under the one key
`lineal` of its metadata: parameters, strides, sparse layouts, dtypes that it does not have, and tensors that share memory, which is
stored once. Tensors come back on the CPU, as private copy-on-write memory of the mapped file; autograd graphs and gradients do not.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import safetensors
import safetensors.torch
import torch

from lineal.errors import MaterializerError, NoMaterializer, NotPlain
from lineal.model import values
from lineal.model.records import Json

KEY: Final = "lineal"
"""The one key of the file's metadata: with two, the bytes would differ from call to call."""

_PLAIN: Final = frozenset(
    getattr(torch, name)
    for name in [
        "bool",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "uint32",
        "int32",
        "uint64",
        "int64",
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "float8_e4m3fn",
        "float8_e5m2",
    ]
)

_BYTES: Final[Mapping[str, Any]] = {
    name: getattr(torch, name)
    for name in ("float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2")
    if hasattr(torch, name)
}
"""Types of one byte that not every safetensors knows: stored as bytes."""

_COMPLEX: Final[Mapping[str, Any]] = {"complex64": torch.complex64, "complex128": torch.complex128}
"""Stored as pairs of real numbers."""

_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "sparse_coo": ("indices", "values"),
    "sparse_csr": ("crow_indices", "col_indices", "values"),
    "sparse_csc": ("ccol_indices", "row_indices", "values"),
    "sparse_bsr": ("crow_indices", "col_indices", "values"),
    "sparse_bsc": ("ccol_indices", "row_indices", "values"),
}
"""What a tensor of a sparse layout consists of."""

_KINDS: Final[Mapping[type, str]] = {torch.Tensor: "Tensor", torch.nn.Parameter: "Parameter"}


def is_storable(value: Any) -> bool:
    """Tell whether a file gives this tensor back exactly. Quantized, nested and meta tensors, and classes of one's own, it does not."""
    return (
        type(value) in _KINDS
        and (value.layout is torch.strided or _name(value.layout) in _PARTS)
        and (value.dtype in _PLAIN or _name(value.dtype) in _BYTES or _name(value.dtype) in _COMPLEX)
        and not value.is_nested
        and not any(getattr(value, "names", ()))  # named dimensions went away with torch 2.13
        and value.device.type != "meta"
    )


def write(path: Path, named: Sequence[tuple[str, Any]], extra: Json = None) -> None:
    """Write tensors, of different names each, and something more that JSON holds. Raises NoMaterializer for what is not storable."""
    file = _File({name for name, _ in named})
    specs = file.add(named)
    text = json.dumps({"tensors": specs, "extra": extra}, sort_keys=True, separators=(",", ":"))
    safetensors.torch.save_file(file.tensors, path, {KEY: text})


def read(path: Path) -> tuple[list[tuple[str, Any]], Any]:
    """Give the tensors with their names, in the order in which they were written, and the something more."""
    with safetensors.safe_open(path, framework="pt") as file:
        described = (file.metadata() or {}).get(KEY)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
    if described is None:
        raise MaterializerError("the file has no description by Lineal: it was written by another program")
    spec = json.loads(described)
    bases: dict[str, Any] = {}
    return [(each["name"], _made(each, tensors, bases)) for each in spec["tensors"]], spec["extra"]


class _File:
    """The plain tensors of one file."""

    def __init__(self, names: set[str]) -> None:
        self._reserved = names
        self.tensors: dict[str, Any] = {}

    def add(self, named: Sequence[tuple[str, Any]]) -> list[dict[str, Json]]:
        """Take tensors, and give the spec of each."""
        specs = [_spec(name, value) for name, value in named]
        dense = [n for n, (_, value) in enumerate(named) if value.layout is torch.strided]
        for cluster in _clusters({n: named[n][1] for n in dense}):
            self._add_cluster([(specs[n], *named[n]) for n in cluster])
        for spec, (name, value) in zip(specs, named, strict=True):
            if value.layout is not torch.strided:
                spec["sparse"] = self._add_sparse(name, value)
        return specs

    def _add_cluster(self, members: Sequence[tuple[dict[str, Json], str, Any]]) -> None:
        """Take tensors that share memory; mostly it is one that shares it with nobody."""
        spec, name, first = members[0]
        if len({_geometry(value) for _, _, value in members}) == 1:
            layout = self._add_plain(name, name, first)
            for spec, _, _ in members:
                spec["stored"] = layout
            return
        if len({(value.dtype, value.is_conj(), value.is_neg()) for _, _, value in members}) > 1:
            raise NoMaterializer(f"tensor {name!r} shares memory with one of another kind of number, which the file cannot hold")
        start = min(value.storage_offset() for _, _, value in members)
        stop = max(value.storage_offset() + _span(value) for _, _, value in members)
        key = self._free(f"{name}.storage")
        layout = self._add_plain(key, name, first.detach().as_strided((stop - start,), (1,), start))
        for spec, _, value in members:
            spec["stored"] = layout
            spec["view"] = {"size": [*value.size()], "stride": [*value.stride()], "offset": value.storage_offset() - start}

    def _add_plain(self, key: str, name: str, value: Any) -> dict[str, Json]:
        layout: dict[str, Json] = {"key": key}
        value = value.detach()
        if not value.is_contiguous() and _is_dense(value):
            layout["stride"] = [*value.stride()]
        plain = value.resolve_conj().resolve_neg().cpu().contiguous()
        if value.dtype not in _PLAIN:
            dtype = _name(value.dtype)
            layout["dtype"] = dtype
            plain = plain.view(torch.uint8) if dtype in _BYTES else torch.view_as_real(plain)
        self.tensors[key] = plain
        return layout

    def _add_sparse(self, name: str, value: Any) -> dict[str, Json]:
        layout = _name(value.layout)
        value = value.detach()
        parts: dict[str, Json] = {}
        for part in _PARTS[layout]:
            # The public indices() and values() want a coalesced tensor, and coalescing would sum up and sort.
            plain = getattr(value, f"_{part}")() if layout == "sparse_coo" else getattr(value, part)()
            parts[part] = self._add_plain(self._free(f"{name}.{part}"), name, plain.contiguous())
        coalesced = {"coalesced": value.is_coalesced()} if layout == "sparse_coo" else {}
        return {"layout": layout, "size": [*value.size()], "parts": parts, **coalesced}

    def _free(self, key: str) -> str:
        while key in self._reserved or key in self.tensors:
            key += "_"
        return key


def _spec(name: str, value: Any) -> dict[str, Json]:
    if not is_storable(value):
        raise NoMaterializer(f"tensor {name!r} ({type(value).__qualname__}, {value.dtype}, {value.layout}) cannot be stored as it is")
    spec: dict[str, Json] = {"name": name, "kind": _KINDS[type(value)]}
    if value.requires_grad:
        spec["requires_grad"] = True
    if value.__dict__:
        try:
            spec["attributes"] = values.to_json(value.__dict__)
        except NotPlain as error:
            raise NoMaterializer(f"tensor {name!r} has an attribute that is no plain value: {error}") from error
    return spec


def _made(spec: Mapping[str, Any], tensors: Mapping[str, Any], bases: dict[str, Any]) -> Any:
    """Make one tensor. `bases` remembers the memory that others may share."""
    if "sparse" in spec:
        value = _sparse(spec["sparse"], tensors)
    else:
        layout = spec["stored"]
        if layout["key"] not in bases:
            bases[layout["key"]] = _plain(layout, tensors)
        value = bases[layout["key"]].detach()  # an object of its own over the same memory
        if "view" in spec:
            view = spec["view"]
            value = value.as_strided(view["size"], view["stride"], value.storage_offset() + view["offset"])
    if spec["kind"] == "Parameter":
        value = torch.nn.Parameter(value, requires_grad=False)
    value.requires_grad_(spec.get("requires_grad", False))
    if "attributes" in spec:
        value.__dict__.update(values.from_json(spec["attributes"]))
    return value


def _plain(layout: Mapping[str, Any], tensors: Mapping[str, Any]) -> Any:
    value = tensors[layout["key"]]
    dtype = layout.get("dtype")
    if dtype is not None:
        value = value.view(_BYTES[dtype]) if dtype in _BYTES else torch.view_as_complex(value)
    if "stride" in layout:
        value = torch.empty_strided(value.size(), layout["stride"], dtype=value.dtype).copy_(value)
    return value


def _sparse(spec: Mapping[str, Any], tensors: Mapping[str, Any]) -> Any:
    layout = spec["layout"]
    parts = [_plain(spec["parts"][part], tensors) for part in _PARTS[layout]]
    # Indices that point outside would make torch read and write other memory, so they are checked.
    if layout == "sparse_coo":
        return torch.sparse_coo_tensor(*parts, spec["size"], check_invariants=True, is_coalesced=spec["coalesced"])
    return torch.sparse_compressed_tensor(*parts, spec["size"], layout=getattr(torch, layout), check_invariants=True)


def _clusters(tensors: Mapping[int, Any]) -> Iterator[list[int]]:
    """Give the numbers of the tensors, those together whose memory overlaps."""
    places = []
    for n, value in tensors.items():
        if value.numel() == 0:
            yield [n]
            continue
        start = value.storage_offset() * value.element_size()
        stop = start + _span(value) * value.element_size()
        places.append((str(value.device), value.untyped_storage().data_ptr(), start, stop, n))
    cluster: list[int] = []
    last: tuple[Any, ...] = ()
    for *storage, start, stop, n in sorted(places):
        if cluster and (last[:-1] != tuple(storage) or start >= last[-1]):
            yield sorted(cluster)
            cluster, last = [], ()
        cluster.append(n)
        last = (*storage, max(stop, last[-1]) if last else stop)
    if cluster:
        yield sorted(cluster)


def _geometry(value: Any) -> tuple[Any, ...]:
    return value.dtype, value.storage_offset(), tuple(value.size()), tuple(value.stride()), value.is_conj(), value.is_neg()


def _span(value: Any) -> int:
    """Give the number of elements of the storage between the first and the last of a tensor, both included."""
    if value.numel() == 0:
        return 0
    return 1 + sum(int((size - 1) * stride) for size, stride in zip(value.size(), value.stride(), strict=True))


def _is_dense(value: Any) -> bool:
    """Tell whether a tensor fills its span, each element once, whatever the order of its dimensions."""
    expected = 1
    for stride, size in sorted(zip(value.stride(), value.size(), strict=True)):
        if size > 1:
            if stride != expected:
                return False
            expected *= size
    return True


def _name(of: Any) -> str:
    return str(of).removeprefix("torch.")


def facts(tensors: Iterable[Any]) -> dict[str, Json]:
    """Give how many numbers tensors hold, how many of each dtype, and in how many bytes; what is the same memory counts once."""
    unique = {((value.data_ptr() if value.layout is torch.strided else 0) or id(value), value.shape): value for value in tensors}.values()
    dtypes = Counter[str]()
    for value in unique:
        dtypes[_name(value.dtype)] += value.numel()
    nbytes = sum(value.numel() * value.element_size() for value in unique)
    return {"numbers": dtypes.total(), "dtypes": dict(dtypes), "nbytes": nbytes}
