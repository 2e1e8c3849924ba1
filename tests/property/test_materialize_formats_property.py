"""Tables, sparse matrices and graphs under arbitrary content: what is written comes back exactly, and layout never shows."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pyarrow as pa
import scipy.sparse as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from polars.testing.parametric import dataframes

from lineal.materializers.networkx import GraphMaterializer
from lineal.materializers.polars import FrameMaterializer
from lineal.materializers.pyarrow import ArrayMaterializer, ChunkedArrayMaterializer
from lineal.materializers.scipy import SparseMaterializer
from lineal.testing.materializers import content, load, save

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def there_and_back(materializer: Any, *values: Any) -> tuple[Any, list[Any]]:
    """Save values; give what comes back for the first, and the digests of all."""
    with tempfile.TemporaryDirectory() as name:
        folders = [save(materializer, value, Path(name) / str(number)) for number, value in enumerate(values)]
        return load(materializer, folders[0]), [content(folder) for folder in folders]


@FEW
@given(dataframes(max_cols=4, max_size=6, excluded_dtypes=[pl.Object], allow_masked_out=True))
def test_polars_frames(frame: Any) -> None:
    """Frames of nested types, in chunks, with hidden values."""
    assume(all(_is_held(dtype) for dtype in frame.dtypes))
    back, digests = there_and_back(FrameMaterializer(), frame, pl.concat([frame, frame], rechunk=False).slice(frame.height))
    assert back.schema == frame.schema
    assert back.equals(frame, null_equal=True)
    assert digests[0] == digests[1]
    assert there_and_back(FrameMaterializer(), back)[1][0] == digests[0]


def _is_held(dtype: Any) -> bool:
    """Tell whether a data type has neither extensions nor arrays of width zero, which are declined."""
    if type(dtype).__name__ == "Extension":
        return False
    if isinstance(dtype, pl.Struct):
        return all(_is_held(field.dtype) for field in dtype.fields)
    return getattr(dtype, "size", 1) != 0 and (not isinstance(dtype, pl.Array | pl.List) or _is_held(dtype.inner))


ARROW_LEAVES: st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]] = st.sampled_from(
    [
        (pa.int8(), st.integers(-128, 127)),
        (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.float64(), st.floats(allow_nan=False)),
        (pa.bool_(), st.booleans()),
        (pa.string(), st.text(max_size=15)),
        (pa.large_string(), st.text(max_size=15)),
        (pa.string_view(), st.text(max_size=15)),
        (pa.binary(), st.binary(max_size=15)),
        (pa.binary(2), st.binary(min_size=2, max_size=2)),
        (pa.null(), st.none()),
    ]
)


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def lists(make: Callable[[Any], Any], size: int | None = None) -> Callable[[Any], Any]:
        least, most = (size, size) if size else (0, 3)
        return lambda pair: (make(pair[0]), st.lists(pair[1] | st.none(), min_size=least, max_size=most))

    def struct(pairs: Any) -> Any:
        names = [f"f{number}" for number in range(len(pairs))]
        types = pa.struct(list(zip(names, (kind for kind, _ in pairs), strict=True)))
        return types, st.fixed_dictionaries({name: each | st.none() for name, (_, each) in zip(names, pairs, strict=True)})

    return (
        inner.map(lists(pa.list_))
        | inner.map(lists(pa.large_list))
        | inner.filter(lambda pair: "string_view" not in str(pair[0])).map(lists(lambda kind: pa.list_(kind, 2), 2))
        | st.lists(inner, max_size=3).map(struct)
    )


@st.composite
def arrow_arrays(draw: Any) -> Any:
    """Give an array of a type that nests other types."""
    kind, elements = draw(st.recursive(ARROW_LEAVES, _nested, max_leaves=4))
    return pa.array(draw(st.lists(elements | st.none(), max_size=6)), kind)


@FEW
@given(arrow_arrays(), st.integers(0, 6), st.data())
def test_pyarrow_arrays(array: Any, cut: int, data: Any) -> None:
    """Arrays of nested types, as slices, in chunks, and with values under their nulls."""
    longer = pa.concat_arrays([array, array]).slice(len(array))
    back, digests = there_and_back(ArrayMaterializer(), array, longer)
    back.validate(full=True)
    assert back.type == array.type
    assert back.equals(array)
    assert digests[0] == digests[1]
    whole, chunked = pa.chunked_array([array]), pa.chunked_array([array.slice(0, cut), array.slice(cut)])
    back, digests = there_and_back(ChunkedArrayMaterializer(), whole, chunked)
    assert back.equals(whole)
    assert digests[0] == digests[1]


@FEW
@given(
    npst.arrays(
        st.sampled_from(["?", "i1", "u8", "f4", "f8", "c16"]).map(np.dtype),
        npst.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4),
        fill=st.just(0),
    ),
    st.sampled_from(["coo", "csc", "csr", "dia", "dok", "lil"]),
    st.sampled_from(["array", "matrix"]),
)
def test_scipy_sparse(dense: Any, form: str, kind: str) -> None:
    """Matrices of every format and dtype, empty ones too."""
    value = getattr(sp, f"{form}_{kind}")(dense)
    back, digests = there_and_back(SparseMaterializer(), value, value.copy())
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert back.shape == value.shape
    assert np.array_equal(back.toarray(), value.toarray(), equal_nan=dense.dtype.kind in "fc")
    assert digests[0] == digests[1]
    assert there_and_back(SparseMaterializer(), back)[1][0] == digests[0]


NODES = st.integers(0, 5) | st.sampled_from(["a", "b", (1, "x"), 2.5, frozenset({1}), b"z"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["w", "id", "source", "key", "$type", "_id", "é"]), st.integers() | st.text() | st.tuples(st.booleans()), max_size=3
)
CHANGES = st.lists(st.tuples(st.sampled_from(["edge", "edge", "edge", "node", "drop"]), NODES, NODES, ATTRIBUTES), max_size=15)


@FEW
@given(st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]), CHANGES)
def test_networkx_graphs(cls: Any, changes: Any) -> None:
    """Graphs that grew and shrank in any order, with attributes of any name: all is there, in its order."""
    graph = cls()
    for what, one, other, attributes in changes:
        if what == "edge":
            graph.add_edge(one, other)
            data = graph.get_edge_data(one, other)
            (next(reversed(data.values())) if graph.is_multigraph() else data).update(attributes)
        elif what == "node":
            graph.add_node(one)
            graph.nodes[one].update(attributes)
        elif graph.has_edge(one, other):
            graph.remove_edge(one, other)
    data = GraphMaterializer().dumps(graph)
    back = GraphMaterializer().loads(data, None)
    assert type(back) is cls
    assert list(back.nodes(data=True)) == list(graph.nodes(data=True))
    for side in ("adj", "pred") if graph.is_directed() else ("adj",):
        around = [[(node, [(n, _plain(d)) for n, d in getattr(g, side)[node].items()]) for node in g] for g in (back, graph)]
        assert around[0] == around[1]
    assert GraphMaterializer().dumps(back) == data


def _plain(data: Any) -> Any:
    return [(key, list(value.items()) if hasattr(value, "items") else value) for key, value in data.items()]
