"""Sparse values come back in their class and format with all their parts."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import scipy.sparse as sp

from lineal.errors import MaterializerError, NoMaterializer
from lineal.materializers.registry import registry
from lineal.materializers.scipy import FILENAME, SparseMaterializer
from lineal.testing.materializers import MaterializerTests, content, load, save

FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
DENSE = np.array([[1.0, 0, 2, 0], [0, 0, 3, 0]])


def parts(value: Any) -> dict[str, Any]:
    """Give what a sparse value consists of."""
    if value.format == "dok":
        return {"items": {tuple(np.atleast_1d(place).tolist()): number for place, number in value.items()}}
    if value.format == "lil":
        return {"rows": value.rows.tolist(), "numbers": [list(map(complex, row)) for row in value.data]}
    names = {"coo": ("coords",), "dia": ("offsets",)}.get(value.format, ("indices", "indptr"))
    return {name: getattr(value, name) for name in ("data", *names)}


def exactly(one: Any, other: Any) -> bool:
    """Tell whether two sparse values are equal in class, shape, dtype and all parts, these with their dtypes."""
    if type(one) is not type(other) or one.shape != other.shape or one.dtype != other.dtype:
        return False
    for name, part in parts(one).items():
        same = parts(other)[name]
        if isinstance(part, np.ndarray):
            if part.dtype != same.dtype or not np.array_equal(part, same, equal_nan=part.dtype.kind in "fc"):
                return False
        elif name == "coords":
            if not all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(part, same, strict=True)):
                return False
        elif part != same:
            return False
    return True


def _wide_indices() -> Any:
    value = sp.csr_array(DENSE)
    value.indices, value.indptr = value.indices.astype(np.int64), value.indptr.astype(np.int64)
    return value


class TestSparse(MaterializerTests):
    """All formats as arrays and matrices, and what is odd about each."""

    materializer = SparseMaterializer()
    values = (
        *(getattr(sp, f"{name}_{kind}")(DENSE) for name in FORMATS for kind in ("array", "matrix")),
        *(getattr(sp, f"{name}_array")((3, 5), dtype=np.int8) for name in FORMATS),
        *(sp.csr_array(DENSE.astype(code)) for code in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "c8", "c16")),
        sp.bsr_array(np.kron(DENSE, np.ones((2, 3))), blocksize=(2, 3)),
        sp.coo_array(([1, 2, 0], ([1, 1, 0], [1, 1, 0])), shape=(2, 2)),  # the same place twice, and a zero
        sp.csr_array(([1.0, 2.0], [2, 0], [0, 2, 2]), shape=(2, 3)),  # indices out of order
        sp.dia_array((np.array([[1.0, 2.0], [3.0, 4.0]]), [0, 1]), shape=(3, 3)),
        sp.csr_array(np.array([[np.nan, 0, np.inf]])),
        sp.coo_array([1, 0, 2]),
        sp.coo_array(np.eye(3).reshape(3, 1, 3)),
        sp.csr_array(np.array([1, 0, 2])),
        sp.dok_array(np.array([0.0, 1.0])),
        sp.coo_matrix((0, 3)),
        sp.lil_matrix(DENSE * 1j),
        _wide_indices(),
    )

    def equal(self, one: Any, other: Any) -> bool:
        return exactly(one, other)

    def mutate(self, value: Any) -> bool:
        if value.format in ("dok", "lil") or value.nnz == 0:
            return False
        value.data[...] = 7 if value.dtype != bool else False
        return True


@pytest.mark.parametrize("name", ["bsr", "coo", "csc", "csr", "dia"])
def test_scipy_opens_the_file(name: str, tmp_path: Path) -> None:
    """The formats that `scipy.sparse.load_npz` knows are written as it reads them."""
    value = getattr(sp, f"{name}_array")(DENSE)
    found = sp.load_npz(save(SparseMaterializer(), value, tmp_path / "a") / FILENAME)
    assert type(found) is type(value)
    assert np.array_equal(found.toarray(), DENSE)


def test_order_in_which_entries_were_set_does_not_show(tmp_path: Path) -> None:
    """A dictionary of keys has no order of its own."""
    written = []
    for number, places in enumerate([[(0, 1), (1, 0), (1, 1)], [(1, 1), (0, 1), (1, 0)]]):
        value = sp.dok_array((2, 2))
        for row, column in places:
            value[row, column] = row + 10 * column
        written.append(content(save(SparseMaterializer(), value, tmp_path / str(number))))
    assert written[0] == written[1]


def test_the_file_carries_no_date(tmp_path: Path) -> None:
    """Two saves at two times cannot differ."""
    with ZipFile(save(SparseMaterializer(), sp.csr_array(DENSE), tmp_path / "a") / FILENAME) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_forged_file_is_not_unpickled(trap: Any, tmp_path: Path) -> None:
    """A part that is an array of objects is refused, not unpickled."""
    np.savez(tmp_path / FILENAME, format=np.array([trap], object), _is_array=np.array(True))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load(SparseMaterializer(), tmp_path)
    assert not trap.sprung


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    """A file of another program says what it holds."""
    np.savez(tmp_path / FILENAME, format=np.array(b"xyz"), _is_array=np.array(True))
    with pytest.raises(MaterializerError, match="'xyz'; known are bsr"):
        load(SparseMaterializer(), tmp_path)


def test_a_subclass_is_declined(tmp_path: Path) -> None:
    """What would come back as its base class is left to the next candidate."""

    class Mine(sp.csr_array):
        pass

    assert not SparseMaterializer().accepts(Mine(DENSE))
    with pytest.raises(NoMaterializer, match="Mine"):
        SparseMaterializer().save(Mine(DENSE), tmp_path)


def test_metadata() -> None:
    """Shape, dtype, format and number of stored elements, and their range where they lie in an array."""
    facts = SparseMaterializer().metadata(sp.csr_array(DENSE))
    assert facts == {
        "shape": [2, 4], "dtype": "float64", "format": "csr", "nnz": 3, "missing": 0, "min": 1.0, "max": 3.0, "mean": 2.0,
        "std": pytest.approx(0.8165, abs=1e-4),
    }  # fmt: skip
    assert SparseMaterializer().metadata(sp.lil_matrix(DENSE))["nnz"] == 3


def test_the_registry_knows_the_types() -> None:
    """Values and annotations find the materializer."""
    assert registry.for_value(sp.lil_matrix((1, 1))).id == "scipy.sparse/1"
    assert registry.for_type(sp.csr_array) is registry.by_id("scipy.sparse/1")
